"""Job preparation and release: when they run on a node, and what hangs on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runner.emulator.batch.core.ids import JobId, TaskId
from runner.emulator.batch.core.job import (
    DisableTasks,
    JobState,
    OnAllTasksComplete,
    PreparationRule,
)
from runner.emulator.batch.core.jobs import delete_job, disable_job, enable_job, terminate_job
from runner.emulator.batch.core.mishaps import make_unusable
from runner.emulator.batch.core.node import Node, NodeState
from runner.emulator.batch.core.nodes import leave_pool
from runner.emulator.batch.core.pool import Deallocation
from runner.emulator.batch.core.pools import resize_pool
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.restarts import deallocate_node, reboot_node
from runner.emulator.batch.core.runs import ENDED_BY_REQUEST
from runner.emulator.batch.core.task import TaskState
from runner.emulator.batch.core.tasks import delete_task, terminate_task
from tests.unit.emulator.batch.core.world import RULES, World

JOB = JobId("job")
PREPARATION = PreparationRule(
    id=TaskId("jobpreparation"), wait_for_success=True, max_retry_count=0, rerun_after_reboot=True
)
BOTH = replace(RULES, preparation=PREPARATION, release=TaskId("jobrelease"))


def prepared_world(*, nodes: int = 1, slots: int = 1, rules: object = BOTH) -> World:
    world = World()
    world.pool(dedicated=nodes, slots=slots)
    world.job(rules=rules)  # type: ignore[arg-type]
    return world


def test_a_node_is_prepared_once_before_the_first_task() -> None:
    world = prepared_world(slots=2)
    (node,) = world.nodes()
    assert world.preparations == {}

    world.add("a", "b", "c")
    assert list(world.preparations) == [node.id]
    assert world.running == set()
    assert {world.task(name).state for name in "ab"} == {TaskState.PREPARING}
    assert world.task("c").state is TaskState.ACTIVE
    assert world.state.store.tasks(JOB).counts().running == 2

    world.end_preparation(node.id)
    assert world.running == {"a", "b"}
    assert world.task("a").previous_state is TaskState.PREPARING
    world.end("a")
    assert world.running == {"b", "c"}
    assert world.preparations == {}


def test_each_node_is_prepared() -> None:
    world = prepared_world(nodes=2)
    world.add("a", "b")
    assert set(world.preparations) == {node.id for node in world.nodes()}


def test_a_node_whose_preparation_failed_gets_no_tasks_of_the_job() -> None:
    world = prepared_world(nodes=2)
    bad, good = (node.id for node in world.nodes())
    world.add("a", "b")
    world.end_preparation(bad, 1)
    states = {world.task(name).state for name in "ab"}
    assert states == {TaskState.ACTIVE, TaskState.PREPARING}
    world.end_preparation(good)
    assert len(world.running) == 1
    world.end(next(iter(world.running)))
    assert len(world.running) == 1
    (placed,) = (world.task(name).placement for name in world.running)
    assert placed is not None
    assert placed.node == good
    # Other jobs may use the node.
    world.job("other", rules=RULES)
    world.add("x", job="other")
    assert "x" in world.running
    assert world.task("a").requeue_count == world.task("b").requeue_count == 0


def test_a_job_is_stuck_where_all_preparations_failed() -> None:
    world = prepared_world()
    (node,) = world.nodes()
    world.add("a")
    world.end_preparation(node.id, 1)
    world.wait(timedelta(hours=1))
    assert world.task("a").state is TaskState.ACTIVE
    assert world.nodes()[0].state is NodeState.IDLE
    assert world.preparations == {}
    # A new node is prepared anew.
    resize_pool(
        world.state,
        world.now,
        world.pool_now().id,
        dedicated=2,
        spot=None,
        document={},
        option=Deallocation.REQUEUE,
    )
    world.wait()
    world.end_preparation(world.nodes()[1].id)
    assert world.running == {"a"}


def test_a_preparation_is_retried_so_often() -> None:
    world = prepared_world(rules=replace(BOTH, preparation=replace(PREPARATION, max_retry_count=2)))
    (node,) = world.nodes()
    world.add("a")
    world.end_preparation(node.id, 1)
    world.end_preparation(node.id, 1)
    assert world.task("a").state is TaskState.PREPARING
    world.end_preparation(node.id)
    assert world.running == {"a"}
    record = world.state.store.job_nodes.get(JOB, node.id)
    assert record is not None
    assert (record.preparation.retry_count, record.preparation.exit_code) == (2, 0)


def test_tasks_need_not_wait_for_the_preparation() -> None:
    world = prepared_world(
        rules=replace(BOTH, preparation=replace(PREPARATION, wait_for_success=False))
    )
    (node,) = world.nodes()
    world.add("a", "b")
    assert world.running == {"a"}
    world.end_preparation(node.id, 1)
    world.end("a")
    assert world.running == {"b"}


@pytest.mark.parametrize("ending", ["terminate", "delete", "disable"])
def test_a_task_that_waits_for_the_preparation_can_be_ended(ending: str) -> None:
    world = prepared_world()
    (node,) = world.nodes()
    world.add("a", "b")
    match ending:
        case "terminate":
            terminate_task(world.state, world.now, JOB, TaskId("a"))
        case "delete":
            delete_task(world.state, world.now, JOB, TaskId("a"))
        case _:
            disable_job(world.state, world.now, JOB, DisableTasks.REQUEUE)
    world.settle()
    if ending == "disable":
        assert world.task("a").state is TaskState.ACTIVE
        world.end_preparation(node.id)
        world.wait()
        assert world.job_now().state is JobState.DISABLED
        enable_job(world.state, world.now, JOB)
        world.wait()
        assert world.running == {"a"}
    else:
        assert world.task("b").state is TaskState.PREPARING
        world.end_preparation(node.id)
        assert world.running == {"b"}


def test_the_nodes_are_released_when_the_job_ends() -> None:
    world = prepared_world(nodes=2)
    first, _ = (node.id for node in world.nodes())
    world.add("a")
    world.end_preparation(first)
    terminate_job(world.state, world.now, JOB, "enough")
    world.wait()
    assert world.releases == {}
    world.obey_kills()
    world.wait()
    # The other node never ran the preparation.
    assert list(world.releases) == [first]
    assert world.job_now().state is JobState.TERMINATING
    world.end_release(first, 3)
    world.wait()
    assert world.job_now().state is JobState.COMPLETED
    record = world.state.store.job_nodes.get(JOB, first)
    assert record is not None
    assert record.release is not None
    assert record.release.exit_code == 3


def test_a_job_without_prepared_nodes_releases_none() -> None:
    world = prepared_world(rules=replace(BOTH, on_all_complete=OnAllTasksComplete.TERMINATE_JOB))
    world.wait()
    assert world.job_now().state is JobState.COMPLETED
    assert world.releases == {}


def test_a_job_that_is_deleted_releases_its_nodes_once() -> None:
    world = prepared_world(rules=replace(BOTH, on_all_complete=OnAllTasksComplete.NO_ACTION))
    (node,) = world.nodes()
    world.add("a")
    world.end_preparation(node.id)
    world.end("a")
    terminate_job(world.state, world.now, JOB, "enough")
    world.wait()
    delete_job(world.state, world.now, JOB)
    world.wait()
    assert world.job_now().state is JobState.DELETING
    world.end_release(node.id)
    world.wait()
    assert world.state.store.jobs.get("job") is None  # type: ignore[arg-type]
    assert world.releases == {}
    assert tuple(world.state.store.job_nodes.of_node(node.id)) == ()


def test_a_job_that_ends_while_it_prepares_a_node() -> None:
    world = prepared_world()
    (node,) = world.nodes()
    world.add("a")
    terminate_job(world.state, world.now, JOB, "enough")
    world.settle()
    world.obey_kills()
    world.wait()
    assert world.task("a").state is TaskState.COMPLETED
    world.end_release(node.id)
    world.wait()
    assert world.job_now().state is JobState.COMPLETED


def test_a_node_that_leaves_gives_its_waiting_tasks_back() -> None:
    world = prepared_world()
    (node,) = world.nodes()
    world.add("a")
    resize_pool(
        world.state,
        world.now,
        world.pool_now().id,
        dedicated=0,
        spot=None,
        document={},
        option=Deallocation.TASK_COMPLETION,
    )
    world.wait()
    assert world.nodes()[0].state is NodeState.LEAVING_POOL
    world.obey_kills()
    world.wait()
    assert world.nodes() == []
    assert world.task("a").state is TaskState.ACTIVE
    record = world.state.store.job_nodes.get(JOB, node.id)
    assert record is not None
    assert record.left
    terminate_job(world.state, world.now, JOB, "enough")
    world.wait()
    assert world.job_now().state is JobState.COMPLETED


def test_no_task_has_the_id_of_the_preparation_or_release() -> None:
    world = prepared_world()
    with pytest.raises(RefusedError) as caught:
        world.add("JobPreparation")
    assert caught.value.reason is Reason.TASK_ID_OF_PREPARATION
    with pytest.raises(RefusedError) as caught:
        world.add("jobrelease")
    assert caught.value.reason is Reason.TASK_ID_OF_RELEASE


@pytest.mark.parametrize(
    ("rerun", "exit_code", "expected"), [(True, 0, True), (False, 0, False), (False, 1, True)]
)
def test_a_node_that_restarts_is_prepared_anew(rerun: bool, exit_code: int, expected: bool) -> None:
    rule = replace(PREPARATION, rerun_after_reboot=rerun)
    world = prepared_world(rules=replace(BOTH, preparation=rule))
    (node,) = world.nodes()
    world.add("a")
    world.end_preparation(node.id, exit_code)
    if not exit_code:
        world.end("a")
    reboot_node(world.state, world.now, world.nodes()[0], Deallocation.REQUEUE)
    world.wait()
    world.add("b")
    assert (node.id in world.preparations) is expected


def test_a_preparation_that_fails_while_its_job_is_disabled_is_tried_again() -> None:
    world = prepared_world(rules=replace(BOTH, preparation=replace(PREPARATION, max_retry_count=1)))
    (node,) = world.nodes()
    world.add("a")
    disable_job(world.state, world.now, JOB, DisableTasks.WAIT)
    world.settle()
    world.end_preparation(node.id, 1)
    world.wait()
    assert world.job_now().state is JobState.DISABLED
    assert world.preparations == {}
    enable_job(world.state, world.now, JOB)
    world.wait()
    world.end_preparation(node.id)
    assert world.running == {"a"}


def ended_world(*, to: NodeState) -> World:
    """A job that ends while the node that it was prepared on is not at hand."""
    world = prepared_world()
    (node,) = world.nodes()
    world.add("a")
    world.end_preparation(node.id)
    world.end("a")
    match to:
        case NodeState.REBOOTING:
            reboot_node(world.state, world.now, node_now(world), Deallocation.REQUEUE)
        case NodeState.DEALLOCATING:
            deallocate_node(world.state, world.now, node_now(world), Deallocation.REQUEUE)
        case NodeState.UNUSABLE:
            make_unusable(world.state, world.now, node.pool, node.id)
        case _:
            leave_pool(world.state, world.now, node_now(world), Deallocation.REQUEUE)
    terminate_job(world.state, world.now, JOB, "enough")
    world.settle()
    assert (node_now(world).state, world.job_now().state) == (to, JobState.TERMINATING)
    return world


def node_now(world: World) -> Node:
    """The only node."""
    return world.nodes()[0]


def test_a_node_that_restarts_is_released_once_it_is_back() -> None:
    world = ended_world(to=NodeState.REBOOTING)
    node = node_now(world)
    while not world.releases:
        world.now += timedelta(milliseconds=1)
        world.settle()
        assert world.job_now().state is JobState.TERMINATING
    assert node_now(world).state is NodeState.IDLE
    world.end_release(node.id)
    world.wait()
    assert world.job_now().state is JobState.COMPLETED


@pytest.mark.parametrize("to", [NodeState.UNUSABLE, NodeState.LEAVING_POOL])
def test_the_release_has_failed_on_a_node_that_is_lost(to: NodeState) -> None:
    world = ended_world(to=to)
    node = node_now(world)
    world.wait()
    assert world.job_now().state is JobState.COMPLETED
    record = world.state.store.job_nodes.get(JOB, node.id)
    assert record is not None
    assert record.release is not None
    assert record.release.failure == ENDED_BY_REQUEST
    assert world.releases == {}


def test_a_node_without_its_files_has_nothing_to_release() -> None:
    world = ended_world(to=NodeState.DEALLOCATING)
    node = node_now(world)
    world.wait()
    assert world.job_now().state is JobState.COMPLETED
    assert world.releases == {}
    assert world.state.store.job_nodes.get(JOB, node.id) is None
