"""Which task goes where: slots, fill, priorities, limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.emulator.batch.core.ids import JobId, TaskId
from runner.emulator.batch.core.job import DisableTasks, ManagerRule
from runner.emulator.batch.core.jobs import disable_job
from runner.emulator.batch.core.pool import NodeFill
from tests.unit.emulator.batch.core.world import RULES, World


def used(world: World) -> list[int]:
    """The slots in use on each node."""
    return [node.used_slots for node in world.nodes()]


def test_spreading_takes_the_emptiest_node() -> None:
    world = World()
    world.pool(dedicated=3, slots=4)
    world.job()
    world.add("a", "b", "c", "d")
    assert sorted(used(world)) == [1, 1, 2]


def test_packing_fills_a_node_before_the_next() -> None:
    world = World()
    world.pool(dedicated=3, slots=4, fill=NodeFill.PACK)
    world.job()
    world.add("a", "b", "c", "d", "e")
    assert sorted(used(world)) == [0, 1, 4]


def test_small_tasks_pass_one_that_fits_nowhere() -> None:
    world = World()
    world.pool(slots=4)
    world.job()
    world.add("a", slots=2)
    world.add("large", slots=4)
    world.add("b", slots=2)
    assert world.running == {"a", "b"}
    world.end("a")
    assert world.running == {"b"}
    world.end("b")
    assert world.running == {"large"}


def test_a_task_that_no_node_can_hold_waits() -> None:
    world = World()
    world.pool(slots=2)
    world.job()
    world.add("huge", slots=3)
    world.add("a")
    assert world.running == {"a"}


def test_jobs_go_by_priority_and_then_by_age() -> None:
    world = World()
    world.pool()
    world.job("first")
    world.add("busy", job="first")
    world.job("second")
    world.job("urgent", rules=replace(RULES, priority=5))
    world.add("s", job="second")
    world.add("f", job="first")
    world.add("u", job="urgent")
    order = []
    for _ in range(4):
        (name,) = world.running
        order.append(name)
        world.end(name)
    assert order == ["busy", "u", "f", "s"]


def test_a_job_runs_no_more_than_so_many_tasks_at_once() -> None:
    world = World()
    world.pool(slots=8)
    world.job(rules=replace(RULES, max_parallel_tasks=2))
    world.add("a", "b", "c")
    assert world.running == {"a", "b"}
    world.end("a")
    assert world.running == {"b", "c"}


def test_a_disabled_job_gets_no_node() -> None:
    world = World()
    world.pool()
    world.job()
    disable_job(world.state, world.now, JobId("job"), DisableTasks.WAIT)
    world.wait()
    world.add("a")
    assert world.running == set()


def test_tasks_wait_for_a_pool_that_comes_later() -> None:
    world = World()
    world.job()
    world.add("a")
    assert world.running == set()
    world.pool()
    assert world.running == {"a"}


@pytest.mark.parametrize(
    ("nodes", "slots", "inter_node", "runs"),
    [(3, 1, True, True), (1, 1, True, False), (2, 2, True, False), (2, 1, False, False)],
)
def test_a_task_of_several_nodes_waits_for_such_nodes(
    nodes: int, slots: int, inter_node: bool, runs: bool
) -> None:
    world = World()
    world.pool(dedicated=nodes, slots=slots, inter_node=inter_node)
    world.job()
    world.add("several", instances=2)
    # Others pass one that waits.
    world.add("plain")
    assert world.running == ({"several", "plain"} if runs else {"plain"})
    assert world.state.store.tasks(JobId("job")).ready == (0 if runs else 2)


@pytest.mark.parametrize("dedicated_only", [True, False])
def test_a_manager_may_keep_off_spot_nodes(dedicated_only: bool) -> None:
    world = World()
    world.pool(dedicated=0, spot=1)
    manager = ManagerRule(
        id=TaskId("Manager"), kills_job=True, exclusive=False, dedicated_only=dedicated_only
    )
    world.job(rules=replace(RULES, manager=manager))
    world.add("manager")
    assert world.running == (set() if dedicated_only else {"manager"})
    world.job("plain")
    world.add("a", job="plain")
    assert ("a" in world.running) is dedicated_only
