"""Every part of a plan reaches the request that it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.plan.model import (
    BlobResource,
    CommandLine,
    FolderResource,
    NodeCommandPlan,
    OutputPlan,
    Plan,
    TaskId,
    TaskPlan,
    TaskRange,
    WebResource,
)
from runner.run.services import (
    AutoPool,
    JobRequest,
    NodeCommandRequest,
    PoolRequest,
    ResourceRequest,
    TaskRequest,
)
from runner.run.submit import Requests, plan_submission
from runner.spec.model.pool import NewPool
from runner.spec.model.step import JobAction, UploadCondition
from runner.spec.model.terms import Elevation, NamedUser, Role, SecretName
from runner.spec.model.workload import OnFailure
from tests.fakes.plans import RUN, make_plan
from tests.fakes.services import NOW, FakeBlobs
from tests.fakes.shapes import exit_rule, needs

EXPIRES = (NOW + timedelta(hours=24, minutes=15)).isoformat()
INPUT = f"https://storage.example/{RUN}-input"
LOGS = f"https://storage.example/{RUN}-logs"
READ = f"?sp=read&se={EXPIRES}"
WRITE = f"?sp=write&se={EXPIRES}"


def command(name: str, *, is_long: bool = False) -> CommandLine:
    """A command, whose script is a file where it is long."""
    return CommandLine(
        line=f"run {name}",
        environment={"NAME": name},
        script=name,
        script_file=f"{name}/script" if is_long else None,
        script_name=f"{name}.sh" if is_long else None,
    )


RESOURCES = (
    BlobResource(role=Role("input"), blob="a.txt", path="in/a.txt", mode="0755"),
    FolderResource(role=Role("input"), prefix="x/", path="folder", mode="0700"),
    WebResource(url="https://example.org/f", path="f", mode="0644"),
)
REQUESTED = (
    ResourceRequest(url=f"{INPUT}/a.txt{READ}", path="in/a.txt", mode="0755"),
    ResourceRequest(container_url=f"{INPUT}{READ}", prefix="x/", path="folder", mode="0700"),
    ResourceRequest(url="https://example.org/f", path="f", mode="0644"),
)


def node_command(name: str) -> NodeCommandPlan:
    """One with every field of its own."""
    return NodeCommandPlan(
        command=command(name, is_long=True),
        resources=RESOURCES,
        run_as=Elevation.ADMIN,
        retries=3,
        timeout=timedelta(minutes=7),
        wait_for_success=False,
    )


def node_request(name: str) -> NodeCommandRequest:
    """What must come of it."""
    script = ResourceRequest(url=f"{LOGS}/{name}/script{READ}", path=f"{name}.sh")
    return NodeCommandRequest(
        command=command(name, is_long=True),
        resources=(*REQUESTED, script),
        run_as=Elevation.ADMIN,
        retries=3,
        timeout=timedelta(minutes=7),
        wait_for_success=False,
    )


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return make_plan(tmp_path, files=("a.txt",))


def requests(plan: Plan, **more: Any) -> Requests:
    return Requests(plan, FakeBlobs(), clock=lambda: NOW, **more)


def test_a_task(plan: Plan) -> None:
    (model,) = plan.workload.steps
    step = replace(
        model,
        run_as=NamedUser(name="anna", pointer=("task", "run_as")),
        retries=2,
        timeout=timedelta(minutes=1),
        retention=timedelta(hours=1),
        slots=2,
    )
    output = OutputPlan(
        pattern="*.png",
        role=Role("output"),
        path="0007",
        when=UploadCondition.FAILURE,
        blob=None,
        escaped=False,
    )
    task = TaskPlan(
        id=TaskId("0007"),
        step=step,
        display_name="task/a",
        item="a",
        command=command("main", is_long=True),
        coordination=command("setup", is_long=True),
        resources=RESOURCES,
        shared_resources=RESOURCES[:1],
        outputs=(output,),
        needs=needs((1, 6)),
        container_image="alpine",
    )
    request = requests(plan).task(task)
    assert {field.name for field in fields(TaskRequest)} - {"resources", "outputs"} == {
        "id",
        "display_name",
        "step",
        "command",
        "coordination",
        "shared_resources",
        "needs",
        "container_image",
        "job_action",
    }
    assert (request.id, request.display_name, request.step) == ("0007", "task/a", step)
    assert (request.command, request.coordination) == (task.command, task.coordination)
    assert request.resources == (
        *REQUESTED,
        ResourceRequest(url=f"{LOGS}/main/script{READ}", path="main.sh"),
    )
    assert request.shared_resources == (
        *REQUESTED[:1],
        ResourceRequest(url=f"{LOGS}/setup/script{READ}", path="setup.sh"),
    )
    assert request.needs == (TaskRange(first=1, last=6),)
    assert (request.container_image, request.job_action) == ("alpine", None)
    assert [
        (each.pattern, each.container_url, each.path, each.when) for each in request.outputs
    ] == [
        ("../stdout.txt", f"{LOGS}{WRITE}", "0007/stdout.txt", UploadCondition.COMPLETION),
        ("../stderr.txt", f"{LOGS}{WRITE}", "0007/stderr.txt", UploadCondition.COMPLETION),
        (
            "*.png",
            f"https://storage.example/{RUN}-output{WRITE}",
            "0007",
            UploadCondition.FAILURE,
        ),
    ]


def with_job(plan: Plan, **values: Any) -> Plan:
    job = replace(plan.workload.job, **values)
    return replace(plan, workload=replace(plan.workload, job=job))


def job_request(plan: Plan) -> JobRequest:
    return requests(plan).job(plan_submission(plan), pool="farm")


def test_a_job(plan: Plan) -> None:
    plan = replace(
        with_job(plan, priority=5, max_parallel_tasks=3, metadata={"team": "x", "workload": "y"}),
        preparation=node_command("prepare"),
        release=node_command("release"),
        job_environment={"LANG": "C"},
    )
    assert job_request(plan) == JobRequest(
        id=RUN,
        pool="farm",
        duration=timedelta(hours=24),
        settings=plan.workload.job,
        environment={"LANG": "C"},
        preparation=node_request("prepare"),
        release=node_request("release"),
        uses_dependencies=False,
        heeds_exits=False,
        metadata={"team": "x", "workload": "demo", "batch-run": RUN},
    )


def with_steps(plan: Plan, *values: dict[str, Any]) -> Plan:
    (step,) = plan.workload.steps
    steps = tuple(replace(step, **each) for each in values)
    return replace(plan, workload=replace(plan.workload, steps=steps))


@pytest.mark.parametrize(
    ("steps", "on_failure", "expected"),
    [
        ([{}], OnFailure.CONTINUE, (False, False, None)),
        ([{}, {"needs": ("task",)}], OnFailure.CONTINUE, (True, False, None)),
        ([{}], OnFailure.STOP, (False, True, None)),
        (
            [{"exit_rules": (exit_rule(3, job=JobAction.DISABLE),)}],
            OnFailure.CONTINUE,
            (False, True, JobAction.CONTINUE),
        ),
        (
            [{}, {"exit_rules": (exit_rule(3, job=JobAction.DISABLE),)}],
            OnFailure.STOP,
            (False, True, None),
        ),
    ],
)
def test_a_job_is_told_what_its_tasks_need(
    plan: Plan,
    steps: Sequence[dict[str, Any]],
    on_failure: OnFailure,
    expected: tuple[bool, bool, JobAction | None],
) -> None:
    plan = with_steps(with_job(plan, on_failure=on_failure), *steps)
    job, task = job_request(plan), requests(plan).task(plan.tasks[0])
    assert (job.uses_dependencies, job.heeds_exits, task.job_action) == expected


def test_a_pool(plan: Plan) -> None:
    secrets = {SecretName("registry"): "s3cret"}
    pool = plan.workload.pool
    assert isinstance(pool, NewPool)
    plan = replace(plan, start_task=node_command("starttask"))
    request = requests(plan, secrets=secrets).pool(pool, node_agent="agent")
    assert request == PoolRequest(
        pool=pool,
        node_agent="agent",
        start_task=node_request("starttask"),
        runs_containers=False,
        secrets=secrets,
        metadata={"batch-run": RUN, "workload": "demo"},
    )
    assert "s3cret" not in repr(request)


def test_files_of_a_pool_that_stays_can_be_had_as_long(plan: Plan) -> None:
    pool = plan.workload.pool
    assert isinstance(pool, NewPool)
    plan = replace(plan, start_task=node_command("starttask"))
    keep = timedelta(hours=2)
    request = requests(plan).pool(replace(pool, keep=keep), node_agent="agent", fingerprint="xyz")
    assert request.start_task is not None
    expires = (NOW + timedelta(hours=24, minutes=35) + keep).isoformat()
    urls = [each.url or each.container_url for each in request.start_task.resources]
    assert [str(url).endswith(f"&se={expires}") for url in urls] == [True, True, False, True]
    assert request.metadata["pool"] == "xyz"


@pytest.mark.parametrize(
    ("pool", "step"),
    [
        ({"container_images": ("alpine",)}, {}),
        ({"registries": ("r",)}, {}),
        ({}, {"container": object()}),
    ],
)
def test_nodes_get_the_means_to_run_containers(
    plan: Plan, pool: dict[str, Any], step: dict[str, Any]
) -> None:
    new_pool = plan.workload.pool
    assert isinstance(new_pool, NewPool)
    changed = replace(new_pool, **pool)
    plan = with_steps(replace(plan, workload=replace(plan.workload, pool=changed)), step)
    assert requests(plan).pool(changed, node_agent="agent").runs_containers


def test_an_auto_pool_goes_with_the_job_it_is_made_with(plan: Plan) -> None:
    pool = plan.workload.pool
    assert isinstance(pool, NewPool)
    request = requests(plan).pool(pool, node_agent="agent")
    auto = AutoPool(id_prefix="demo-", request=request, keep=False)
    assert requests(plan).job(plan_submission(plan), pool=auto).pool is auto


def test_signatures_count_from_when_the_job_is_made(plan: Plan) -> None:
    plan = replace(plan, start_task=node_command("starttask"))
    pool = plan.workload.pool
    assert isinstance(pool, NewPool)
    moments = iter((NOW, NOW + timedelta(hours=1)))
    made = Requests(plan, FakeBlobs(), clock=lambda: next(moments))
    start_task = made.pool(pool, node_agent="agent").start_task
    assert start_task is not None
    assert start_task.resources[0].url == f"{INPUT}/a.txt{READ}"
    made.job(plan_submission(plan), pool="shared")
    later = (NOW + timedelta(hours=25, minutes=15)).isoformat()
    for _ in range(2):
        assert made.task(plan.tasks[0]).outputs[0].container_url == f"{LOGS}?sp=write&se={later}"


def test_what_is_signed_later_ends_with_the_job_that_was_found(tmp_path: Path) -> None:
    """Whoever goes on with a run after hours gives nobody more time than its job has."""
    plan = make_plan(tmp_path)
    late = NOW + timedelta(hours=20)
    made = Requests(plan, FakeBlobs(), clock=lambda: late)

    made.found_job(NOW)

    assert made.task(plan.tasks[0]).outputs[0].container_url == f"{LOGS}{WRITE}"
