"""Pools that stay for the next run, and pools of the user's own."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ExitCode, ServiceError, ServiceUnreachableError
from runner.plan.model import Plan, TaskId
from runner.run.pools.making import plan_kept_pool, recall_lease
from runner.run.removal.cleanup import Keep
from runner.run.services import (
    Expiry,
    NodeCommandKind,
    NodeCommandStatus,
    NodeStatus,
    TaskFailure,
    TaskRequest,
)
from runner.spec.model.pool import Autoscale, ExistingPool, FixedNodes, NewPool, OperatingSystem
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.services import NOW, TaskEnd
from tests.fakes.stage import Stage

HALF_AN_HOUR = timedelta(minutes=30)


def with_pool(plan: Plan, **values: Any) -> Plan:
    """The plan with other values of its pool."""
    pool = plan.workload.pool
    assert isinstance(pool, NewPool)
    return replace(plan, workload=replace(plan.workload, pool=replace(pool, **values)))


def kept(folder: Path, **values: Any) -> Plan:
    """A plan whose pool stays for half an hour."""
    plan = make_plan(folder, SPEC, ("a.txt",))
    size = FixedNodes(dedicated=1, spot=2)
    return with_pool(plan, **{"keep": HALF_AN_HOUR, "size": size, **values})


def impatient(plan: Plan) -> Plan:
    """The same plan, watched for an hour: a day has thousands of looks."""
    limits = replace(plan.workload.limits, wait=timedelta(hours=1))
    return replace(plan, workload=replace(plan.workload, limits=limits))


def kept_id(plan: Plan, node_agent: str = "batch.node.ubuntu 24.04") -> str:
    """The id that its kept pool has."""
    pool = plan.workload.pool
    assert isinstance(pool, NewPool)
    return plan_kept_pool(plan, pool, node_agent=node_agent, keep=HALF_AN_HOUR).id


def pool_left(stage: Stage) -> dict[str, Any]:
    (pool,) = [each for each in stage.left() if each["kind"] == "pool"]
    return pool


def test_a_kept_pool_stays_with_an_end(tmp_path: Path) -> None:
    plan = kept(tmp_path)
    stage = Stage(tmp_path, plan=plan)
    assert stage.execute().exit_code == ExitCode.SUCCESS
    name = kept_id(plan)
    assert re.fullmatch(r"demo-[a-z2-7]{16}", name)
    assert stage.batch.pools == {name}
    assert stage.batch.log.index("create pool") < stage.batch.log.index("create job")
    (expiry,) = stage.batch.expiries
    assert expiry[:2] == (name, FixedNodes(dedicated=1, spot=2))
    assert expiry[2] == stage.clock.now() + HALF_AN_HOUR
    until = expiry[2].strftime("%Y-%m-%dT%H:%M:%SZ")
    assert pool_left(stage) == {
        "kind": "pool",
        "name": name,
        "why": (
            f"3 nodes of Standard_D2s_v5 (3 node-hours an hour) until {until}, then none; the empty"
            " pool costs nothing, but counts towards the quota of pools until"
            f" az batch pool delete --pool-id {name} removes it"
        ),
        "kept": True,
    }
    request = stage.batch.pool_requests[name]
    assert request.metadata == {
        "batch-run": RUN,
        "workload": "demo",
        "pool": name.removeprefix("demo-"),
    }
    assert stage.batch.job is None
    submission = json.loads((stage.directory / "submission.json").read_text())
    assert (submission["kept_pool"], "pool_prefix" in submission) == (name, False)


@pytest.mark.parametrize("operation", ["create job", "add tasks", "look", "finish adding"])
@pytest.mark.parametrize("is_interrupted", [True, False])
def test_it_gets_its_end_on_every_path(
    tmp_path: Path, operation: str, is_interrupted: bool
) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    stage.batch.end = lambda task: None

    def refuse(asked: str) -> None:
        if asked == operation and is_interrupted:
            stage.stop.request()
        elif asked == operation:
            raise ServiceError("refused")

    stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == (ExitCode.INTERRUPTED if is_interrupted else ExitCode.SERVICE)
    assert [expiry[0] for expiry in stage.batch.expiries] == [kept_id(stage.plan)]
    assert pool_left(stage)["kept"]
    assert stage.batch.job is None


def test_a_pool_that_was_not_made_is_not_left(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))

    def refuse(asked: str) -> None:
        if asked == "create pool":
            raise ServiceError("refused")

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SERVICE
    assert (stage.left(), stage.batch.expiries) == ([], [])


def test_an_end_that_is_refused_is_said(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))

    def refuse(asked: str) -> None:
        if asked == "expire pool":
            raise ServiceUnreachableError("no answer")

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.LEFT_BEHIND
    left = pool_left(stage)
    assert (left["why"], left["kept"]) == ("no answer", False)


def test_a_client_that_dies_leaves_an_end_behind(tmp_path: Path) -> None:
    """While tasks run, the nodes have an end behind the longest time that the job can take."""
    plan = kept(tmp_path)
    plan = replace(
        plan,
        workload=replace(
            plan.workload,
            limits=replace(plan.workload.limits, duration=timedelta(hours=3)),
        ),
    )
    stage = Stage(tmp_path, plan=plan)

    def end(request: TaskRequest) -> TaskEnd | None:
        return TaskEnd() if stage.clock.passed > 3_000 else None

    stage.batch.end = end
    assert stage.execute().exit_code == ExitCode.SUCCESS
    last = NOW + timedelta(hours=3) + HALF_AN_HOUR
    *guards, end_of_run = [expiry[2] for expiry in stage.batch.expiries]
    assert set(guards) == {last}
    assert 2 <= len(guards) <= 4
    assert end_of_run == stage.clock.now() + HALF_AN_HOUR


@pytest.mark.parametrize(
    ("job_time", "longest"),
    [
        (None, timedelta(days=1)),
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(days=3), timedelta(days=1)),
    ],
)
def test_nodes_of_a_run_that_has_spent_a_part_stay_no_longer_than_its_job_may(
    tmp_path: Path, job_time: timedelta | None, longest: timedelta
) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    lease = recall_lease(
        stage.plan,
        kept_id(stage.plan),
        batch=stage.batch,
        clock=stage.clock.clock(),
        tell=stage.told.append,
        job_time=job_time,
    )
    assert lease is not None
    assert lease.last == NOW + longest + HALF_AN_HOUR


def at_hand(stage: Stage, *, seconds: float, spot: int = 2) -> Expiry:
    """The end that an earlier run gave, so much after the one that this run will want."""
    name = kept_id(stage.plan)
    at = NOW + HALF_AN_HOUR + timedelta(seconds=seconds)
    stage.batch.pools.add(name)
    stage.batch.expiry = Expiry(size=FixedNodes(dedicated=1, spot=spot), at=at)
    return stage.batch.expiry


# A minute is near; how often the run waits, and so what its clock says, is up to its threads.
@pytest.mark.parametrize("seconds", [-30, 0, 60])
def test_an_end_that_is_near_stands_where_no_other_is_taken_yet(
    tmp_path: Path, seconds: float
) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    known = at_hand(stage, seconds=seconds)
    stage.batch.takes_no_expiry = lambda: True
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert f" until {known.at:%Y-%m-%dT%H:%M:%SZ}, then none;" in pool_left(stage)["why"]
    assert stage.batch.expiries == []
    assert stage.told == []


@pytest.mark.parametrize(("seconds", "spot"), [(3_600, 2), (-300, 2), (0, 3)])
def test_any_other_end_is_waited_for_and_that_is_said(
    tmp_path: Path, seconds: float, spot: int
) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    at_hand(stage, seconds=seconds, spot=spot)
    stage.batch.takes_no_expiry = lambda: not stage.told
    assert stage.execute().exit_code == ExitCode.SUCCESS
    (expiry,) = stage.batch.expiries
    assert expiry[1] == FixedNodes(dedicated=1, spot=2)
    assert NOW <= expiry[2] - HALF_AN_HOUR < stage.clock.now()
    assert f" until {expiry[2]:%Y-%m-%dT%H:%M:%SZ}, then none;" in pool_left(stage)["why"]
    assert "\n".join(stage.told) == (
        f"waiting for pool {kept_id(stage.plan)} to take the end of its nodes: the service lets it"
        " be changed every 30 seconds only, and not while nodes come or go"
    )


def test_an_end_that_is_never_taken_is_left_behind(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    stage.batch.takes_no_expiry = lambda: True
    assert stage.execute().exit_code == ExitCode.LEFT_BEHIND
    left = pool_left(stage)
    assert left["why"] == f"pool `{left['name']}` has taken no end of its nodes for 20m"
    assert len(stage.told) == 1


def test_a_guard_that_comes_too_soon_is_set_at_a_later_look(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    at_hand(stage, seconds=0)
    stage.batch.takes_no_expiry = lambda: stage.clock.passed < 300
    stage.batch.end = lambda task: TaskEnd() if stage.clock.passed > 1_000 else None
    assert stage.execute().exit_code == ExitCode.SUCCESS
    first = stage.batch.expiries[0]
    assert first[2] == NOW + stage.plan.workload.limits.duration + HALF_AN_HOUR
    assert stage.told == []


@pytest.mark.parametrize("keep", [frozenset(), frozenset({Keep.POOL})])
def test_only_a_pool_that_gets_an_end_may_have_one(tmp_path: Path, keep: frozenset[Keep]) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    assert stage.execute(keep=keep).exit_code == ExitCode.SUCCESS
    (request,) = stage.batch.pool_requests.values()
    assert request.may_expire is (not keep)


def test_its_time_counts_from_when_the_job_is_made(tmp_path: Path) -> None:
    """A pool of the same name that is being deleted may have to be waited for first."""
    stage = Stage(tmp_path, plan=impatient(kept(tmp_path)))

    def wait(operation: str) -> None:
        if operation == "create pool":
            stage.clock.passed += 1_200

    stage.batch.fail = wait
    stage.batch.end = lambda task: None
    assert stage.execute().exit_code == ExitCode.STOPPED_WAITING
    made = NOW + timedelta(seconds=1_200)
    last = made + stage.plan.workload.limits.duration + HALF_AN_HOUR
    assert {expiry[2] for expiry in stage.batch.expiries} == {last}
    signed = (made + stage.plan.workload.limits.duration + timedelta(minutes=15)).isoformat()
    urls = [each.container_url for each in stage.batch.requests[TaskId("0001")].outputs]
    assert [url.partition("&se=")[2] for url in urls] == [signed] * 3


def test_a_run_that_goes_on_without_us_gets_its_time(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=impatient(kept(tmp_path)))
    stage.batch.end = lambda task: None
    assert stage.execute().exit_code == ExitCode.STOPPED_WAITING
    last = NOW + stage.plan.workload.limits.duration + HALF_AN_HOUR
    assert stage.batch.expiries[-1][2] == last
    until = last.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert f"until {until}, then none;" in pool_left(stage)["why"]
    assert stage.batch.job is not None


def test_an_option_keeps_it_without_an_end(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    assert stage.execute(keep=frozenset({Keep.POOL})).exit_code == ExitCode.SUCCESS
    assert stage.batch.expiries == []
    assert pool_left(stage)["why"] == "--keep pool"


def test_an_option_keeps_it_though_there_is_no_job(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))

    def refuse(asked: str) -> None:
        if asked == "create job":
            raise ServiceError("refused")

    stage.batch.fail = refuse
    assert stage.execute(keep=frozenset({Keep.POOL})).exit_code == ExitCode.SERVICE
    left = pool_left(stage)
    assert (left["name"], left["why"]) == (kept_id(stage.plan), "--keep pool")


def test_a_formula_of_the_users_stays_until_the_end(tmp_path: Path) -> None:
    size = Autoscale(
        formula="$TargetDedicatedNodes = 1;",
        interval=timedelta(minutes=5),
        scenario=None,
        pointer=("pool", "nodes"),
    )
    stage = Stage(tmp_path, plan=kept(tmp_path, size=size))
    stage.batch.end = lambda task: TaskEnd() if stage.clock.passed > 3_000 else None
    assert stage.execute().exit_code == ExitCode.SUCCESS
    (expiry,) = stage.batch.expiries
    assert expiry[1] == FixedNodes(dedicated=1, spot=0)
    assert pool_left(stage)["why"].startswith("its nodes of Standard_D2s_v5 until ")


def test_services_that_end_with_the_run_keep_no_pool(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=kept(tmp_path))
    assert stage.execute(outlives=False).exit_code == ExitCode.SUCCESS
    assert "create pool" not in stage.batch.log
    assert (stage.batch.pools, stage.left()) == (set(), [])


def test_a_pool_is_known_by_what_it_is(tmp_path: Path) -> None:
    plan = kept(tmp_path)
    name = kept_id(plan)
    assert kept_id(with_pool(plan, size=FixedNodes(dedicated=9, spot=0))) == name
    assert kept_id(with_pool(plan, keep=timedelta(hours=1))) == name
    assert kept_id(with_pool(plan, pointer=("elsewhere",))) == name
    assert kept_id(replace(plan, run_id=type(plan.run_id)("demo-other"))) == name
    others = {
        kept_id(with_pool(plan, vm_size="Standard_D4s_v5")),
        kept_id(with_pool(plan, task_slots_per_node=2)),
        kept_id(with_pool(plan, inter_node_communication=True)),
        kept_id(with_pool(plan, container_images=("alpine",))),
        kept_id(with_pool(plan, extra={"displayName": "x"})),
        kept_id(plan, node_agent="batch.node.ubuntu 22.04"),
    }
    assert len(others) == 6
    assert name not in others


def with_tool(folder: Path, content: str, command: str = "ls") -> Plan:
    """A plan whose start task brings a file of this content."""
    spec = SPEC.replace("  output:", "  tools:\n    upload: [{from: tool.sh}]\n  output:").replace(
        "  nodes: {dedicated: 1}",
        "  nodes: {dedicated: 1}\n  start_task:\n    resources: [{from: tools}]\n"
        f"    command: {command}",
    )
    (folder / "tool.sh").write_text(content)
    return with_pool(make_plan(folder, spec, ("a.txt",)), keep=HALF_AN_HOUR)


def test_the_start_task_and_its_files_are_part_of_it(tmp_path: Path) -> None:
    one = kept_id(with_tool(tmp_path, "one"))
    assert kept_id(with_tool(tmp_path, "one")) == one
    assert len({one, kept_id(with_tool(tmp_path, "two"))}) == 2
    assert len({one, kept_id(with_tool(tmp_path, "one", "ls -l"))}) == 2


def test_a_start_task_file_that_is_gone_stops_the_run(tmp_path: Path) -> None:
    plan = with_tool(tmp_path, "one")
    (tmp_path / "tool.sh").unlink()
    stage = Stage(tmp_path, plan=plan)
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == (
        f"cannot read `{tmp_path / 'tool.sh'}`: no such file or directory"
    )
    assert stage.blobs.containers == {}


def existing(folder: Path) -> Plan:
    """A plan for a pool of the user's own."""
    plan = make_plan(folder, SPEC, ("a.txt",))
    pool = ExistingPool(id="farm", os=OperatingSystem.LINUX, pointer=("pool",))
    return replace(plan, workload=replace(plan.workload, pool=pool))


