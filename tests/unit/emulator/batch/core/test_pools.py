"""The life of a pool and of its nodes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.emulator.batch.core.actions import PrepareNode, RemoveNodeFiles
from runner.emulator.batch.core.ids import Key, PoolId
from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.node import NodeState
from runner.emulator.batch.core.pool import (
    AllocationState,
    Deallocation,
    PoolState,
    StartTaskRule,
)
from runner.emulator.batch.core.pools import (
    create_pool,
    delete_pool,
    remove_nodes,
    resize_pool,
    stop_resize,
)
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.task import TaskState
from tests.unit.emulator.batch.core.world import World

POOL = PoolId("pool")
MOMENT = timedelta(milliseconds=1)


def resize(world: World, dedicated: int, option: Deallocation = Deallocation.REQUEUE) -> None:
    """Asks for so many dedicated nodes."""
    resize_pool(
        world.state, world.now, POOL, dedicated=dedicated, spot=None, document={}, option=option
    )
    world.settle()


def test_the_states_on_the_way_can_be_seen() -> None:
    world = World()
    create_pool(world.state, world.now, POOL, world.draft(dedicated=1, spot=1))
    world.settle()
    seen: list[tuple[str, ...]] = []
    for _ in range(40):
        pool = world.pool_now()
        look = (pool.allocation.value, *(node.state.value for node in world.nodes()))
        if look not in seen:
            seen.append(look)
        world.wait(MOMENT)
    assert seen == [
        ("resizing",),
        ("steady", "creating", "creating"),
        ("steady", "starting", "starting"),
        ("steady", "idle", "idle"),
    ]
    assert [str(node.id)[-2:] for node in world.nodes()] == ["_d", "_p"]
    assert sum(isinstance(action, PrepareNode) for action in world.actions) == 2


def test_a_pool_without_nodes_is_resizing_first_too() -> None:
    world = World()
    create_pool(world.state, world.now, POOL, world.draft(dedicated=0))
    assert world.pool_now().allocation is AllocationState.RESIZING
    with pytest.raises(RefusedError) as caught:
        resize(world, 1)
    assert caught.value.reason is Reason.POOL_BEING_RESIZED
    world.wait()
    assert world.pool_now().allocation is AllocationState.STEADY


def test_shrinking_gives_up_idle_nodes_first() -> None:
    world = World()
    world.pool(dedicated=3)
    world.job()
    world.add("a")
    busy = next(node.id for node in world.nodes() if node.occupied)
    resize(world, 1)
    world.wait()
    assert [node.id for node in world.nodes()] == [busy]
    assert world.pool_now().allocation is AllocationState.STEADY
    assert sum(isinstance(action, RemoveNodeFiles) for action in world.actions) == 2


def test_a_node_that_leaves_waits_for_its_task_where_told_to() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a", "b")
    resize(world, 0, Deallocation.TASK_COMPLETION)
    world.wait()
    assert world.nodes()[0].state is NodeState.LEAVING_POOL
    assert world.pool_now().allocation is AllocationState.RESIZING
    world.end("a")
    world.wait()
    assert world.nodes() == []
    assert world.pool_now().allocation is AllocationState.STEADY
    assert world.task("a").succeeded
    assert world.task("b").state is TaskState.ACTIVE


def test_a_node_that_leaves_gives_its_task_back() -> None:
    world = World()
    world.pool(dedicated=1)
    world.job()
    world.add("a")
    remove_nodes(world.state, world.now, POOL, (world.nodes()[0].id,), Deallocation.REQUEUE)
    world.wait()
    assert world.task("a").state is TaskState.ACTIVE
    assert world.task("a").requeue_count == 1
    assert len(world.nodes()) == 1
    world.obey_kills()
    world.wait()
    assert world.nodes() == []
    assert world.pool_now().target_dedicated == 0


def test_a_deleted_pool_is_gone_once_its_processes_are() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a")
    delete_pool(world.state, world.now, POOL)
    world.wait()
    assert world.pool_now().state is PoolState.DELETING
    for again in (
        lambda: delete_pool(world.state, world.now, POOL),
        lambda: create_pool(world.state, world.now, POOL, world.draft()),
    ):
        with pytest.raises(RefusedError) as caught:
            again()
        assert caught.value.reason is Reason.POOL_BEING_DELETED
    world.obey_kills()
    world.wait()
    assert world.state.store.pools.get(Key("pool")) is None
    assert world.task("a").state is TaskState.ACTIVE


def test_a_pool_larger_than_the_machine_may_have_says_so() -> None:
    world = World(limits=Limits(nodes_per_pool=3))
    world.pool(dedicated=2, spot=5)
    pool = world.pool_now()
    assert len(world.nodes()) == 3
    assert [(error.code, error.message) for error in pool.resize_errors] == [
        (
            "AccountCoreQuotaReached",
            "The emulator gives a pool 3 nodes at most, whatever the quota of the account",
        )
    ]
    resize(world, 1)
    world.wait()
    assert len(world.nodes()) == 3


def test_a_resize_that_is_stopped_says_so() -> None:
    world = World()
    world.pool()
    resize(world, 5)
    stop_resize(world.state, world.now, POOL)
    assert world.pool_now().allocation is AllocationState.STOPPING
    world.wait()
    pool = world.pool_now()
    assert pool.allocation is AllocationState.STEADY
    stopped = "Desired number of {} nodes could not be allocated due to a stop resize operation"
    assert [(error.code, error.message) for error in pool.resize_errors] == [
        ("ResizeStopped", stopped.format("dedicated")),
        ("ResizeStopped", stopped.format("low priority")),
    ]
    assert len(world.nodes()) == 1
    with pytest.raises(RefusedError):
        stop_resize(world.state, world.now, POOL)


def test_a_start_task_is_retried_and_then_fails_the_node() -> None:
    world = World()
    world.pool(start_task=StartTaskRule(wait_for_success=True, max_retry_count=1))
    world.job()
    world.add("a")
    assert world.nodes()[0].state is NodeState.WAITING_FOR_START_TASK
    world.end_start_task(3)
    assert world.nodes()[0].state is NodeState.WAITING_FOR_START_TASK
    world.end_start_task(3)
    node = world.nodes()[0]
    assert node.state is NodeState.START_TASK_FAILED
    assert node.start is not None
    assert (node.start.exit_code, node.start.retry_count) == (3, 1)
    assert node.start.failure is not None
    assert world.running == set()


def test_tasks_wait_for_the_start_task() -> None:
    world = World()
    world.pool(start_task=StartTaskRule(wait_for_success=True, max_retry_count=0))
    world.job()
    world.add("a")
    assert world.running == set()
    world.end_start_task(0)
    assert world.running == {"a"}


def test_tasks_need_not_wait_for_the_start_task() -> None:
    world = World()
    world.pool(start_task=StartTaskRule(wait_for_success=False, max_retry_count=0))
    world.job()
    world.add("a")
    assert world.running == {"a"}
    world.end_start_task(1)
    assert world.nodes()[0].state is NodeState.RUNNING
