"""From documents to typed workloads: values, defaults, templates evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from runner.spec.bundled import bundled
from runner.spec.document import read_document
from runner.spec.model.pool import FixedNodes, Image, NewPool, NodeFill, OperatingSystem
from runner.spec.model.sources import FilePatterns, FilesOf
from runner.spec.model.step import Print, UploadCondition
from runner.spec.model.terms import ContainerResource, Elevation, ParameterValue, Role
from runner.spec.model.workload import (
    CostLimit,
    Delete,
    ExistingContainer,
    IfNotEmpty,
    Limits,
    OnFailure,
    OwnContainer,
    Structure,
    Upload,
    Workload,
)
from runner.spec.parsing.parse import parse_workload
from runner.spec.problem import Problem
from runner.spec.shells.shell import Shell
from runner.spec.validation.schema import SCHEMA_PARTS

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]
Edit = Callable[[str, str], str]

SMALLEST = """\
version: 1
name: small
containers:
  input: {upload: [{from: data}]}
  output: {}
pool:
  image: {publisher: p, offer: o, sku: s}
  vm_size: v
  nodes: {dedicated: 1}
  start_task: {command: a}
job:
  preparation: {command: a}
task:
  for_each: {files: input}
  command: [cat, "{{ file.path }}"]
  outputs: [{pattern: "*", to: output}]
  container: {image: i}
  instances: {count: 1, coordination: a}