def test_a_pool_of_the_users_is_used_and_left(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=existing(tmp_path))
    stage.batch.pools.add("farm")
    jobs: list[object] = []

    def look(operation: str) -> None:
        if operation == "add tasks" and stage.batch.job is not None:
            jobs.append(stage.batch.job.pool)

    stage.batch.fail = look
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert jobs == ["farm"]
    assert (stage.batch.pools, stage.left()) == ({"farm"}, [])
    assert "find node agent" not in stage.batch.log
    assert not {"delete pool", "find pools", "expire pool", "create pool"} & set(stage.batch.log)
    submission = json.loads((stage.directory / "submission.json").read_text())
    assert (submission["used_pool"], "pool_prefix" in submission) == ("farm", False)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (None, "spec.yaml:8:3: pool-missing: there is no pool `farm`"),
        ("deleting", "spec.yaml:8:3: pool-missing: pool `farm` is being deleted"),
    ],
)
def test_a_pool_of_the_users_has_to_exist(tmp_path: Path, state: str | None, message: str) -> None:
    stage = Stage(tmp_path, plan=existing(tmp_path))
    if state is not None:
        stage.batch.pools.add("farm")
        stage.batch.pool_state = state
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.USAGE
    assert outcome.error is not None
    assert outcome.error.message == message
    assert not [line for line in stage.blobs.log if line.startswith("create")]


