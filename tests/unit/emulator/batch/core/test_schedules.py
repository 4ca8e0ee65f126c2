"""Job schedules: when jobs are made, and what ends with what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runner.emulator.batch.core.ids import JobId, PoolId, ScheduleId, TaskId
from runner.emulator.batch.core.job import AutoPool, JobDraft, JobState, ManagerRule
from runner.emulator.batch.core.jobs import create_job, delete_job, terminate_job
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.schedule import JobSchedule, Recurrence, ScheduleState
from runner.emulator.batch.core.schedules import (
    create_schedule,
    delete_schedule,
    disable_schedule,
    enable_schedule,
    terminate_schedule,
    update_schedule,
)
from runner.emulator.batch.core.task import TaskDraft, TaskState
from tests.unit.emulator.batch.core.world import RULES, World

NAME = ScheduleId("daily")
HOUR = timedelta(hours=1)
ONCE = Recurrence(not_until=None, not_after=None, window=None, interval=None)
HOURLY = replace(ONCE, interval=HOUR)
DRAFT = JobDraft(document={}, rules=RULES, where=PoolId("pool"))
MANAGER = TaskDraft(
    id=TaskId("manager"),
    document={},
    slots=1,
    max_retry_count=None,
    exits=None,
    declares_job_action=False,
    depends_on=None,
)
MANAGED = replace(
    DRAFT,
    rules=replace(RULES, manager=ManagerRule(id=TaskId("manager"), kills_job=True, exclusive=True)),
    manager=MANAGER,
)


def scheduled_world(recurrence: Recurrence = ONCE, draft: JobDraft = DRAFT) -> World:
    world = World()
    create_schedule(world.state, world.now, NAME, {}, recurrence, draft)
    world.wait()
    return world


def schedule(world: World) -> JobSchedule:
    return world.state.store.schedule(NAME)


def jobs(world: World) -> list[tuple[str, JobState]]:
    return [(job.id, job.state) for job in world.state.store.jobs]


def end(world: World, number: int) -> None:
    terminate_job(world.state, world.now, JobId(f"daily:job-{number}"), "enough")
    world.wait()


def test_a_schedule_that_does_not_recur_makes_one_job() -> None:
    world = scheduled_world()
    assert jobs(world) == [("daily:job-1", JobState.ACTIVE)]
    assert (schedule(world).state, schedule(world).next_due) == (ScheduleState.ACTIVE, None)
    end(world, 1)
    assert schedule(world).state is ScheduleState.COMPLETED
    assert schedule(world).ended is not None
    world.wait(3 * HOUR)
    assert jobs(world) == [("daily:job-1", JobState.COMPLETED)]


def test_a_job_is_made_at_each_interval() -> None:
    world = scheduled_world(HOURLY)
    end(world, 1)
    world.wait(HOUR - timedelta(seconds=3))
    assert len(jobs(world)) == 1
    world.wait(timedelta(seconds=2))
    assert jobs(world)[1] == ("daily:job-2", JobState.ACTIVE)
    assert schedule(world).next_due == schedule(world).created + 2 * HOUR


def test_a_job_waits_for_the_one_before_it_and_none_is_caught_up() -> None:
    world = scheduled_world(HOURLY)
    world.wait(3.5 * HOUR)
    assert len(jobs(world)) == 1
    end(world, 1)
    assert jobs(world)[1] == ("daily:job-2", JobState.ACTIVE)
    assert schedule(world).next_due == schedule(world).created + 4 * HOUR


def test_after_the_start_window_a_job_is_not_made() -> None:
    world = scheduled_world(replace(HOURLY, window=timedelta(minutes=10)))
    world.wait(1.5 * HOUR)
    end(world, 1)
    assert len(jobs(world)) == 1
    world.wait(0.5 * HOUR)
    assert len(jobs(world)) == 2


def test_no_job_is_made_before_or_after_the_times_given() -> None:
    start = World().now
    world = scheduled_world(
        replace(HOURLY, not_until=start + 2 * HOUR, not_after=start + 2.5 * HOUR)
    )
    assert jobs(world) == []
    world.wait(2 * HOUR)
    assert len(jobs(world)) == 1
    end(world, 1)
    assert schedule(world).state is ScheduleState.ACTIVE
    world.wait(HOUR)
    assert len(jobs(world)) == 1
    assert schedule(world).state is ScheduleState.COMPLETED


def test_a_disabled_schedule_makes_no_jobs() -> None:
    world = scheduled_world(HOURLY)
    end(world, 1)
    disable_schedule(world.state, world.now, NAME)
    with pytest.raises(RefusedError) as caught:
        disable_schedule(world.state, world.now, NAME)
    assert caught.value.reason is Reason.SCHEDULE_DISABLED
    world.wait(2.5 * HOUR)
    assert len(jobs(world)) == 1
    enable_schedule(world.state, world.now, NAME)
    world.wait()
    assert len(jobs(world)) == 2
    with pytest.raises(RefusedError) as caught:
        enable_schedule(world.state, world.now, NAME)
    assert caught.value.reason is Reason.OPERATION_INVALID_NOW


def test_a_schedule_that_is_terminated_ends_its_job() -> None:
    world = scheduled_world(HOURLY)
    terminate_schedule(world.state, world.now, NAME)
    world.settle()
    assert schedule(world).state is ScheduleState.TERMINATING
    world.wait()
    assert schedule(world).state is ScheduleState.COMPLETED
    assert jobs(world) == [("daily:job-1", JobState.COMPLETED)]
    job = world.state.store.job(JobId("daily:job-1"))
    assert job.terminate_reason == "TerminateJobSchedule"
    with pytest.raises(RefusedError) as caught:
        terminate_schedule(world.state, world.now, NAME)
    assert caught.value.reason is Reason.SCHEDULE_COMPLETED


def test_a_schedule_that_is_deleted_takes_its_jobs_with_it() -> None:
    world = scheduled_world(HOURLY)
    end(world, 1)
    world.wait(HOUR)
    delete_schedule(world.state, world.now, NAME)
    with pytest.raises(RefusedError) as caught:
        delete_schedule(world.state, world.now, NAME)
    assert caught.value.reason is Reason.SCHEDULE_BEING_DELETED
    world.wait()
    assert jobs(world) == []
    with pytest.raises(RefusedError) as caught:
        schedule(world)
    assert caught.value.reason is Reason.SCHEDULE_NOT_FOUND


def test_a_schedule_completes_when_its_only_job_is_deleted() -> None:
    world = scheduled_world()
    delete_job(world.state, world.now, JobId("daily:job-1"))
    world.wait()
    assert schedule(world).state is ScheduleState.COMPLETED


def test_another_recurrence_counts_from_the_last_job() -> None:
    world = scheduled_world(HOURLY)
    end(world, 1)
    update_schedule(world.state, world.now, NAME, {}, replace(HOURLY, interval=2 * HOUR), DRAFT)
    world.wait(1.5 * HOUR)
    assert len(jobs(world)) == 1
    world.wait(0.5 * HOUR)
    assert len(jobs(world)) == 2


def test_a_job_and_a_schedule_have_different_ids() -> None:
    world = scheduled_world()
    with pytest.raises(RefusedError) as caught:
        create_job(world.state, world.now, JobId("DAILY"), DRAFT)
    assert caught.value.reason is Reason.SCHEDULE_HAS_ID
    world.job("other")
    with pytest.raises(RefusedError) as caught:
        create_schedule(world.state, world.now, ScheduleId("Other"), {}, ONCE, DRAFT)
    assert caught.value.reason is Reason.JOB_HAS_ID
    with pytest.raises(RefusedError) as caught:
        create_schedule(world.state, world.now, NAME, {}, ONCE, DRAFT)
    assert caught.value.reason is Reason.SCHEDULE_EXISTS


@pytest.mark.parametrize("keep", [True, False])
def test_the_jobs_of_a_schedule_can_share_a_pool(keep: bool) -> None:
    where = AutoPool(prefix="auto-", keep_alive=keep, of_schedule=True, draft=World().draft())
    world = scheduled_world(HOURLY, replace(DRAFT, where=where))
    (pool,) = world.state.store.pools
    end(world, 1)
    world.wait(HOUR)
    assert [other.id for other in world.state.store.pools] == [pool.id]
    assert {job.pool for job in world.state.store.jobs} == {pool.id}
    terminate_schedule(world.state, world.now, NAME)
    world.wait()
    assert [other.id for other in world.state.store.pools] == ([pool.id] if keep else [])


def test_a_job_ends_with_its_manager() -> None:
    world = World()
    world.pool(slots=4)
    create_job(world.state, world.now, JobId("job"), MANAGED)
    world.add("a", "b")
    # The manager has the node to itself.
    assert world.running == {"manager"}
    world.end("manager")
    world.obey_kills()
    world.wait()
    job = world.job_now()
    assert (job.state, job.terminate_reason) == (JobState.COMPLETED, "JMComplete")


def test_a_job_may_outlive_its_manager() -> None:
    world = World()
    world.pool(slots=4)
    rule = ManagerRule(id=TaskId("manager"), kills_job=False, exclusive=False)
    draft = replace(MANAGED, rules=replace(RULES, manager=rule))
    create_job(world.state, world.now, JobId("job"), draft)
    world.add("a")
    assert world.running == {"manager", "a"}
    world.end("manager", 1)
    assert world.job_now().state is JobState.ACTIVE
    assert world.task("a").state is TaskState.RUNNING
