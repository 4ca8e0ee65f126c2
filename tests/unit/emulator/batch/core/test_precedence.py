"""Tasks that give way to those of more important jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.emulator.batch.core.task import TaskState
from tests.unit.emulator.batch.core.world import RULES, World


@pytest.mark.parametrize(
    ("allowed", "priority", "gives_way"),
    [(True, 5, True), (False, 5, False), (True, 0, False), (True, -5, False)],
)
def test_a_task_gives_way_where_its_job_allows_it(
    allowed: bool, priority: int, gives_way: bool
) -> None:
    world = World()
    world.pool()
    world.job("low", rules=replace(RULES, preemptible=allowed))
    world.job("high", rules=replace(RULES, priority=priority))
    world.add("a", job="low")
    world.add("b", job="high")
    world.obey_kills()
    states = (world.task("a", "low").state, world.task("b", "high").state)
    if gives_way:
        assert states == (TaskState.ACTIVE, TaskState.RUNNING)
        assert world.task("a", "low").requeue_count == 1
    else:
        assert states == (TaskState.RUNNING, TaskState.ACTIVE)


def test_no_more_gives_way_than_has_to() -> None:
    world = World()
    world.pool(dedicated=2, slots=2)
    world.job("low", rules=replace(RULES, preemptible=True, priority=-1))
    world.job("high", rules=RULES)
    world.add("a", "b", "c", "d", job="low")
    world.add("one", "two", job="high")
    world.settle()
    # The first has to end before there is room for the second.
    assert [world.task(name, "low").requeue_count for name in "abcd"].count(1) == 1
    world.obey_kills()
    world.obey_kills()
    assert world.task("one", "high").state is TaskState.RUNNING
    assert world.task("two", "high").state is TaskState.RUNNING
    assert sum(world.task(name, "low").requeue_count for name in "abcd") == 2