def test_start_tasks_of_others_are_not_judged(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=existing(tmp_path))
    stage.batch.pools.add("farm")
    stage.batch.nodes = (
        NodeStatus(
            id="node-1", state="starttaskfailed", start_task_exit_code=1, start_task_failure="no"
        ),
    )
    stage.batch.resize_errors = ("AllocationFailed: no cores",)
    stage.batch.end = lambda task: TaskEnd() if stage.batch.looks > 5 else None
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.of_type("start_task.failed") == []
    assert len(stage.of_type("node.changed")) == 1


def test_a_pool_that_goes_away_ends_the_wait(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=existing(tmp_path))
    stage.batch.pools.add("farm")
    stage.batch.end = lambda task: None

    def look(operation: str) -> None:
        if operation == "look":
            stage.batch.pools.discard("farm")

    stage.batch.fail = look
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == "pool `farm` is gone"


def prepared(node: str, *, succeeded: bool | None, exit_code: int | None = 3) -> NodeCommandStatus:
    """How a preparation went."""
    failure = TaskFailure(code="FailureExitCode", category="UserError", message="it failed")
    return NodeCommandStatus(
        node_id=node,
        kind=NodeCommandKind.PREPARATION,
        succeeded=succeeded,
        exit_code=exit_code,
        failure=failure if succeeded is False else None,
        directory="workitems/demo/jobpreparation",
    )


