"""What is still to come of jobs that nobody asks for any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from runner.emulator.batch.core.ids import JobId, PoolId, ScheduleId, TaskId
from runner.emulator.batch.core.job import DisableTasks, JobDraft, OnAllTasksComplete
from runner.emulator.batch.core.jobs import delete_job, disable_job, terminate_job
from runner.emulator.batch.core.outlook import Outlook, find_outlook
from runner.emulator.batch.core.schedule import Recurrence
from runner.emulator.batch.core.schedules import create_schedule, disable_schedule
from runner.emulator.batch.core.task import Dependencies
from tests.unit.emulator.batch.core.world import RULES, World

JOB = JobId("job")
ENDS_ITSELF = replace(RULES, on_all_complete=OnAllTasksComplete.TERMINATE_JOB)


def outlook(world: World) -> Outlook:
    return find_outlook(world.state)


def test_from_no_job_to_none() -> None:
    world = World()
    world.pool()
    assert outlook(world) is Outlook.EMPTY
    world.job(rules=ENDS_ITSELF)
    assert outlook(world) is Outlook.AT_REST
    world.add("a", "b")
    assert outlook(world) is Outlook.AT_WORK
    world.end("a")
    assert outlook(world) is Outlook.AT_WORK
    world.end("b")
    world.wait()
    assert outlook(world) is Outlook.ENDED
    delete_job(world.state, world.now, JOB)
    world.wait()
    assert outlook(world) is Outlook.EMPTY


def test_a_job_that_is_not_told_to_end_is_at_rest_between_tasks() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a")
    world.end("a")
    assert outlook(world) is Outlook.AT_REST


def test_tasks_that_wait_for_nodes_are_to_come() -> None:
    world = World()
    world.job(where=PoolId("none"))
    world.add("a")
    assert outlook(world) is Outlook.AT_WORK


def test_tasks_that_wait_for_one_that_failed_never_come() -> None:
    world = World()
    world.pool()
    world.job(rules=ENDS_ITSELF)
    world.add("a")
    world.add("b", depends_on=Dependencies(ids=(TaskId("a"),), ranges=()))
    assert outlook(world) is Outlook.AT_WORK
    world.end("a", exit_code=1)
    assert outlook(world) is Outlook.AT_REST


def test_processes_that_are_being_killed_are_waited_for() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a")
    terminate_job(world.state, world.now, JOB, "because")
    world.wait()
    assert outlook(world) is Outlook.AT_WORK
    world.obey_kills()
    assert outlook(world) is Outlook.ENDED


def test_a_disabled_job_is_at_rest_whatever_waits() -> None:
    world = World()
    world.pool(dedicated=0)
    world.job()
    world.add("a")
    disable_job(world.state, world.now, JOB, DisableTasks.REQUEUE)
    world.wait()
    assert outlook(world) is Outlook.AT_REST


def test_the_liveliest_job_counts() -> None:
    world = World()
    world.pool()
    for name in ("ended", "rests", "works"):
        world.job(name)
    terminate_job(world.state, world.now, JobId("ended"), "because")
    world.wait()
    assert outlook(world) is Outlook.AT_REST
    world.add("a", job="works")
    assert outlook(world) is Outlook.AT_WORK


def test_a_schedule_makes_jobs_until_it_is_disabled() -> None:
    world = World()
    later = Recurrence(
        not_until=world.now + timedelta(hours=1), not_after=None, window=None, interval=None
    )
    name, draft = ScheduleId("daily"), JobDraft(document={}, rules=RULES, where=PoolId("pool"))
    create_schedule(world.state, world.now, name, {}, later, draft)
    world.settle()
    assert outlook(world) is Outlook.AT_WORK
    disable_schedule(world.state, world.now, name)
    world.settle()
    assert outlook(world) is Outlook.EMPTY