"""


def parse(
    text: str, given: dict[str, ParameterValue] | None = None
) -> tuple[Workload | None, tuple[Problem, ...]]:
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None, problems
    assert problems == ()
    parsed = parse_workload(document, given or {})
    return parsed.workload, parsed.problems


def workload_of(text: str, given: dict[str, ParameterValue] | None = None) -> Workload:
    workload, problems = parse(text, given)
    assert problems == ()
    assert workload is not None
    return workload


def pool_of(workload: Workload) -> NewPool:
    assert isinstance(workload.pool, NewPool)
    return workload.pool


def test_everything_that_a_small_spec_says(spec: str) -> None:
    workload = workload_of(spec, {"nodes": "7"})
    assert workload.name == "topics"
    assert workload.description == "Everything at once"
    assert workload.parameters == {"rate": "192k", "nodes": 7}
    assert workload.limits == Limits(duration=timedelta(hours=24), wait=timedelta(minutes=90))
    assert workload.container(Role("input")) == OwnContainer(
        role=Role("input"),
        name=None,
        if_not_empty=IfNotEmpty.KEEP,
        uploads=(
            Upload(
                source="data",
                patterns=FilePatterns(include=("**/*.txt",)),
                structure=Structure.KEEP,
                to="",
                pointer=("containers", "input", "upload", 0),
            ),
        ),
        download=False,
        delete=Delete.AFTER_SUCCESS,
        pointer=("containers", "input"),
    )
    output = workload.container(Role("output"))
    assert isinstance(output, OwnContainer)
    assert (output.download, output.delete) == (True, Delete.NEVER)
    pool = pool_of(workload)
    assert pool.image == Image(
        publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest"
    )
    assert (pool.vm_size, pool.size) == ("Standard_D2s_v5", FixedNodes(dedicated=0, spot=7))
    start_task = pool.start_task
    assert start_task is not None
    assert start_task.resources == (
        ContainerResource(
            role=Role("app"),
            file=None,
            prefix=None,
            to=None,
            mode=None,
            pointer=("pool", "start_task", "resources", 0),
        ),
    )
    assert start_task.run_as is Elevation.ADMIN
    assert start_task.pointer == ("pool", "start_task")
    (step,) = workload.steps
    assert step.name == "task"
    assert step.for_each == FilesOf(
        role=Role("input"),
        patterns=FilePatterns(),
        chunk=None,
        pointer=("task", "for_each"),
    )
    assert [each.pointer for each in step.resources] == [("task", "resources", 0)]
    assert {name: each.text for name, each in step.environment.items()} == {
        "LANG": "C.UTF-8",
        "SOURCE": "{{ file.url }}",
    }
    assert (step.retries, step.timeout) == (1, timedelta(minutes=30))
    (kept,) = step.outputs
    assert kept.pattern.text == "{{ file.stem }}_OUT.txt"
    assert (kept.to, kept.when, kept.path) == (Role("output"), UploadCondition.SUCCESS, None)
    assert kept.pointer == ("task", "outputs", 0)


SCHEMA: dict[str, Any] = json.loads(bundled(*SCHEMA_PARTS).read_text(encoding="utf-8"))


def defaults(*path: str) -> dict[str, Any]:
    """The defaults of the keys of a mapping, by key."""
    schema: dict[str, Any] = SCHEMA
    for part in path:
        schema = schema[part]
    properties: dict[str, Any] = schema["properties"]
    return {key: each["default"] for key, each in properties.items() if "default" in each}


def test_defaults_of_containers_are_those_that_the_schema_promises() -> None:
    workload = workload_of(SMALLEST)
    first = workload.containers[0]
    assert isinstance(first, OwnContainer)
    (upload,) = first.uploads
    assert defaults("$defs", "container") == {
        "if_not_empty": first.if_not_empty.value,
        "upload": list(workload.containers[1].uploads)
        if isinstance(workload.containers[1], OwnContainer)
        else None,
        "download": first.download,
        "delete": first.delete.value,
        "prefix": "",
        "include": list(FilePatterns().include),
        "exclude": list(FilePatterns().exclude),
        "case_sensitive": FilePatterns().case_sensitive,
    }
    assert defaults("$defs", "upload") == {
        "include": list(upload.patterns.include),
        "exclude": list(upload.patterns.exclude),
        "case_sensitive": upload.patterns.case_sensitive,
        "structure": upload.structure.value,
        "to": upload.to,
    }
    existing = workload_of(SMALLEST.replace("output: {}", "output: {existing: abc}")).containers[1]
    assert isinstance(existing, ExistingContainer)
    assert (existing.prefix, existing.patterns) == ("", FilePatterns())
    named = workload_of(SMALLEST.replace("output: {}", "output: {name: abc}")).containers[1]
    assert isinstance(named, OwnContainer)
    assert named.delete is Delete.NEVER
    assert (
        "With a `name` of your own the default is `never`"
        in (SCHEMA["$defs"]["container"]["properties"]["delete"]["description"])
    )


def test_defaults_of_the_pool_are_those_that_the_schema_promises() -> None:
    workload = workload_of(SMALLEST)
    pool = pool_of(workload)
    start_task = pool.start_task
    assert start_task is not None
    assert defaults("properties", "pool") == {
        "task_slots_per_node": pool.task_slots_per_node,
        "node_fill": pool.node_fill.value,
        "packages": {},
        "container_images": list(pool.container_images),
        "registries": list(pool.registries),
        "mounts": list(pool.mounts),
        "users": list(pool.users),
        "inter_node_communication": pool.inter_node_communication,
        "applications": list(pool.applications),
        "extra": pool.extra,
    }
    assert pool.packages == ()
    assert (pool.network, pool.keep, pool.os) == (None, None, OperatingSystem.LINUX)
    assert isinstance(pool.image, Image)
    assert defaults("$defs", "image") == {"version": pool.image.version}
    assert defaults("properties", "pool", "properties", "nodes") == {"dedicated": 0, "spot": 0}
    assert pool.size == FixedNodes(dedicated=1, spot=0)
    assert defaults("properties", "pool", "properties", "start_task") == {
        "resources": list(start_task.resources),
        "environment": start_task.environment,
        "run_as": "user" if start_task.run_as is Elevation.USER else None,
        "wait_for_success": start_task.wait_for_success,
        "retries": start_task.retries,
        "node_retries": pool.node_retries,
    }
    assert start_task.timeout is None


def test_defaults_of_the_job_are_those_that_the_schema_promises() -> None:
    job = workload_of(SMALLEST).job
    assert defaults("properties", "job") == {
        "priority": job.priority,
        "on_failure": job.on_failure.value,
        "environment": job.environment,
        "metadata": job.metadata,
        "extra": job.extra,
    }
    assert (job.max_parallel_tasks, job.release, job.schedule) == (None, None, None)
    preparation = job.preparation
    assert preparation is not None
    assert defaults("properties", "job", "properties", "preparation") == {
        "resources": list(preparation.resources),
        "environment": preparation.environment,
        "run_as": "user" if preparation.run_as is Elevation.USER else None,
        "retries": preparation.retries,
        "wait_for_success": preparation.wait_for_success,
        "rerun_on_reboot": job.rerun_preparation_on_reboot,
    }
    nothing = workload_of(SMALLEST.replace("job:\n  preparation: {command: a}\n", "")).job
    assert (nothing.preparation, nothing.on_failure) == (None, OnFailure.CONTINUE)


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("5", CostLimit(amount=5.0, currency=None)),
        ("0.25", CostLimit(amount=0.25, currency=None)),
        ("12.50 EUR", CostLimit(amount=12.5, currency="EUR")),
        ('"7"', CostLimit(amount=7.0, currency=None)),
        ('"{{ parameters.most }}"', CostLimit(amount=3.5, currency=None)),
        ('"{{ parameters.most }} CHF"', CostLimit(amount=3.5, currency="CHF")),
    ],
)
def test_what_a_run_may_cost_is_a_number_or_has_a_currency(written: str, limit: CostLimit) -> None:
    head = f"parameters: {{most: {{type: number, default: 3.5}}}}\nlimits: {{cost: {written}}}\n"
    assert workload_of(SMALLEST.replace("containers:\n", f"{head}containers:\n")).limits.cost == (
        limit
    )


def test_defaults_of_a_step_are_those_that_the_schema_promises() -> None:
    workload = workload_of(SMALLEST)
    assert defaults()["description"] == workload.description
    assert defaults("properties", "limits") == {"duration": "24h", "patience": "15m"}
    assert workload.limits == Limits(
        duration=timedelta(hours=24), wait=timedelta(hours=24), patience=timedelta(minutes=15)
    )
    (step,) = workload.steps
    assert defaults("$defs", "step") == {
        "needs": list(step.needs),
        "environment": step.environment,
        "resources": list(step.resources),
        "print": step.print.value,
        "outputs": [],
        "retries": step.retries,
        "slots": step.slots,
        "run_as": "user" if step.run_as is Elevation.USER else None,
        "exit_rules": list(step.exit_rules),
        "applications": list(step.applications),
        "extra": step.extra,
    }
    assert (step.timeout, step.retention) == (None, None)
    assert defaults("$defs", "output") == {"when": step.outputs[0].when.value}
    assert step.container is not None
    assert defaults("$defs", "step", "properties", "container") == {
        "options": step.container.options,
        "working_directory": step.container.working_directory.value,
    }
    assert step.instances is not None
    assert defaults("$defs", "step", "properties", "instances") == {
        "resources": list(step.instances.resources)
    }


def test_values_of_the_workload_may_be_expressions() -> None:
    text = SMALLEST.replace("name: small\n", "name: small\nparameters:\n  P\n")
    for old, new in (
        (
            "  P\n",
            (
                "  n: {type: integer, default: 3}\n  b: {type: boolean, default: false}\n"
                "  s: {type: string, default: never}\n  x: {type: string, default: stdout}\n"
            ),
        ),
        ("output: {}", 'output: {download: "{{ parameters.b }}", delete: "{{ parameters.s }}"}'),
        ("dedicated: 1", 'dedicated: "{{ parameters.n }}"'),
        ("vm_size: v", 'vm_size: "v{{ parameters.n }}"\n  extra: {a: [{b: "{{ parameters.n }}"}]}'),
        ("from: data", 'from: "data/{{ parameters.s }}"'),
        (
            "  outputs:",
            '  print: "{{ parameters.x }}"\n  timeout: "{{ parameters.n }}m"\n  outputs:',
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    workload = workload_of(text)
    output = workload.container(Role("output"))
    assert isinstance(output, OwnContainer)
    assert output.download is False
    assert output.delete is Delete.NEVER
    pool = pool_of(workload)
    assert pool.size == FixedNodes(dedicated=3, spot=0)
    assert pool.vm_size == "v3"
    assert pool.extra == {"a": [{"b": 3}]}
    first = workload.containers[0]
    assert isinstance(first, OwnContainer)
    assert first.uploads[0].source == "data/never"
    assert workload.steps[0].print is Print.STDOUT
    assert workload.steps[0].timeout == timedelta(minutes=3)


def test_an_evaluated_value_of_the_wrong_type_is_shown_at_its_expression(
    edit: Edit, facts: Facts
) -> None:
    text = edit('spot: "{{ parameters.nodes }}"', 'spot: "{{ parameters.rate }}"')
    _, problems = parse(text)
    assert facts(problems) == [
        (
            "20:31 wrong-type",
            "`pool.nodes.spot` must be an integer, not `192k`",
            'the value comes from `"{{ parameters.rate }}"`',
        )
    ]


def test_schema_and_template_problems_come_together(edit: Edit) -> None:
    text = edit("retries: 1", "retries: x").replace("{{ file.path }}", "{{ file.pth }}")
    workload, problems = parse(text.replace("parameters.nodes", "parameters.node"))
    assert workload is None
    assert sorted(problem.span.start.line for problem in problems) == [20, 28, 32]


@pytest.mark.parametrize("nodes", ["2", "2.0"])
def test_whole_numbers_are_integers(nodes: str) -> None:
    workload = workload_of(SMALLEST.replace("dedicated: 1", f"dedicated: {nodes}"))
    size = pool_of(workload).size
    assert isinstance(size, FixedNodes)
    assert type(size.dedicated) is int


@pytest.mark.parametrize(
    ("pool", "shell"),
    [
        ("existing: p", Shell.BASH),
        ("existing: p\n  os: windows", Shell.CMD),
        ("image: ubuntu 24.04", Shell.BASH),
        ("image: windows 2022", Shell.CMD),
        ("image: {publisher: MicrosoftWindowsServer, offer: o, sku: s}", Shell.CMD),
        ("image: windows 2022 containers", Shell.CMD),
        ("image: {publisher: microsoft-dsvm, offer: dsvm-win-2022, sku: s}", Shell.CMD),
        ("image: {publisher: microsoft-dsvm, offer: ubuntu-hpc, sku: s}", Shell.BASH),
        ("image: {id: i, node_agent: batch.node.windows amd64}", Shell.CMD),
        ("image: {id: i, node_agent: batch.node.ubuntu 24.04}", Shell.BASH),
        ("image: {publisher: p, offer: o, sku: s}\n  os: windows", Shell.CMD),
        ('image: "{{ parameters.image }}"', Shell.CMD),
        ('image: ubuntu 24.04\n  os: "{{ parameters.os }}"', Shell.CMD),
    ],
)
def test_commands_are_written_for_the_shell_of_the_nodes(pool: str, shell: Shell) -> None:
    nodes = "" if "existing" in pool else "\n  vm_size: v\n  nodes: {dedicated: 1}"
    workload = workload_of(
        "version: 1\nname: a\nparameters:\n  image: {type: string, default: windows 2019}\n"
        f"  os: {{type: string, default: windows}}\npool:\n  {pool}{nodes}\ntasks:\n"
        "  by-default: {command: program}\n  by-itself: {command: [program], shell: sh}\n"
    )
    assert [step.command.shell for step in workload.steps] == [shell, Shell.SH]
    assert workload.pool.os is (
        OperatingSystem.WINDOWS if shell is Shell.CMD else OperatingSystem.LINUX
    )
    if isinstance(workload.pool, NewPool):
        assert workload.pool.node_fill is NodeFill.SPREAD
