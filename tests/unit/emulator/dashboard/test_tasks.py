"""What the page says of tasks that only the core can bring about at will."""

from __future__ import annotations

from dataclasses import replace

from runner.emulator.batch.core.ids import JobId, PoolId, TaskId
from runner.emulator.batch.core.mishaps import preempt_node
from runner.emulator.batch.core.task import Task, TaskState
from runner.emulator.batch.core.tasks import terminate_task
from runner.emulator.dashboard.tasks import TaskNames, count_attempts
from tests.unit.emulator.batch.core.world import World


def seen(task: Task) -> tuple[TaskState, int]:
    return task.state, count_attempts(task)


def test_attempts_of_a_task_whose_node_is_taken_away() -> None:
    world = World()
    world.pool(dedicated=0, spot=1)
    world.job()
    world.add("a", "b")
    (node,) = world.nodes()
    assert seen(world.task("a")) == (TaskState.RUNNING, 1)
    assert seen(world.task("b")) == (TaskState.ACTIVE, 0)

    preempt_node(world.state, world.now, PoolId("pool"), node.id)
    world.settle()
    # It has run once, and waits.
    assert seen(world.task("a")) == (TaskState.ACTIVE, 1)
    assert seen(world.task("b")) == (TaskState.ACTIVE, 0)


def test_attempts_of_a_task_that_is_tried_again() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a", retries=2)
    world.end("a", exit_code=1)
    assert seen(world.task("a")) == (TaskState.RUNNING, 2)
    world.end("a", exit_code=0)
    assert seen(world.task("a")) == (TaskState.COMPLETED, 2)


def test_attempts_of_tasks_that_are_ended_while_they_wait() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a", "b", retries=2)
    waiting = replace(
        world.task("a"), state=TaskState.ACTIVE, retry_count=1, placement=None, run=None
    )
    world.state.store.put(waiting)
    assert seen(world.task("a")) == (TaskState.ACTIVE, 1)

    for name, attempts in (("a", 1), ("b", 0)):
        terminate_task(world.state, world.now, JobId("job"), TaskId(name))
        assert seen(world.task(name)) == (TaskState.COMPLETED, attempts)


def test_names_of_two_jobs_that_are_searched_at_the_same_time() -> None:
    world = World()
    world.pool()
    named = {}
    for job in ("one", "two"):
        world.job(job)
        world.add("a", job=job)
        named[job] = replace(world.task("a", job), document={"displayName": f"A of {job}"})
    names = TaskNames()

    first = names.of_job(world.job_now("one"))
    second = names.of_job(world.job_now("two"))

    assert (first(named["one"]), second(named["two"])) == ("a of one", "a of two")
    again = names.of_job(world.job_now("two"))
    assert again(named["two"]) == "a of two"
