"""What follows from records that an emulator left when it was killed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, get_args

import pytest

from runner.emulator.batch.core import agenda
from runner.emulator.batch.core.actions import RemoveTaskFiles
from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, ScheduleId, TaskId
from runner.emulator.batch.core.job import DisableTasks, JobDraft, JobState, PreparationRule
from runner.emulator.batch.core.jobs import delete_job, disable_job, enable_job, terminate_job
from runner.emulator.batch.core.node import NodeState
from runner.emulator.batch.core.pool import (
    AllocationState,
    AutoScaleRule,
    Deallocation,
    StartTaskRule,
)
from runner.emulator.batch.core.pools import create_pool, delete_pool, resize_pool
from runner.emulator.batch.core.recovery import recover
from runner.emulator.batch.core.restarts import reboot_node, reimage_node
from runner.emulator.batch.core.schedule import Recurrence
from runner.emulator.batch.core.schedules import create_schedule, delete_schedule
from runner.emulator.batch.core.store import Store
from runner.emulator.batch.core.task import TaskState
from runner.emulator.storage.codec import Form
from tests.unit.emulator.batch.core.world import RULES, World

JOB, POOL = JobId("job"), PoolId("pool")
DAY = timedelta(days=1)
PREPARATION = PreparationRule(
    id=TaskId("jobpreparation"), wait_for_success=True, max_retry_count=0, rerun_after_reboot=False
)


def born_again(world: World) -> World:
    """A world of another process, with what the first one had put on disk."""
    again = World()
    again.now = world.now
    for record in _records(world.state.store):
        form = Form(type(record))
        again.state.store.put(form.decode(json.loads(json.dumps(form.encode(record)))))
    recover(again.state, again.now)
    again.settle()
    return again


def _records(store: Store) -> Iterable[Any]:
    for pool in store.pools:
        yield pool
        yield from store.nodes(pool.id)
    for job in store.jobs:
        yield job
        yield from store.job_nodes.of_job(job.id)
        yield from store.tasks(job.id)
    yield from store.schedules


def busy_world(**pool: Any) -> World:
    world = World()
    world.pool(**pool)
    world.job()
    world.wait()
    return world


def test_what_ran_is_queued_again_and_runs_to_its_end() -> None:
    world = busy_world(slots=2)
    world.add("a", "b", "c")
    world.end("a")
    assert world.running == {"b", "c"}

    again = born_again(world)
    assert again.task("a") == world.task("a")
    for name in "bc":
        task = again.task(name)
        assert (task.state, task.requeue_count, task.last_requeue, task.run) == (
            *(TaskState.ACTIVE, 1, again.now),
            None,
        )
    (node,) = again.nodes()
    assert (node.id, node.state, node.occupied) == (world.nodes()[0].id, NodeState.STARTING, ())
    removed = {action.task for action in again.actions if isinstance(action, RemoveTaskFiles)}
    assert removed == {"b", "c"}

    again.wait()
    assert again.running == {"b", "c"}
    again.end("b")
    again.end("c")
    assert again.state.store.tasks(JOB).counts().succeeded == 3


def test_the_start_task_runs_again() -> None:
    world = World()
    world.pool(start_task=StartTaskRule(wait_for_success=True, max_retry_count=0))
    world.wait()
    world.end_start_task(0)
    assert world.nodes()[0].state is NodeState.IDLE

    again = born_again(world)
    again.wait()
    assert again.nodes()[0].state is NodeState.WAITING_FOR_START_TASK
    again.end_start_task(0)
    assert again.nodes()[0].state is NodeState.IDLE


@pytest.mark.parametrize("ended", [True, False])
def test_a_preparation_runs_again_unless_it_had_succeeded(ended: bool) -> None:
    world = World()
    world.pool()
    world.job(rules=replace(RULES, preparation=PREPARATION, release=TaskId("jobrelease")))
    world.wait()
    world.add("a")
    (node,) = world.nodes()
    if ended:
        world.end_preparation(node.id)
    assert world.task("a").state is (TaskState.RUNNING if ended else TaskState.PREPARING)

    again = born_again(world)
    again.wait()
    assert again.task("a").requeue_count == 1
    assert list(again.preparations) == ([] if ended else [node.id])
    if not ended:
        again.end_preparation(node.id)
    again.end("a")
    terminate_job(again.state, again.now, JOB, "Enough")
    again.wait()
    again.end_release(node.id)
    again.wait()
    assert again.job_now().state is JobState.COMPLETED


def test_a_release_that_ran_is_over() -> None:
    world = World()
    world.pool()
    world.job(rules=replace(RULES, preparation=PREPARATION, release=TaskId("jobrelease")))
    world.wait()
    world.add("a")
    (node,) = world.nodes()
    world.end_preparation(node.id)
    world.end("a")
    delete_job(world.state, world.now, JOB)
    world.wait()
    assert list(world.releases) == [node.id]

    again = born_again(world)
    again.wait()
    assert list(again.state.store.jobs) == []


def test_jobs_go_on_to_where_they_were_on_the_way_to() -> None:
    world = busy_world()
    names = ("disabling", "enabling", "terminating", "deleting")
    for name in names:
        world.job(name)
    disable_job(world.state, world.now, JobId("enabling"), DisableTasks.WAIT)
    world.wait()
    disable_job(world.state, world.now, JobId("disabling"), DisableTasks.WAIT)
    enable_job(world.state, world.now, JobId("enabling"))
    terminate_job(world.state, world.now, JobId("terminating"), "Enough")
    delete_job(world.state, world.now, JobId("deleting"))
    assert [world.job_now(name).state.value for name in names] == list(names)

    again = born_again(world)
    again.wait()
    assert {job.id: job.state.value for job in again.state.store.jobs} == {
        "disabling": "disabled",
        "enabling": "active",
        "job": "active",
        "terminating": "completed",
    }


def test_pools_and_nodes_go_on_to_where_they_were_on_the_way_to() -> None:
    world = World()
    for name in ("new", "growing", "shrinking", "deleted", "rebooted", "reimaged"):
        world.pool(name, dedicated=2)
        if name != "new":
            world.wait()
    world.pool("newest", dedicated=2)
    state, now = world.state, world.now
    for name, count in (("growing", 3), ("shrinking", 1)):
        resize_pool(
            state,
            now,
            PoolId(name),
            dedicated=count,
            spot=None,
            document={},
            option=Deallocation.REQUEUE,
        )
    delete_pool(state, now, PoolId("deleted"))
    reboot_node(state, now, world.nodes("rebooted")[0], Deallocation.REQUEUE)
    reimage_node(state, now, world.nodes("reimaged")[0], Deallocation.REQUEUE)

    again = born_again(world)
    again.wait()
    counts = {pool.id: len(again.nodes(pool.id)) for pool in again.state.store.pools}
    assert counts == {
        **dict.fromkeys(("new", "newest", "rebooted", "reimaged"), 2),
        "growing": 3,
        "shrinking": 1,
    }
    for pool in again.state.store.pools:
        assert pool.allocation is AllocationState.STEADY
        assert {node.state for node in again.nodes(pool.id)} == {NodeState.IDLE}


def test_a_node_that_was_leaving_leaves() -> None:
    world = busy_world(dedicated=1)
    world.add("a")
    resize_pool(
        world.state,
        world.now,
        POOL,
        dedicated=0,
        spot=None,
        document={},
        option=Deallocation.TASK_COMPLETION,
    )
    world.wait()
    assert world.nodes()[0].state is NodeState.LEAVING_POOL
    again = born_again(world)
    again.wait()
    assert again.nodes() == []
    assert again.task("a").state is TaskState.ACTIVE


def test_schedules_make_the_jobs_that_come_due() -> None:
    world = World()
    world.pool()
    draft = JobDraft(document={}, rules=RULES, where=POOL)
    later = Recurrence(
        not_until=world.now + DAY, not_after=world.now + 10 * DAY, window=None, interval=None
    )
    for name in ("kept", "deleted"):
        create_schedule(world.state, world.now, ScheduleId(name), {}, later, draft)
    world.wait()
    delete_schedule(world.state, world.now, ScheduleId("deleted"))

    again = born_again(world)
    again.wait(timedelta(minutes=1))
    assert [schedule.id for schedule in again.state.store.schedules] == ["kept"]
    assert list(again.state.store.jobs) == []
    again.wait(2 * DAY)
    assert [job.id for job in again.state.store.jobs] == ["kept:job-1"]


def test_formulas_and_wall_times_go_on() -> None:
    world = World()
    formula = AutoScaleRule(formula="$TargetDedicatedNodes = 2;", interval=timedelta(minutes=5))
    draft = replace(world.draft(dedicated=0), autoscale=formula)
    create_pool(world.state, world.now, POOL, draft)
    world.job(rules=replace(RULES, max_wall_clock_time=timedelta(minutes=3)))
    world.wait()
    scaling = world.pool_now().autoscale
    assert scaling is not None
    assert scaling.run is not None

    again = born_again(world)
    first = scaling.run.moment
    again.wait(timedelta(minutes=6))
    assert again.job_now().terminate_reason == "MaxWallClockTimeExpiry"
    scaling = again.pool_now().autoscale
    assert scaling is not None
    assert scaling.run is not None
    assert scaling.run.moment == first + timedelta(minutes=5)


def test_files_are_removed_when_their_time_is_over() -> None:
    world = busy_world()
    world.add("a", retention=DAY)
    world.end("a")
    again = born_again(world)
    again.wait(DAY / 2)
    assert not again.task("a").cleaned_up
    again.wait(DAY)
    assert again.task("a").cleaned_up


def test_no_etag_comes_twice() -> None:
    world = busy_world()
    world.now += DAY
    world.add("a")
    last = world.task("a").modified
    again = born_again(world)
    # A clock that was set back.
    again.now -= 2 * DAY
    again.add("b")
    assert again.task("b").modified > last


def test_every_kind_of_moment_is_noted() -> None:
    """Whoever adds one has to say how it follows from the records."""
    names = {due.__name__ for due in get_args(agenda.Due)}
    derived = {"PoolDue", "NodeDue", "JobDue", "TaskDue", "SampleDue", "ScaleDue", "ScheduleDue"}
    # Follows from the work that is offered when nodes are ready.
    derived.add("WorkDue")
    assert names == derived


def test_an_empty_account_is_recovered() -> None:
    again = born_again(World())
    assert again.state.agenda.next_moment() is None
    assert again.state.stamp(datetime(2026, 1, 1, tzinfo=timezone.utc)).year == 2026
    assert NodeId("x") not in again.preparations
