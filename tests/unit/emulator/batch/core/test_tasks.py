"""The life of a task: run, retried, requeued, ended, deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.emulator.batch.core.actions import Kill, RemoveTaskFiles, RunTask
from runner.emulator.batch.core.ids import JobId, TaskId
from runner.emulator.batch.core.node import NodeState
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.task import TaskState
from runner.emulator.batch.core.tasks import delete_task, reactivate_task, terminate_task
from tests.unit.emulator.batch.core.world import LOST_BLOB, World


@pytest.fixture
def world() -> World:
    """One node of one slot, and a job."""
    made = World()
    made.pool()
    made.job()
    return made


def test_the_next_task_starts_in_the_moment_in_which_one_ends(world: World) -> None:
    world.add("a", "b")
    assert world.running == {"a"}
    world.end("a")
    assert world.running == {"b"}
    assert world.task("a").succeeded
    (node,) = world.nodes()
    assert (node.total_run, node.total_succeeded, node.state) == (2, 1, NodeState.RUNNING)
    world.end("b")
    assert world.nodes()[0].state is NodeState.IDLE
    counts = world.state.store.tasks(JobId("job")).counts()
    assert (counts.active, counts.running, counts.completed, counts.succeeded) == (0, 0, 2, 2)


def test_a_nonzero_exit_code_is_retried_so_often(world: World) -> None:
    world.add("a", retries=2)
    for retry in range(2):
        world.end("a", 5)
        assert world.task("a").retry_count == retry + 1
        assert world.running == {"a"}
    world.end("a", 5)
    task = world.task("a")
    assert (task.state, task.exit_code, task.retry_count) == (TaskState.COMPLETED, 5, 2)
    assert task.failure is not None
    assert task.failure.code == "FailureExitCode"


def test_what_failed_before_the_command_is_not_retried(world: World) -> None:
    world.add("a", retries=-1)
    world.end("a", None, LOST_BLOB)
    task = world.task("a")
    assert (task.state, task.exit_code, task.failure) == (TaskState.COMPLETED, None, LOST_BLOB)


def test_a_retry_comes_before_tasks_that_were_added_later(world: World) -> None:
    world.add("a", retries=1)
    world.add("b")
    world.end("a", 1)
    assert world.running == {"a"}


def test_an_ended_task_holds_its_slot_until_its_process_is_gone(world: World) -> None:
    world.add("a", "b")
    terminate_task(world.state, world.now, JobId("job"), TaskId("a"))
    world.settle()
    assert world.task("a").state is TaskState.COMPLETED
    assert isinstance(world.actions[-1], Kill)
    assert world.task("b").state is TaskState.ACTIVE
    world.obey_kills()
    assert world.task("b").state is TaskState.RUNNING
    assert world.task("a").failure is not None


def test_the_files_of_a_deleted_task_go_after_its_process(world: World) -> None:
    world.add("a")
    node = world.nodes()[0].id
    removal = RemoveTaskFiles(node=node, job=JobId("job"), task=TaskId("a"))
    delete_task(world.state, world.now, JobId("job"), TaskId("a"))
    world.settle()
    assert removal not in world.actions
    world.obey_kills()
    assert removal in world.actions


def test_a_run_that_is_lost_is_queued_again(world: World) -> None:
    world.add("a")
    lost = world.tasks_started.pop("a")
    world.actions.append(Kill(run=lost))
    world.obey_kills()
    assert world.running == {"a"}
    assert world.task("a").requeue_count == 1


def test_reactivation_counts_retries_anew(world: World) -> None:
    world.add("a", retries=1)
    world.end("a", 1)
    world.end("a", 1)
    reactivate_task(world.state, world.now, JobId("job"), TaskId("a"))
    world.settle()
    task = world.task("a")
    assert (task.retry_count, task.exit_code, task.failure) == (0, None, None)
    assert world.running == {"a"}


def test_a_task_that_runs_cannot_be_reactivated(world: World) -> None:
    world.add("a")
    with pytest.raises(RefusedError) as caught:
        reactivate_task(world.state, world.now, JobId("job"), TaskId("a"))
    assert caught.value.reason is Reason.TASK_NOT_COMPLETED


def test_ids_are_unique_without_regard_to_case(world: World) -> None:
    world.add("Task")
    with pytest.raises(RefusedError) as caught:
        world.add("tASK")
    assert caught.value.reason is Reason.TASK_EXISTS


def test_no_two_tasks_have_one_moment_of_change(world: World) -> None:
    world.add(*(f"t{n}" for n in range(50)))
    moments = {world.task(f"t{n}").modified for n in range(50)}
    assert len(moments) == 50


def test_the_state_of_a_task_does_not_touch_its_etag(world: World) -> None:
    world.add("a")
    modified = world.task("a").modified
    world.end("a")
    assert world.task("a").modified == modified


def test_the_files_of_a_completed_task_are_kept_so_long(world: World) -> None:
    node = world.nodes()[0].id
    world.add("a", "kept", retention=timedelta(minutes=5))
    world.end("a", 5)
    world.wait(timedelta(minutes=4, seconds=59))
    assert not world.task("a").cleaned_up
    world.wait(timedelta(seconds=1))
    assert world.task("a").cleaned_up
    removal = RemoveTaskFiles(node=node, job=JobId("job"), task=TaskId("a"))
    assert [a for a in world.actions if isinstance(a, RemoveTaskFiles)] == [removal]
    # It runs still, however long that takes.
    assert not world.task("kept").cleaned_up


def test_a_task_that_runs_again_has_files_again(world: World) -> None:
    world.add("a", retention=timedelta(minutes=5))
    world.end("a", 5)
    world.wait(timedelta(minutes=4))
    reactivate_task(world.state, world.now, JobId("job"), TaskId("a"))
    world.wait(timedelta(minutes=3))
    assert not world.task("a").cleaned_up
    world.end("a")
    world.wait(timedelta(minutes=5))
    assert world.task("a").cleaned_up
    assert len([a for a in world.actions if isinstance(a, RemoveTaskFiles)]) == 1


@pytest.mark.parametrize("how", ["reactivated", "made anew"])
def test_a_task_does_not_run_beside_what_is_left_of_it(how: str) -> None:
    world = World()
    world.pool(slots=2)
    job = world.job()
    world.add("a")
    first = world.tasks_started.pop("a")
    if how == "reactivated":
        terminate_task(world.state, world.now, job, TaskId("a"))
        reactivate_task(world.state, world.now, job, TaskId("a"))
    else:
        delete_task(world.state, world.now, job, TaskId("a"))
        world.add("a")
    world.settle()
    assert (world.running, world.task("a").state) == (set(), TaskState.ACTIVE)
    world.add("b")
    assert world.running == {"b"}
    world.obey_kills()
    assert world.running == {"a", "b"}
    assert world.tasks_started["a"] != first
    assert isinstance(world.actions[-2], RemoveTaskFiles)
    assert isinstance(world.actions[-1], RunTask)
