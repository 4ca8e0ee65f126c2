"""Runs that may cost so much and no more, against fake services."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from runner.errors import ExitCode, ServiceUnreachableError
from runner.plan.prices.node_price import NodePrice
from runner.run.events import NodeChanged, RunStarted
from runner.run.removal.cleanup import Keep
from runner.run.requests import TaskRequest
from runner.run.services import JobState, NodeStatus
from runner.run.spending.budget import Budget
from runner.run.spending.node_time import NodeTime
from runner.run.tasks.halting import HaltedError
from runner.spec.model.workload import CostLimit
from tests.fakes.plans import SPEC
from tests.fakes.services import NOW, TaskEnd
from tests.fakes.stage import Stage

PRICE = NodePrice(
    vm_size="Standard_D2s_v5", currency="EUR", dedicated=3600.0, spot=720.0, source="prices.yaml"
)
"""A dedicated node costs 1 a second, a spot node a fifth."""
FILES = tuple(f"film-{number}.txt" for number in range(1, 6))


def budget_of(amount: float, time: NodeTime | None = None) -> Budget:
    return Budget(CostLimit(amount=amount, currency=None), PRICE, time or NodeTime())


def node(name: str, *, dedicated: bool) -> NodeChanged:
    return NodeChanged(node=name, state="idle", previous=None, dedicated=dedicated)


def begun() -> RunStarted:
    return RunStarted(workload="w", target="azure", tasks=1, files=0, bytes=0)


def test_it_lasts_until_what_is_left_is_what_the_nodes_cost_while_they_go() -> None:
    budget = budget_of(1_000)
    budget.add(NOW, begun())
    assert budget.seconds_left(NOW) == math.inf
    budget.add(NOW, node("a", dedicated=True))
    budget.add(NOW, node("b", dedicated=False))
    # 1.2 a second, of which two minutes are for their end.
    assert budget.seconds_left(NOW) == pytest.approx((1_000 - 144) / 1.2)
    last = NOW + timedelta(seconds=713)
    assert budget.reason(last) is None
    assert budget.seconds_left(last) == pytest.approx(1 / 3)
    end = NOW + timedelta(seconds=714)
    assert budget.seconds_left(end) == 0
    assert budget.reason(end) == (
        "the nodes have cost 856.80 EUR, and ending them brings that to `limits.cost`"
        " (1,000.00 EUR)"
    )


def test_without_nodes_nothing_more_is_spent() -> None:
    budget = budget_of(1_000)
    budget.add(NOW, begun())
    budget.add(NOW, node("a", dedicated=True))
    gone = NodeChanged(node="a", state="gone", previous="idle", dedicated=True)
    budget.add(NOW + timedelta(seconds=900), gone)
    assert budget.reason(NOW + timedelta(days=9)) is None
    assert budget.spent(NOW + timedelta(days=9)) == pytest.approx(900)


def stage_of(folder: Path) -> Stage:
    """The first task succeeds, the others would run for ever."""
    stage = Stage(folder, SPEC, FILES)

    def end(request: TaskRequest) -> TaskEnd | None:
        return TaskEnd() if int(request.id) == 1 and len(stage.batch.requests) == 5 else None

    stage.batch.end = end
    return stage


def test_a_run_stops_before_it_costs_more(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    outcome = stage.execute(price=PRICE, budget=budget_of(150))
    assert outcome.exit_code is ExitCode.TASKS_FAILED
    assert isinstance(outcome.error, HaltedError)
    words, _, toll = outcome.error.message.partition("; ")
    assert words.startswith("the nodes have cost 30.")
    assert words.endswith(" EUR, and ending them brings that to `limits.cost` (150.00 EUR)")
    assert toll == "stopped early: 4 of 5 tasks never ran"
    assert outcome.error.hint == (
        "with a higher limit, run it again: what has succeeded is not run again"
    )
    assert (tmp_path / "results" / "output" / "film-1.out").exists()
    assert set(stage.failures()) == {"0002", "0003", "0004", "0005"}
    assert {cause for cause, _ in stage.failures().values()} == {"Halted"}
    assert stage.failures()["0003"][1] == f"the run stopped early: {words}"
    (end,) = stage.of_type("run.finished")
    assert (end["succeeded"], end["unfinished"], end["halted"]) == (1, 4, True)
    (start,) = stage.of_type("run.started")
    assert start["price"]["dedicated"] == 3600
    assert stage.batch.job is None
    assert stage.batch.pools == set()


def test_the_tasks_that_run_end_too_whatever_halt_says(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.execute(price=PRICE, budget=budget_of(150))
    assert "disable job" not in stage.batch.log
    assert "terminate job" in stage.batch.log


def test_a_run_that_stops_for_another_reason_costs_no_more_either(tmp_path: Path) -> None:
    """What runs is waited for, but not for any price."""
    stage = Stage(tmp_path, f"{SPEC}halt: {{after: 1}}\n", FILES)
    batch = stage.batch

    def end(request: TaskRequest) -> TaskEnd | None:
        is_bad = request.id == "0001" and len(batch.requests) == 5
        return TaskEnd(exit_code=3, stderr=b"broken\n") if is_bad else None

    def disable(job_id: str) -> None:
        batch.log.append("disable job")
        batch.job_state = JobState.DISABLING  # as long as a task runs

    batch.end = end
    batch.disable_job = disable  # type: ignore[method-assign]
    outcome = stage.execute(price=PRICE, budget=budget_of(1_000))
    assert isinstance(outcome.error, HaltedError)
    first, _, rest = outcome.error.message.partition("; ")
    words, _, toll = rest.partition("; ")
    assert first == "1 of 5 tasks failed (`halt.after: 1`)"
    assert words.startswith("the nodes have cost 88")
    assert words.endswith(" EUR, and ending them brings that to `limits.cost` (1,000.00 EUR)")
    assert toll == "stopped early: 4 of 5 tasks never ran"
    assert [each for each in batch.log if each in {"disable job", "terminate job"}] == [
        "disable job",
        "terminate job",
    ]
    assert batch.job is None


def nodes_of(count: int) -> tuple[NodeStatus, ...]:
    return tuple(
        NodeStatus(
            id=f"node-{number}",
            state="idle",
            start_task_exit_code=None,
            start_task_failure=None,
            is_dedicated=True,
        )
        for number in range(count)
    )


def test_nodes_that_have_gone_since_the_last_look_stop_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SPEC, FILES)
    stage.batch.end = lambda request: TaskEnd() if stage.clock.passed > 400 else None

    def look(pool_id: str) -> tuple[NodeStatus, ...]:
        return nodes_of(11 if stage.clock.passed < 150 else 1)

    stage.batch.node_statuses = look  # type: ignore[method-assign]
    outcome = stage.execute(price=PRICE, budget=budget_of(3_000))
    assert (outcome.exit_code, outcome.error) == (ExitCode.SUCCESS, None)


def test_nodes_that_have_gone_before_a_task_is_seen_have_cost_something(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda request: TaskEnd()

    def look(pool_id: str) -> tuple[NodeStatus, ...]:
        return () if stage.clock.passed else nodes_of(1)

    stage.batch.node_statuses = look  # type: ignore[method-assign]
    assert stage.execute().exit_code is ExitCode.SUCCESS
    assert stage.of_type("node.changed")[0]["node"] == "node-0"


def test_nodes_that_a_formula_adds_do_not_cost_long_unseen(tmp_path: Path) -> None:
    formula = "autoscale: {formula: $TargetDedicatedNodes = 1;}"
    stage = Stage(tmp_path, SPEC.replace("nodes: {dedicated: 1}", formula), FILES)
    looks = [0.0]

    def end(request: TaskRequest) -> TaskEnd | None:
        return TaskEnd() if request.id == "0001" or stage.clock.passed > 1_000 else None

    def look(pool_id: str) -> tuple[NodeStatus, ...]:
        looks.append(stage.clock.passed)
        return nodes_of(1)

    stage.batch.end = end
    stage.batch.node_statuses = look  # type: ignore[method-assign]
    outcome = stage.execute(price=PRICE, budget=budget_of(1_000_000))
    assert (outcome.exit_code, outcome.error) == (ExitCode.SUCCESS, None)
    assert looks[-1] > 900
    assert max(after - before for before, after in pairwise(looks)) <= 75


@pytest.mark.parametrize(
    ("job_time", "duration"),
    [
        (None, timedelta(days=1)),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta(days=3), timedelta(days=1)),
    ],
)
def test_a_job_that_is_made_anew_ends_when_what_is_left_is_spent(
    tmp_path: Path, job_time: timedelta | None, duration: timedelta
) -> None:
    stage = Stage(tmp_path)
    stage.execute(job_time=job_time, keep=frozenset({Keep.JOB}))
    assert stage.batch.job is not None
    assert stage.batch.job.duration == duration


def test_a_limit_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    assert stage.execute(price=PRICE, budget=budget_of(1_000_000)).exit_code is ExitCode.SUCCESS


def test_a_run_that_has_spent_all_is_only_ended_when_it_is_taken_up_again(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)

    def fail(operation: str) -> None:
        if operation == "job status" and stage.clock.passed > 10:
            raise ServiceUnreachableError("no route")

    stage.batch.fail = fail
    broken = stage.execute(price=PRICE, budget=budget_of(1_000))
    assert isinstance(broken.error, ServiceUnreachableError)
    stage.batch.fail = lambda operation: None
    time = NodeTime()
    time.add(NOW, begun())
    time.add(NOW, node("node-1", dedicated=True))
    stage.clock.passed = 900
    outcome = stage.resume(price=PRICE, budget=budget_of(1_000, time))
    assert isinstance(outcome.error, HaltedError)
    assert outcome.error.message == (
        "the nodes have cost 900.00 EUR, and ending them brings that to `limits.cost` (1,000.00"
        " EUR); stopped early: 4 of 5 tasks never ran"
    )
    assert stage.batch.job is None
    assert (tmp_path / "results" / "output" / "film-1.out").exists()