def with_preparation(folder: Path) -> Stage:
    """A run whose tasks wait for a preparation."""
    plan = with_tool(folder, "one")
    stage = Stage(folder, plan=replace(with_pool(plan, keep=None), preparation=plan.start_task))
    stage.batch.end = lambda task: None
    return stage


def test_a_preparation_that_fails_everywhere_ends_the_wait(tmp_path: Path) -> None:
    stage = with_preparation(tmp_path)
    stage.batch.preparations = (prepared("node-1", succeeded=False),)
    stage.batch.start_task_log = b"no such disk"
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.TASKS_FAILED
    assert outcome.error is not None
    assert outcome.error.message == "the job preparation failed on every node (exit code 3)"
    (failed,) = stage.of_type("start_task.failed")
    assert (failed["command"], failed["node"], failed["stderr_tail"]) == (
        "job preparation",
        "node-1",
        "no such disk",
    )
    assert "read workitems/demo/jobpreparation/stderr.txt" in stage.batch.log
    assert (stage.batch.job, stage.batch.pools) == (None, set())


@pytest.mark.parametrize("succeeded", [True, None])
def test_a_preparation_that_did_not_fail_is_waited_for(
    tmp_path: Path, succeeded: bool | None
) -> None:
    stage = with_preparation(tmp_path)
    node = NodeStatus(id="node-1", state="idle", start_task_exit_code=None, start_task_failure=None)
    stage.batch.nodes = (node, replace(node, id="node-2"))
    stage.batch.preparations = (
        prepared("node-1", succeeded=False),
        prepared("node-2", succeeded=succeeded),
    )
    stage.batch.end = lambda task: TaskEnd() if stage.batch.looks > 20 else None
    assert stage.execute().exit_code == ExitCode.SUCCESS


def test_files_of_the_preparation_are_up_before_the_job(tmp_path: Path) -> None:
    stage = with_preparation(tmp_path)
    stage.plan = replace(stage.plan, start_task=None)
    stage.batch.end = lambda task: TaskEnd()

    def look(operation: str) -> None:
        if operation == "create job":
            assert list(stage.blobs.containers[f"{RUN}-tools"]) == ["tool.sh"]

    stage.batch.fail = look
    assert stage.execute().exit_code == ExitCode.SUCCESS
