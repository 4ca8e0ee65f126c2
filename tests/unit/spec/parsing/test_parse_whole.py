"""What becomes of every key of the language: one spec that uses it, and the model's value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest

from runner.spec.document import read_document
from runner.spec.model.halt import Halt, HaltWhen, Share
from runner.spec.model.pool import (
    Autoscale,
    BlobMount,
    CifsMount,
    CustomImage,
    ExistingPool,
    Fallback,
    FileShareMount,
    FixedNodes,
    Image,
    Mount,
    Network,
    NewPool,
    NfsMount,
    NodeFill,
    OperatingSystem,
    PublicAddresses,
    Registry,
    User,
)
from runner.spec.model.retries import RetryBudget, RetryCause, RetryPlan
from runner.spec.model.sources import (
    FilePatterns,
    FilesOf,
    ListOf,
    MatrixOf,
    OutputsOf,
    RangeOf,
    RowsFormat,
    RowsOf,
    ZipOf,
)
from runner.spec.model.step import (
    DependentsAction,
    ExitCause,
    ExitRule,
    JobAction,
    Print,
    Step,
    UploadCondition,
    WorkingDirectory,
)
from runner.spec.model.terms import (
    Application,
    ContainerResource,
    Elevation,
    NamedUser,
    Resource,
    Role,
    SecretName,
    SecretParameter,
    StepName,
)
from runner.spec.model.workload import (
    CostLimit,
    Delete,
    ExistingContainer,
    IfNotEmpty,
    Limits,
    OnFailure,
    OwnContainer,
    Schedule,
    Structure,
    Upload,
    Workload,
)
from runner.spec.parsing.parse import parse_workload
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import Template
from tests.unit.spec.whole_language import SPECS

GROUP = "/subscriptions/s/resourceGroups/g/providers"


@cache
def workload_of(name: str) -> Workload:
    path = next(each for each in SPECS if each.stem == name)
    document, problems = read_document(path.name, path.read_bytes())
    assert document is not None, problems
    parsed = parse_workload(document, {})
    workload, problems = parsed.workload, parsed.problems
    assert problems == ()
    assert workload is not None
    return workload


def step_of(name: str) -> Step:
    return workload_of("whole").step(StepName(name))


def pool_of(name: str) -> NewPool:
    pool = workload_of(name).pool
    assert isinstance(pool, NewPool)
    return pool


def texts(templates: Mapping[str, Template]) -> dict[str, str]:
    return {name: each.text for name, each in templates.items()}


def shown(resource: Resource) -> dict[str, Any]:
    """The keys of a resource as they were written."""
    keys = ("role", "file", "prefix", "url", "to", "mode")
    found = {key: getattr(resource, key, None) for key in keys}
    return {
        key: each.text if isinstance(each, Template) else each
        for key, each in found.items()
        if each is not None
    }


def test_the_workload_itself() -> None:
    workload = workload_of("whole")
    assert (workload.name, workload.description) == ("whole", "every key of a spec")
    assert workload.parameters == {"rate": "192k", "nodes": 2, "share": 0.5, "verbose": False}
    assert workload.limits == Limits(
        duration=timedelta(days=7),
        wait=timedelta(minutes=90),
        patience=timedelta(hours=6),
        cost=CostLimit(amount=2.5, currency="EUR"),
    )
    assert workload.halt == Halt(
        after=Share(text="10%"), when=HaltWhen.NOW, same_failure=50, canary=3
    )
    assert [each.name for each in workload.steps] == [
        *("convert", "again", "batches", "values", "numbers", "lines", "table", "sweep", "pairs"),
        *("mappings", "sum"),
    ]
    assert all(each.pointer == ("tasks", each.name) for each in workload.steps)


def test_secret_parameters() -> None:
    workload = workload_of("secrets")
    assert workload.parameters == {}
    assert workload.secret_parameters == (
        SecretParameter(
            name="token",
            secret=SecretName("TOKEN"),
            description="of the service",
            pattern="[a-z0-9]{8,}",
            pointer=("parameters", "token"),
        ),
        SecretParameter(
            name="license_key",
            secret=SecretName("LICENSE_KEY"),
            description="",
            pattern=None,
            pointer=("parameters", "license_key"),
        ),
    )
    (step,) = workload.steps
    start_task, preparation = pool_of("secrets").start_task, workload.job.preparation
    assert start_task is not None
    assert preparation is not None
    owners = (start_task, preparation, step)
    assert [(texts(each.environment), each.secrets) for each in owners] == [
        ({"PLAIN": "1"}, {"LICENSE": "LICENSE_KEY"}),
        ({}, {"TOKEN": "TOKEN"}),
        ({"PLAIN": "{{ index }}"}, {"TOKEN": "TOKEN", "LICENSE": "LICENSE_KEY"}),
    ]


def test_containers() -> None:
    workload = workload_of("whole")
    assert workload.container(Role("input")) == OwnContainer(
        role=Role("input"),
        name=None,
        if_not_empty=IfNotEmpty.KEEP,
        uploads=(
            Upload(
                source="data",
                patterns=FilePatterns(
                    include=("**/*.txt",), exclude=("drafts/**",), case_sensitive=False
                ),
                structure=Structure.FLAT,
                to="texts",
                pointer=("containers", "input", "upload", 0),
            ),
        ),
        download=False,
        delete=Delete.AFTER_RUN,
        pointer=("containers", "input"),
    )
    assert workload.container(Role("output")) == OwnContainer(
        role=Role("output"),
        name="my-results",
        if_not_empty=IfNotEmpty.REFUSE,
        uploads=(),
        download=True,
        delete=Delete.NEVER,
        pointer=("containers", "output"),
    )
    assert workload.container(Role("media")) == ExistingContainer(
        role=Role("media"),
        name="my-media",
        prefix="2026/",
        patterns=FilePatterns(include=("**/*.mp4",), exclude=("raw/**",), case_sensitive=False),
        pointer=("containers", "media"),
    )
    assert workload_of("custom").containers[0].role == "application"
    assert workload_of("existing").containers[0] == ExistingContainer(
        role=Role("input"),
        name="media",
        prefix="",
        patterns=FilePatterns(),
        pointer=("containers", "input"),
    )


def test_the_nodes_of_a_pool() -> None:
    pool = pool_of("whole")
    assert pool.image == Image(
        publisher="microsoft-dsvm",
        offer="ubuntu-hpc",
        sku="2204",
        version="latest",
        alias="ubuntu 22.04 containers",
    )
    assert pool.os is OperatingSystem.LINUX
    assert pool.vm_size == "Standard_D4s_v5"
    fallback = Fallback(
        dedicated=1,
        after_preemptions=3,
        wait=timedelta(minutes=15),
        pointer=("pool", "nodes", "fallback"),
    )
    assert pool.size == FixedNodes(dedicated=2, spot=3, fallback=fallback)
    assert (pool.task_slots_per_node, pool.node_fill) == (4, NodeFill.PACK)
    assert (pool.node_retries, pool_of("secrets").node_retries) == (0, 2)
    assert pool.packages == ("ffmpeg", "jq=1.7.1-3build1")
    assert pool.container_images == ("ubuntu:24.04", "registry.example.com/tool")
    assert pool.inter_node_communication is True
    assert pool.applications == (
        Application(id="blender", version="4.2"),
        Application(id="tool", version=None),
    )
    assert pool.extra == {"resizeTimeout": "PT30M"}
    assert pool.keep is None
    assert pool_of("custom").keep == timedelta(minutes=30)
    assert pool_of("custom").image == CustomImage(
        id=f"{GROUP}/Microsoft.Compute/galleries/a/images/b/versions/1.0.0",
        node_agent="batch.node.ubuntu 24.04",
    )


def test_a_start_task() -> None:
    start_task = pool_of("whole").start_task
    assert start_task is not None
    assert start_task.command.text == "bash prepare.sh {{ run.id }}"
    assert start_task.command.shell is Shell.BASH
    assert [shown(each) for each in start_task.resources] == [
        {"role": "application", "file": "tool.py", "to": "bin/tool.py", "mode": "0755"},
        {"url": "https://example.com/{{ parameters.rate }}", "to": "rate.txt"},
    ]
    assert texts(start_task.environment) == {"RATE": "{{ parameters.rate }}"}
    assert (start_task.run_as, start_task.retries) == (Elevation.ADMIN, 2)
    assert (start_task.wait_for_success, start_task.timeout) == (False, None)


def test_what_opens_registries_and_mounts() -> None:
    pool = pool_of("whole")
    assert pool.registries == (
        Registry(
            server="registry.example.com",
            user="reader",
            password=SecretName("REGISTRY"),
            pointer=("pool", "registries", 0),
        ),
        Registry(
            server="docker.io",
            user="me",
            password=SecretName("HUB"),
            pointer=("pool", "registries", 1),
        ),
    )
    storage: dict[str, Any] = {"account": "mystorage", "container": "media"}
    nothing: dict[str, Any] = {"key": None, "sas": None}
    assert [(each.path, each.source) for each in pool.mounts] == [
        ("media", BlobMount(**storage, **{**nothing, "key": SecretName("STORAGE_KEY")})),
        ("sas", BlobMount(**storage, **{**nothing, "sas": SecretName("MEDIA_SAS")})),
        (
            "share",
            FileShareMount(
                account="mystorage",
                url="https://mystorage.file.core.windows.net/s",
                key=SecretName("STORAGE_KEY"),
            ),
        ),
        ("nfs", NfsMount(source="10.0.0.4:/data")),
        (
            "cifs",
            CifsMount(source="//10.0.0.4/data", user="reader", password=SecretName("SHARE")),
        ),
    ]
    assert pool.mounts[0] == Mount(
        path="media",
        source=pool.mounts[0].source,
        options="--allow-other",
        pointer=("pool", "mounts", 0),
    )
    assert pool.mounts[1].options == ""


def test_networks_and_users() -> None:
    pool = pool_of("whole")
    assert pool.network == Network(
        subnet=f"{GROUP}/Microsoft.Network/virtualNetworks/n/subnets/s",
        public_addresses=PublicAddresses.NONE,
        accelerated=True,
        pointer=("pool", "network"),
    )
    other = pool_of("windows").network
    assert other is not None
    assert other.public_addresses == (
        f"{GROUP}/Microsoft.Network/publicIPAddresses/a",
        f"{GROUP}/Microsoft.Network/publicIPAddresses/b",
    )
    assert pool.users == (
        User(
            name="operator",
            password=SecretName("OPERATOR"),
            elevation=Elevation.ADMIN,
            pointer=("pool", "users", 0),
        ),
        User(
            name="guest",
            password=SecretName("GUEST"),
            elevation=Elevation.USER,
            pointer=("pool", "users", 1),
        ),
    )


def test_pools_of_other_kinds() -> None:
    windows = pool_of("windows")
    assert windows.os is OperatingSystem.WINDOWS
    assert isinstance(windows.size, Autoscale)
    assert (windows.size.scenario, windows.size.interval) == ("tasks", timedelta(minutes=5))
    formula = windows.size.formula
    assert "$TargetLowPriorityNodes = measured ? max(1, min(10, filled)) : 1;" in formula
    assert pool_of("schedule").size == Autoscale(
        formula="$TargetDedicatedNodes = 1;\n",
        interval=timedelta(minutes=15),
        scenario=None,
        pointer=("pool", "autoscale"),
    )
    assert workload_of("existing").pool == ExistingPool(
        id="my-pool", os=OperatingSystem.WINDOWS, pointer=("pool",)
    )


def test_the_job() -> None:
    job = workload_of("whole").job
    assert (job.priority, job.max_parallel_tasks) == (-10, 20)
    assert job.on_failure is OnFailure.CONTINUE
    assert texts(job.environment) == {"LANG": "C.UTF-8", "RUN": "{{ run.id }}"}
    assert job.metadata == {"project": "archive", "rate": "192k"}
    assert job.extra == {"allowTaskPreemption": True}
    preparation, release = job.preparation, job.release
    assert preparation is not None
    assert release is not None
    assert preparation.command.text == 'mkdir -p "$AZ_BATCH_NODE_SHARED_DIR/cache"\n'
    assert preparation.command.shell is Shell.SH
    assert [shown(each) for each in preparation.resources] == [{"role": "application"}]
    assert texts(preparation.environment) == {"A": "b"}
    assert preparation.run_as == NamedUser(
        name="operator", pointer=("job", "preparation", "run_as")
    )
    assert (preparation.retries, preparation.timeout) == (1, timedelta(minutes=10))
    assert (preparation.wait_for_success, job.rerun_preparation_on_reboot) == (False, False)
    assert preparation.pointer == ("job", "preparation")
    assert release.command.text == 'rm -rf "$AZ_BATCH_NODE_SHARED_DIR/cache"'
    assert [shown(each) for each in release.resources] == [
        {"role": "application", "prefix": "tool"}
    ]
    assert (release.run_as, release.timeout) == (Elevation.ADMIN, timedelta(minutes=5))
    assert workload_of("schedule").job.schedule == Schedule(
        every=timedelta(days=1),
        window=timedelta(hours=1),
        start=datetime(2026, 12, 1, 6, tzinfo=timezone.utc),
        end=datetime(2026, 12, 31, tzinfo=timezone.utc),
        pointer=("job", "schedule"),
    )


SOURCES = {
    "convert": FilesOf(
        role=Role("input"),
        patterns=FilePatterns(include=("**/*.txt",), exclude=("x/**",), case_sensitive=False),
        chunk=None,
        pointer=("tasks", "convert", "for_each"),
    ),
    "again": OutputsOf(step=StepName("convert"), pointer=("tasks", "again", "for_each")),
    "batches": FilesOf(
        role=Role("media"),
        patterns=FilePatterns(),
        chunk=20,
        pointer=("tasks", "batches", "for_each"),
    ),
    "values": ListOf(values=("a", 1, 0.5, True), pointer=("tasks", "values", "for_each")),
    "mappings": ListOf(
        values=({"name": "x", "size": 2}, {"name": "y", "size": 3}),
        pointer=("tasks", "mappings", "for_each"),
    ),
    "numbers": RangeOf(first=10, last=0, step=-2.5, pointer=("tasks", "numbers", "for_each")),
    "lines": RowsOf(
        path="data/jobs.txt", format=RowsFormat.TSV, pointer=("tasks", "lines", "for_each")
    ),
    "table": RowsOf(
        path="data/jobs.ndjson", format=RowsFormat.JSONL, pointer=("tasks", "table", "for_each")
    ),
    "pairs": ZipOf(
        columns={
            "a": ListOf(values=(1, 2), pointer=("tasks", "pairs", "for_each", "zip", "a")),
            "b": ListOf(values=(3, 4), pointer=("tasks", "pairs", "for_each", "zip", "b")),
        },
        pointer=("tasks", "pairs", "for_each"),
    ),
    "sum": None,
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources(name: str) -> None:
    assert step_of(name).for_each == SOURCES[name]


def test_a_matrix() -> None:
    source = step_of("sweep").for_each
    at = ("tasks", "sweep", "for_each", "matrix")
    assert isinstance(source, MatrixOf)
    assert source.pointer == at[:-1]
    assert list(source.axes) == ["size", "file", "seed", "row", "kind"]
    assert source.axes["size"] == ListOf(values=("small", "large"), pointer=(*at, "size"))
    assert source.axes["file"] == FilesOf(
        role=Role("input"),
        patterns=FilePatterns(include=("*.txt",), exclude=("a*",), case_sensitive=False),
        chunk=2,
        pointer=(*at, "file"),
    )
    assert source.axes["seed"] == RangeOf(first=1, last=3, step=1, pointer=(*at, "seed"))
    assert source.axes["row"] == RowsOf(
        path="data/jobs.csv", format=RowsFormat.CSV, pointer=(*at, "row")
    )
    assert source.axes["kind"] == ListOf(values=("a",), pointer=(*at, "kind"))


def test_what_steps_need() -> None:
    needs = {each.name: each.needs for each in workload_of("whole").steps if each.needs}
    assert needs == {
        "again": ("convert",),  # by `needs` and by `outputs_of`, once
        "mappings": ("values", "numbers"),
        "sum": ("again",),
    }


def test_a_step() -> None:
    step = step_of("convert")
    assert step.command.text == (
        "tool {{ file.path }} -b {{ parameters.rate }} > {{ file.stem }}.out"
    )
    assert texts(step.environment) == {"SOURCE": "{{ file.url }}", "NUMBER": "{{ index }}"}
    assert [shown(each) for each in step.resources] == [
        {"role": "application", "prefix": "t", "to": "app/{{ file.stem }}"},
        {
            "url": "https://example.com/{{ file.path }}?x={{ file.name }}",
            "to": "x/{{ file.name }}",
            "mode": "644",
        },
    ]
    assert [each.pointer for each in step.resources] == [
        ("tasks", "convert", "resources", 0),
        ("tasks", "convert", "resources", 1),
    ]
    parts, logs = step.outputs
    assert (parts.pattern.text, parts.to) == ("{{ file.stem }}.out", Role("parts"))
    assert parts.path is not None
    assert (parts.when, parts.path.text) == (
        UploadCondition.SUCCESS,
        "{{ file.dir }}/{{ file.stem }}",
    )
    assert (logs.pattern.text, logs.to, logs.path) == ("*.log", Role("output"), None)
    assert logs.when is UploadCondition.COMPLETION
    assert logs.pointer == ("tasks", "convert", "outputs", 1)
    assert (step.print, step.retries, step.slots) == (Print.STDOUT, 3, 2)
    assert (step.timeout, step.retention) == (timedelta(minutes=30), timedelta(hours=1))
    assert step.run_as == NamedUser(name="guest", pointer=("tasks", "convert", "run_as"))
    assert step.applications == (Application(id="tool", version="1"),)
    assert step.extra == {"affinityInfo": {"affinityId": "192k"}}


def test_how_a_step_may_end() -> None:
    assert step_of("convert").exit_rules == (
        ExitRule(
            codes=((3, 3), (10, 20), (4, 4)),
            causes=(),
            job=JobAction.CONTINUE,
            dependents=DependentsAction.RUN,
            pointer=("tasks", "convert", "exit_rules", 0),
        ),
        ExitRule(
            codes=(),
            causes=(ExitCause.RESOURCE_ERROR, ExitCause.UPLOAD_ERROR, ExitCause.OTHER),
            job=None,
            dependents=DependentsAction.BLOCK,
            pointer=("tasks", "convert", "exit_rules", 1),
        ),
    )


def test_how_often_a_step_is_tried() -> None:
    assert (step_of("convert").retries, step_of("convert").retry_plan) == (3, RetryPlan())
    half_a_minute = timedelta(seconds=30)
    assert step_of("batches").retries == 0
    assert step_of("batches").retry_plan == RetryPlan(
        budgets={
            RetryCause.EXIT_CODE: RetryBudget(times=1, backoff=half_a_minute),
            RetryCause.RESOURCE_DOWNLOAD: RetryBudget(times=3, backoff=timedelta(minutes=1)),
            RetryCause.OUTPUT_UPLOAD: RetryBudget(times=2, backoff=half_a_minute),
            RetryCause.TIMEOUT: RetryBudget(times=2, backoff=half_a_minute),
        },
        preemption=20,
    )


def test_where_a_step_runs() -> None:
    container = step_of("convert").container
    assert container is not None
    assert container.image.text == "ubuntu:{{ parameters.rate }}"
    assert (container.options, container.working_directory) == (
        "--gpus all",
        WorkingDirectory.IMAGE,
    )
    assert container.pointer == ("tasks", "convert", "container")
    (step,) = workload_of("custom").steps
    instances = step.instances
    assert instances is not None
    assert (instances.count, instances.coordination.text) == (2, "echo ready")
    assert instances.coordination.shell is Shell.NONE
    (resource,) = instances.resources
    assert isinstance(resource, ContainerResource)
    assert shown(resource) == {"role": "application", "file": "tool.py", "to": "bin/tool.py"}
    assert resource.pointer == ("task", "instances", "resources", 0)


def test_what_commands_are_written_for() -> None:
    assert workload_of("custom").steps[0].command.shell is Shell.NONE
    assert workload_of("windows").steps[0].command.shell is Shell.CMD
    assert workload_of("existing").steps[0].command.shell is Shell.POWERSHELL
