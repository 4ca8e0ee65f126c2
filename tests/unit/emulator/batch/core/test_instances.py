"""Multi-instance tasks: all their nodes coordinate, then the primary runs its command."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.emulator.batch.core.actions import RemoveTaskFiles
from runner.emulator.batch.core.ids import JobId, PoolId, TaskId
from runner.emulator.batch.core.job import DisableTasks, PreparationRule
from runner.emulator.batch.core.jobs import disable_job
from runner.emulator.batch.core.mishaps import make_unusable
from runner.emulator.batch.core.node import NodeState
from runner.emulator.batch.core.task import TaskState
from runner.emulator.batch.core.tasks import delete_task, terminate_task
from tests.unit.emulator.batch.core.world import RULES, World


@pytest.fixture
def world() -> World:
    """Three nodes that can reach each other, and a task on all of them."""
    made = World()
    made.pool(dedicated=3, inter_node=True)
    made.job()
    made.add("several", instances=3, retries=0)
    return made


def subtasks(world: World) -> list[tuple[int, TaskState, int | None]]:
    return [(one.number, one.state, one.exit_code) for one in world.task("several").subtasks]


def node_states(world: World) -> set[NodeState]:
    return {node.state for node in world.nodes()}


def test_the_command_runs_once_all_have_coordinated(world: World) -> None:
    assert subtasks(world) == [(1, TaskState.RUNNING, None), (2, TaskState.RUNNING, None)]
    places = world.task("several").places
    assert {place.node for place in places} == {node.id for node in world.nodes()}
    world.end("several")
    world.end_subtask("several", 1)
    assert world.running == set()
    assert world.task("several").state is TaskState.RUNNING
    world.end_subtask("several", 2)
    assert world.running == {"several"}
    assert subtasks(world) == [(1, TaskState.COMPLETED, 0), (2, TaskState.COMPLETED, 0)]
    assert node_states(world) == {NodeState.RUNNING}
    world.end("several")
    assert world.task("several").succeeded
    assert node_states(world) == {NodeState.IDLE}
    assert world.state.runs == {}
    assert world.state.waiting_runs == set()


def test_a_subtask_that_fails_fails_the_task(world: World) -> None:
    world.end_subtask("several", 2, exit_code=4)
    world.obey_kills()
    task = world.task("several")
    assert (task.state, task.exit_code) == (TaskState.COMPLETED, 4)
    assert task.failure is not None
    assert subtasks(world) == [(1, TaskState.COMPLETED, None), (2, TaskState.COMPLETED, 4)]
    assert task.subtasks[0].failure is not None
    assert task.subtasks[0].failure.code == "TaskEnded"
    assert node_states(world) == {NodeState.IDLE}
    assert world.state.runs == {}


def test_a_task_is_tried_again_as_a_whole() -> None:
    world = World()
    world.pool(dedicated=2, inter_node=True)
    world.job()
    world.add("several", instances=2, retries=1)
    world.end_subtask("several", 1)
    world.end("several", exit_code=3)
    world.obey_kills()
    task = world.task("several")
    assert (task.state, task.retry_count) == (TaskState.RUNNING, 1)
    assert subtasks(world) == [(1, TaskState.RUNNING, None)]
    world.end_subtask("several", 1)
    world.end("several")
    world.end("several")
    assert world.task("several").succeeded
    assert world.state.runs == {}


def test_a_node_that_breaks_has_the_whole_task_queued_again(world: World) -> None:
    second = world.task("several").subtasks[0].placement
    make_unusable(world.state, world.now, PoolId("pool"), second.node)
    world.settle()
    world.obey_kills()
    task = world.task("several")
    assert (task.state, task.requeue_count, task.subtasks) == (TaskState.ACTIVE, 1, ())
    assert node_states(world) == {NodeState.UNUSABLE, NodeState.IDLE}
    assert world.state.runs == {}


def test_disabling_the_job_frees_all_nodes(world: World) -> None:
    world.end_subtask("several", 1)
    disable_job(world.state, world.now, JobId("job"), DisableTasks.REQUEUE)
    world.settle()
    world.obey_kills()
    assert world.task("several").state is TaskState.ACTIVE
    assert node_states(world) == {NodeState.IDLE}
    assert world.state.runs == {}


def test_files_of_all_nodes_go_with_the_task(world: World) -> None:
    nodes = {place.node for place in world.task("several").places}
    world.end_subtask("several", 1)
    world.actions.clear()
    delete_task(world.state, world.now, JobId("job"), TaskId("several"))
    world.settle()
    world.obey_kills()
    removed = [action.node for action in world.actions if isinstance(action, RemoveTaskFiles)]
    assert sorted(removed) == sorted(nodes)
    assert node_states(world) == {NodeState.IDLE}


def test_terminating_ends_the_subtasks(world: World) -> None:
    terminate_task(world.state, world.now, JobId("job"), TaskId("several"))
    world.settle()
    world.obey_kills()
    assert subtasks(world) == [(1, TaskState.COMPLETED, None), (2, TaskState.COMPLETED, None)]
    assert node_states(world) == {NodeState.IDLE}


@pytest.mark.parametrize("exit_code", [0, 1])
def test_all_nodes_are_prepared_first(exit_code: int) -> None:
    world = World()
    world.pool(dedicated=2, inter_node=True)
    rule = PreparationRule(
        id=TaskId("prepare"), wait_for_success=True, max_retry_count=0, rerun_after_reboot=True
    )
    world.job(rules=replace(RULES, preparation=rule))
    world.add("several", instances=2)
    first, second = world.nodes()
    assert subtasks(world) == [(1, TaskState.PREPARING, None)]
    world.end_preparation(first.id)
    assert world.task("several").state is TaskState.PREPARING
    world.end_preparation(second.id, exit_code)
    if exit_code:
        assert world.task("several").state is TaskState.ACTIVE
        assert node_states(world) == {NodeState.IDLE}
    else:
        assert world.task("several").state is TaskState.RUNNING
        assert world.running == {"several"}
        assert set(world.subtasks_started) == {("several", 1)}


def test_a_task_gets_the_node_that_it_would_rather_have() -> None:
    world = World()
    world.pool(dedicated=3)
    world.job()
    wanted = world.nodes()[2].id
    world.add("first", affinity=wanted)
    world.add("second", affinity=wanted)
    placements = [world.task(name).placement for name in ("first", "second")]
    assert placements[0] is not None
    assert placements[0].node == wanted
    assert placements[1] is not None
    assert placements[1].node != wanted
