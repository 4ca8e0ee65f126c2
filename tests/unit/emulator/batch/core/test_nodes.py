"""Nodes that restart, or are taken from work."""

from __future__ import annotations

import pytest

from runner.emulator.batch.core.actions import PrepareNode, RemoveNodeFiles
from runner.emulator.batch.core.node import Node, NodeState
from runner.emulator.batch.core.nodes import disable_scheduling, enable_scheduling
from runner.emulator.batch.core.pool import Deallocation, StartTaskRule
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.restarts import (
    deallocate_node,
    reboot_node,
    reimage_node,
    start_node,
)
from runner.emulator.batch.core.task import TaskState
from tests.unit.emulator.batch.core.world import World


@pytest.fixture
def world() -> World:
    """One node, and a job with a task that runs on it."""
    made = World()
    made.pool()
    made.job()
    made.add("a")
    return made


def the_node(world: World) -> Node:
    (node,) = world.nodes()
    return node


@pytest.mark.parametrize(
    ("option", "state"),
    [
        (Deallocation.REQUEUE, TaskState.ACTIVE),
        (Deallocation.TERMINATE, TaskState.COMPLETED),
        (Deallocation.TASK_COMPLETION, TaskState.RUNNING),
    ],
)
def test_a_node_restarts_when_its_tasks_are_dealt_with(
    world: World, option: Deallocation, state: TaskState
) -> None:
    booted = the_node(world).booted
    reboot_node(world.state, world.now, the_node(world), option)
    world.wait()
    assert the_node(world).state is NodeState.REBOOTING
    assert world.task("a").state is state
    with pytest.raises(RefusedError) as caught:
        reboot_node(world.state, world.now, the_node(world), option)
    assert caught.value.reason is Reason.NODE_BEING_REBOOTED
    if state is TaskState.RUNNING:
        world.end("a")
    world.obey_kills()
    world.wait()
    node = the_node(world)
    assert node.booted != booted
    wanted = NodeState.RUNNING if state is TaskState.ACTIVE else NodeState.IDLE
    assert node.state is wanted


def test_the_start_task_runs_again() -> None:
    world = World()
    rule = StartTaskRule(wait_for_success=True, max_retry_count=0)
    world.pool(start_task=rule)
    world.end_start_task(0)
    reboot_node(world.state, world.now, the_node(world), Deallocation.REQUEUE)
    world.wait()
    assert the_node(world).state is NodeState.WAITING_FOR_START_TASK
    with pytest.raises(RefusedError) as caught:
        reboot_node(world.state, world.now, the_node(world), Deallocation.REQUEUE)
    assert caught.value.reason is Reason.NODE_OPERATION_INVALID
    world.end_start_task(0)
    assert the_node(world).state is NodeState.IDLE


def test_a_node_without_scheduling_gets_no_tasks(world: World) -> None:
    disable_scheduling(world.state, world.now, the_node(world), Deallocation.TASK_COMPLETION)
    world.add("b")
    world.end("a")
    assert the_node(world).state is NodeState.OFFLINE
    assert world.running == set()
    with pytest.raises(RefusedError) as caught:
        disable_scheduling(world.state, world.now, the_node(world), Deallocation.REQUEUE)
    assert caught.value.reason is Reason.NODE_SCHEDULING_UNCHANGED
    enable_scheduling(world.state, world.now, the_node(world))
    world.settle()
    assert world.running == {"b"}
    with pytest.raises(RefusedError) as caught:
        enable_scheduling(world.state, world.now, the_node(world))
    assert caught.value.reason is Reason.NODE_SCHEDULING_UNCHANGED


def test_the_tasks_of_a_node_without_scheduling_are_queued_again(world: World) -> None:
    disable_scheduling(world.state, world.now, the_node(world), Deallocation.REQUEUE)
    world.settle()
    assert world.task("a").state is TaskState.ACTIVE
    world.obey_kills()
    assert the_node(world).state is NodeState.OFFLINE


def test_a_reimaged_node_has_lost_its_files(world: World) -> None:
    reimage_node(world.state, world.now, the_node(world), Deallocation.REQUEUE)
    world.settle()
    assert the_node(world).state is NodeState.REIMAGING
    with pytest.raises(RefusedError) as caught:
        reboot_node(world.state, world.now, the_node(world), Deallocation.REQUEUE)
    assert caught.value.reason is Reason.NODE_BEING_REIMAGED
    assert world.task("a").state is TaskState.ACTIVE


def test_a_reimaged_node_is_prepared_after_its_files_are_gone() -> None:
    world = World()
    world.pool()
    world.actions.clear()
    reimage_node(world.state, world.now, the_node(world), Deallocation.REQUEUE)
    world.wait()
    node = the_node(world)
    assert node.state is NodeState.IDLE
    wanted = [RemoveNodeFiles(node=node.id), PrepareNode(pool=node.pool, node=node.id)]
    assert world.actions == wanted


def test_a_deallocated_node_stays_until_it_is_started(world: World) -> None:
    with pytest.raises(RefusedError) as caught:
        start_node(world.state, world.now, the_node(world))
    assert caught.value.reason is Reason.NODE_OPERATION_INVALID
    deallocate_node(world.state, world.now, the_node(world), Deallocation.TERMINATE)
    world.settle()
    assert the_node(world).state is NodeState.DEALLOCATING
    assert world.task("a").state is TaskState.COMPLETED
    world.obey_kills()
    world.add("b")
    world.wait()
    assert the_node(world).state is NodeState.DEALLOCATED
    assert world.task("b").state is TaskState.ACTIVE
    start_node(world.state, world.now, the_node(world))
    assert the_node(world).state is NodeState.STARTING
    with pytest.raises(RefusedError) as refused:
        deallocate_node(world.state, world.now, the_node(world), Deallocation.REQUEUE)
    assert refused.value.reason is Reason.NODE_BEING_STARTED
    world.wait()
    assert world.task("b").state is TaskState.RUNNING
