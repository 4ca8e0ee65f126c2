"""What looks after a pool as its spec asks, and when nothing does."""

from __future__ import annotations

from pathlib import Path

from runner.errors import ExitCode
from runner.run.pools.tending import tend_pool
from runner.run.requests import TaskRequest
from runner.run.services import JobState, NodeStatus, PoolStatus
from runner.spec.model.pool import Pool
from tests.fakes.plans import SPEC, make_workload
from tests.fakes.services import FakeBatch, FakeBlobs, TaskEnd
from tests.fakes.stage import MovedClock, Stage

NODES = "  nodes: {spot: 2, fallback: {dedicated: 1, after_preemptions: 3}}\n"
START = "  start_task: {command: ./set-up, node_retries: 2}\n"
TENDED = SPEC.replace("  nodes: {dedicated: 1}\n", NODES + START)
ONE = SPEC.replace("  nodes: {dedicated: 1}\n", "  nodes: {dedicated: 1}\n" + START)
FAILED = NodeStatus(
    id="node-1", state="starttaskfailed", start_task_exit_code=100, start_task_failure="it failed"
)
WITH_TWO = PoolStatus(
    state="active",
    allocation_state="steady",
    dedicated_nodes=0,
    spot_nodes=1,
    target_dedicated_nodes=0,
    target_spot_nodes=2,
    resize_errors=(),
)


class Scene:
    """A pool whose tasks have lost their nodes often, and one of whose start tasks has failed."""

    def __init__(self, pool: Pool) -> None:
        self.batch = FakeBatch(FakeBlobs())
        self.told: list[str] = []
        self.stops = False
        self.lost = 0
        self.clock = MovedClock()
        self.tend = tend_pool(
            pool,
            "pool",
            batch=self.batch,
            clock=self.clock.clock(),
            preemptions=lambda: self.lost,
            is_stopping=lambda: self.stops,
            tell=self.told.append,
        )

    def look(self) -> bool:
        assert self.tend is not None
        self.clock.passed += 10
        return self.tend(WITH_TWO, (FAILED,))


def test_nodes_are_replaced_and_bought(tmp_path: Path) -> None:
    scene = Scene(make_workload(tmp_path, TENDED).pool)
    assert scene.look()
    assert scene.batch.log == ["remove node-1"]
    scene.lost = 3
    assert scene.look()
    assert scene.batch.log == ["remove node-1", "give size"]
    assert len(scene.told) == 2


def test_a_run_that_stops_early_changes_no_pool(tmp_path: Path) -> None:
    scene = Scene(make_workload(tmp_path, TENDED).pool)
    assert scene.look()
    scene.lost, scene.stops = 3, True
    assert scene.look()
    assert scene.look()
    assert scene.batch.log == ["remove node-1"]
    assert len(scene.told) == 1


def test_a_pool_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    text = f"{SPEC[: SPEC.index('pool:')]}pool: {{existing: mine}}\n{SPEC[SPEC.index('task:') :]}"
    assert Scene(make_workload(tmp_path, text).pool).tend is None


def test_a_node_that_fails_while_a_run_stops_is_not_replaced(tmp_path: Path) -> None:
    """Nor does it change why the run has ended."""
    stage = Stage(tmp_path, ONE + "halt: {after: 1}\n", ("a.txt", "b.txt", "c.txt"))
    batch = stage.batch

    def end(request: TaskRequest) -> TaskEnd | None:
        if len(batch.requests) < 3 or request.id == "0003":
            return None
        if batch.job_state is JobState.ACTIVE:
            return TaskEnd(exit_code=3) if request.id == "0001" else None
        if batch.looks < 30:
            return None
        batch.job_state = JobState.DISABLED
        return TaskEnd()

    def disable(job_id: str) -> None:
        batch.log.append("disable job")
        batch.job_state = JobState.DISABLING
        batch.nodes = (FAILED,)

    batch.end, batch.disable_job = end, disable  # type: ignore[method-assign]
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.TASKS_FAILED
    assert outcome.error is not None
    assert outcome.error.message == (
        "1 of 3 tasks failed (`halt.after: 1`); stopped early: 1 of 3 tasks never ran"
    )
    assert stage.of_type("start_task.failed") != []
    assert "remove node-1" not in batch.log
    assert stage.told == []
