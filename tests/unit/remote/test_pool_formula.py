"""The formula that gives a run's pool its nodes: as text, and as the emulator evaluates it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

import pytest

from runner.emulator.batch.autoscale.evaluate import evaluate
from runner.emulator.batch.autoscale.evaluation import Targets
from runner.emulator.batch.autoscale.functions import Outside
from runner.emulator.batch.autoscale.samples import PERIOD, History, Sample
from runner.remote.pool_formula import pool_formula
from runner.spec.model.pool import Fallback, FixedNodes

CREATED = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
SIZE = FixedNodes(dedicated=2, spot=5)


def targets(
    pending: list[float],
    *,
    age: timedelta,
    size: FixedNodes = SIZE,
    lost: int = 0,
    spot: list[float] | None = None,
) -> tuple[int, int]:
    """Dedicated and spot nodes at an age, after samples of which the first were lost."""
    now = CREATED + age
    history = History()
    there = spot or [float(size.spot)] * len(pending)
    for back, *values in zip(range(len(pending) - 1, -1, -1), pending, there, strict=True):
        if back < len(pending) - lost:
            named = dict(zip(("$PendingTasks", "$CurrentLowPriorityNodes"), values, strict=True))
            history.add(Sample(moment=now - back * PERIOD, values=named))
    found = evaluate(
        pool_formula(size, created=CREATED),
        history,
        Targets(dedicated=size.dedicated, spot=size.spot, option="requeue"),
        Outside(now=now, random=random.Random(1).random),
    )
    assert found.fault is None
    assert found.targets.option == "taskcompletion"
    return found.targets.dedicated, found.targets.spot


def test_what_is_sent() -> None:
    assert pool_formula(SIZE, created=CREATED) == (
        'isNew = time() < time("2026-01-31T12:30:00Z");\n'
        "lately = 10 * TimeInterval_Minute;\n"
        "measured = $PendingTasks.GetSamplePercent(lately) >= 50;\n"
        "pending = measured ? avg($PendingTasks.GetSample(lately)) : 1;\n"
        "keeps = isNew || (pending > 0);\n"
        "$TargetDedicatedNodes = keeps ? 2 : 0;\n"
        "$TargetLowPriorityNodes = keeps ? 5 : 0;\n"
        "$NodeDeallocationOption = taskcompletion;"
    )


@pytest.mark.parametrize(
    ("pending", "minutes", "nodes"),
    [
        pytest.param([], 0, (2, 5), id="at its creation, without a sample"),
        pytest.param([0] * 58, 29, (2, 5), id="new, while inputs go up"),
        pytest.param([0] * 62, 31, (0, 0), id="no task ever came"),
        pytest.param([1] * 400, 200, (2, 5), id="one task is pending: all nodes"),
        pytest.param([9] * 400 + [0] * 18, 209, (2, 5), id="the last task ended 9 minutes ago"),
        pytest.param([9] * 400 + [0] * 21, 211, (0, 0), id="the last task ended 11 minutes ago"),
        pytest.param([0] * 100 + [3], 50, (2, 5), id="a task after a long time without one"),
    ],
)
def test_nodes_are_there_while_tasks_may_be(
    pending: list[float], minutes: int, nodes: tuple[int, int]
) -> None:
    assert targets(pending, age=timedelta(minutes=minutes)) == nodes


def test_samples_that_are_missing_count_as_pending_tasks() -> None:
    age = timedelta(hours=2)
    assert targets([0] * 20, age=age, lost=12) == (2, 5)
    assert targets([0] * 20, age=age, lost=8) == (0, 0)
    assert targets([], age=age) == (2, 5)


def test_a_pool_of_one_kind_of_nodes_gets_none_of_the_other() -> None:
    size = FixedNodes(dedicated=0, spot=3)
    assert targets([1], age=timedelta(), size=size) == (0, 3)


@pytest.mark.parametrize(
    ("minutes", "spot", "nodes"),
    [
        pytest.param(0, [], (2, 5), id="at its creation"),
        pytest.param(10, [0] * 20, (2, 5), id="the wait is not over"),
        pytest.param(16, [0] * 32, (5, 5), id="none ever came"),
        pytest.param(30, [1] * 29 + [0] * 31, (5, 5), id="none is there for the wait"),
        pytest.param(30, [1] * 32 + [0] * 28, (2, 5), id="one was there lately"),
        pytest.param(16, [0] * 10, (2, 5), id="most samples are missing"),
    ],
)
def test_dedicated_nodes_stand_in_for_spot_nodes_that_do_not_come(
    minutes: int, spot: list[float], nodes: tuple[int, int]
) -> None:
    fallback = Fallback(dedicated=3, after_preemptions=None, wait=timedelta(minutes=15), pointer=())
    size = FixedNodes(dedicated=2, spot=5, fallback=fallback)
    pending = [1.0] * len(spot)
    assert targets(pending, age=timedelta(minutes=minutes), size=size, spot=spot) == nodes
