"""What happens to pools and nodes that nobody asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.emulator.batch.core.actions import RemoveNodeFiles
from runner.emulator.batch.core.ids import NodeId, PoolId
from runner.emulator.batch.core.mishaps import (
    ALLOCATION_FAILED,
    fail_resize,
    make_unusable,
    preempt_node,
)
from runner.emulator.batch.core.node import Node, NodeError, NodeState
from runner.emulator.batch.core.pool import AllocationState, ResizeError
from runner.emulator.batch.core.pools import create_pool
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.task import TaskState
from tests.unit.emulator.batch.core.world import World

POOL = PoolId("pool")


def the_node(world: World) -> Node:
    (node,) = world.nodes()
    return node


def test_a_preempted_node_comes_back_as_a_new_machine() -> None:
    world = World()
    world.pool(dedicated=0, spot=1)
    world.job()
    world.add("a")
    node = the_node(world)
    preempt_node(world.state, world.now, POOL, node.id, lasts=timedelta(minutes=1))
    world.settle()
    assert the_node(world).state is NodeState.PREEMPTED
    assert (world.task("a").state, world.task("a").requeue_count) == (TaskState.ACTIVE, 1)
    assert world.pool_now().allocation is AllocationState.STEADY
    with pytest.raises(RefusedError) as caught:
        preempt_node(world.state, world.now, POOL, node.id)
    assert caught.value.reason is Reason.NODE_OPERATION_INVALID
    world.obey_kills()
    world.wait(timedelta(seconds=59))
    assert the_node(world).state is NodeState.PREEMPTED
    world.wait(timedelta(seconds=2))
    assert RemoveNodeFiles(node=node.id) in world.actions
    again = the_node(world)
    assert (again.id, again.state) == (node.id, NodeState.RUNNING)
    assert again.allocated == node.allocated
    assert again.machine_since is not None and node.machine_since is not None
    assert again.machine_since > node.machine_since
    assert world.task("a").state is TaskState.RUNNING


def test_a_preempted_node_waits_for_its_processes_to_end() -> None:
    world = World()
    world.pool(dedicated=0, spot=1)
    world.job()
    world.add("a")
    preempt_node(world.state, world.now, POOL, the_node(world).id)
    world.wait(timedelta(minutes=1))
    assert the_node(world).state is NodeState.PREEMPTED
    world.obey_kills()
    world.wait()
    assert the_node(world).state is NodeState.RUNNING


def test_dedicated_nodes_are_not_preempted() -> None:
    world = World()
    world.pool()
    with pytest.raises(RefusedError) as caught:
        preempt_node(world.state, world.now, POOL, the_node(world).id)
    assert caught.value.details == (("Reason", "Only spot nodes are preempted"),)
    with pytest.raises(RefusedError) as missing:
        preempt_node(world.state, world.now, POOL, NodeId("other"))
    assert missing.value.reason is Reason.NODE_NOT_FOUND


def test_an_unusable_node_gets_no_tasks_until_it_recovers() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a")
    error = NodeError(code="DiskFull", message="There is not enough disk space on the node")
    make_unusable(world.state, world.now, POOL, the_node(world).id, errors=(error,))
    world.settle()
    world.obey_kills()
    world.wait()
    node = the_node(world)
    assert (node.state, node.errors) == (NodeState.UNUSABLE, (error,))
    assert world.task("a").state is TaskState.ACTIVE


def test_a_resize_fails_where_it_stands() -> None:
    world = World()
    create_pool(world.state, world.now, POOL, world.draft(dedicated=2))
    fail_resize(world.state, world.now, POOL)
    world.wait()
    pool = world.pool_now()
    assert (pool.allocation, pool.resize_errors) == (AllocationState.STEADY, (ALLOCATION_FAILED,))
    assert world.nodes() == []
    with pytest.raises(RefusedError) as caught:
        fail_resize(world.state, world.now, POOL, ResizeError(code="Other", message="Other"))
    assert caught.value.reason is Reason.OPERATION_INVALID_NOW
