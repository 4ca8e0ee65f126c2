"""The life of a job: its pool, its limits, its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runner.emulator.batch.core.actions import RemoveJobFiles
from runner.emulator.batch.core.ids import JobId, Key, PoolId, TaskId
from runner.emulator.batch.core.job import (
    AutoPool,
    DisableTasks,
    JobState,
    ManagerRule,
    OnAllTasksComplete,
    OnTaskFailure,
)
from runner.emulator.batch.core.jobs import (
    delete_job,
    disable_job,
    enable_job,
    terminate_job,
    update_job,
)
from runner.emulator.batch.core.pool import PoolState
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.task import ExitAction, ExitRules, JobAction, TaskState
from runner.emulator.batch.core.tasks import terminate_task
from tests.unit.emulator.batch.core.world import RULES, World

JOB = JobId("job")
MANAGED = replace(RULES, manager=ManagerRule(id=TaskId("manager"), kills_job=True, exclusive=False))
ENDS_ITSELF = replace(RULES, on_all_complete=OnAllTasksComplete.TERMINATE_JOB)


def exits(job: JobAction) -> ExitRules:
    """Any failure does this to the job."""
    action = ExitAction(job=job, satisfies_dependents=False)
    return ExitRules(codes=(), ranges=(), pre_processing=None, file_upload=None, default=action)


def refusal(world: World, name: str = "job") -> Reason:
    """Why a task cannot be added now."""
    with pytest.raises(RefusedError) as caught:
        world.add("late", job=name)
    return caught.value.reason


def test_a_job_is_terminating_until_its_processes_are_gone() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a", "b")
    terminate_job(world.state, world.now, JOB, "because")
    world.wait()
    assert world.job_now().state is JobState.TERMINATING
    assert refusal(world) is Reason.JOB_BEING_TERMINATED
    world.obey_kills()
    job = world.job_now()
    assert (job.state, job.terminate_reason) == (JobState.COMPLETED, "because")
    assert job.ended is not None
    assert world.task("a").state is TaskState.COMPLETED
    assert world.task("b").state is TaskState.ACTIVE
    assert world.running == {"a"}


def test_a_deleted_job_is_gone_with_its_files_once_its_processes_are() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a")
    node = world.nodes()[0].id
    delete_job(world.state, world.now, JOB)
    world.wait()
    assert world.job_now().state is JobState.DELETING
    assert refusal(world) is Reason.JOB_BEING_DELETED
    world.obey_kills()
    assert world.state.store.jobs.get(Key("job")) is None
    assert RemoveJobFiles(node=node, job=JOB) in world.actions
    world.job()
    assert world.job_now().state is JobState.ACTIVE


def test_a_job_that_is_to_end_itself_does_so_with_its_last_task() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a")
    update_job(
        world.state, world.now, JOB, document={}, rules=ENDS_ITSELF, pool=None, keep_pool=None
    )
    world.wait()
    assert world.job_now().state is JobState.ACTIVE
    world.end("a", 1)
    world.wait()
    job = world.job_now()
    assert (job.state, job.terminate_reason) == (JobState.COMPLETED, "AllTasksComplete")


def test_time_ends_a_job() -> None:
    world = World()
    world.pool()
    world.job(rules=replace(RULES, max_wall_clock_time=timedelta(minutes=10)))
    world.add("a")
    world.wait(timedelta(minutes=9))
    assert world.job_now().state is JobState.ACTIVE
    world.wait(timedelta(minutes=1, seconds=1))
    assert world.job_now().terminate_reason == "MaxWallClockTimeExpiry"


def test_more_time_can_be_given_to_a_job() -> None:
    world = World()
    world.job(rules=replace(RULES, max_wall_clock_time=timedelta(minutes=10)))
    longer = replace(RULES, max_wall_clock_time=timedelta(minutes=20))
    update_job(world.state, world.now, JOB, document={}, rules=longer, pool=None, keep_pool=None)
    world.wait(timedelta(minutes=15))
    assert world.job_now().state is JobState.ACTIVE
    world.wait(timedelta(minutes=6))
    assert world.job_now().state is JobState.COMPLETED


@pytest.mark.parametrize(
    ("option", "state"),
    [(DisableTasks.REQUEUE, TaskState.ACTIVE), (DisableTasks.TERMINATE, TaskState.COMPLETED)],
)
def test_disabling_deals_with_running_tasks(option: DisableTasks, state: TaskState) -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a")
    disable_job(world.state, world.now, JOB, option)
    world.wait()
    assert world.job_now().state is JobState.DISABLING
    world.obey_kills()
    assert world.job_now().state is JobState.DISABLED
    assert world.task("a").state is state


def test_disabling_can_wait_and_enabling_goes_on() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a", "b")
    disable_job(world.state, world.now, JOB, DisableTasks.WAIT)
    world.wait()
    assert world.job_now().state is JobState.DISABLING
    world.end("a")
    assert world.job_now().state is JobState.DISABLED
    assert world.running == set()
    enable_job(world.state, world.now, JOB)
    assert world.job_now().state is JobState.ENABLING
    world.wait()
    assert world.running == {"b"}
    with pytest.raises(RefusedError) as caught:
        enable_job(world.state, world.now, JOB)
    assert caught.value.reason is Reason.OPERATION_INVALID_NOW


@pytest.mark.parametrize(
    ("action", "state"),
    [
        (JobAction.NONE, JobState.ACTIVE),
        (JobAction.DISABLE, JobState.DISABLED),
        (JobAction.TERMINATE, JobState.COMPLETED),
    ],
)
def test_exits_act_on_a_job_that_lets_them(action: JobAction, state: JobState) -> None:
    world = World()
    world.pool()
    world.job(rules=replace(RULES, on_task_failure=OnTaskFailure.PERFORM_EXIT_OPTIONS))
    world.add("a", exits=exits(action))
    world.end("a", 1)
    world.wait()
    assert world.job_now().state is state


def test_a_job_that_takes_no_action_ignores_exits() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a", exits=exits(JobAction.TERMINATE))
    world.end("a", 1)
    world.wait()
    assert world.job_now().state is JobState.ACTIVE


@pytest.mark.parametrize("keep", [False, True])
def test_an_auto_pool_goes_with_its_job_unless_it_is_kept(keep: bool) -> None:
    world = World()
    auto = AutoPool(of_schedule=False, prefix="p-", keep_alive=keep, draft=world.draft())
    world.job(where=auto)
    assert world.job_now().pool == "p-AB-CD"
    world.wait()
    terminate_job(world.state, world.now, JOB, "because")
    world.wait()
    pool = world.state.store.pools.get(Key("p-ab-cd"))
    assert (pool is not None and pool.state is PoolState.ACTIVE) is keep


def test_a_job_moves_to_another_pool_only_while_it_is_disabled() -> None:
    world = World()
    world.job()

    def move() -> None:
        update_job(
            world.state,
            world.now,
            JOB,
            document={},
            rules=RULES,
            pool=PoolId("other"),
            keep_pool=None,
        )

    with pytest.raises(RefusedError):
        move()
    disable_job(world.state, world.now, JOB, DisableTasks.WAIT)
    world.wait()
    move()
    assert world.job_now().pool == "other"


def test_a_job_manager_that_is_ended_ends_its_job() -> None:
    world = World()
    world.pool()
    world.job(rules=MANAGED)
    world.add("manager")
    terminate_task(world.state, world.now, JOB, TaskId("manager"))
    world.settle()
    world.obey_kills()
    world.wait()
    job = world.job_now()
    assert (job.state, job.terminate_reason) == (JobState.COMPLETED, "JMComplete")


def test_what_ends_while_its_job_is_being_disabled_acts_on_the_job() -> None:
    world = World()
    world.pool(dedicated=2)
    world.job("managed", rules=MANAGED)
    world.add("manager", job="managed")
    world.job(rules=replace(RULES, on_task_failure=OnTaskFailure.PERFORM_EXIT_OPTIONS))
    world.add("a", exits=exits(JobAction.TERMINATE))
    for name in ("managed", "job"):
        disable_job(world.state, world.now, JobId(name), DisableTasks.WAIT)
    world.wait()
    assert world.job_now().state is world.job_now("managed").state is JobState.DISABLING
    world.end("manager")
    world.end("a", 1)
    world.wait()
    jobs = [world.job_now(name) for name in ("managed", "job")]
    assert [(job.state, job.terminate_reason) for job in jobs] == [
        (JobState.COMPLETED, "JMComplete"),
        (JobState.COMPLETED, "TaskFailed"),
    ]


@pytest.mark.parametrize("enabling", [False, True])
def test_an_exit_disables_a_job_that_is_not_yet(enabling: bool) -> None:
    world = World()
    world.pool()
    world.job(rules=replace(RULES, on_task_failure=OnTaskFailure.PERFORM_EXIT_OPTIONS))
    world.add("a", exits=exits(JobAction.DISABLE))
    disable_job(world.state, world.now, JOB, DisableTasks.WAIT)
    if enabling:
        enable_job(world.state, world.now, JOB)
    world.settle()
    world.end("a", 1)
    world.wait()
    assert world.job_now().state is JobState.DISABLED


def test_ending_tasks_by_disabling_their_job_is_no_exit_of_theirs() -> None:
    world = World()
    world.pool()
    world.job(rules=replace(RULES, on_task_failure=OnTaskFailure.PERFORM_EXIT_OPTIONS))
    world.add("a", exits=exits(JobAction.TERMINATE))
    disable_job(world.state, world.now, JOB, DisableTasks.TERMINATE)
    world.settle()
    world.obey_kills()
    world.wait()
    assert world.task("a").state is TaskState.COMPLETED
    assert world.job_now().state is JobState.DISABLED


def test_time_ends_a_job_that_waits_to_be_disabled() -> None:
    world = World()
    world.pool()
    world.job(rules=replace(RULES, max_wall_clock_time=timedelta(minutes=1)))
    world.add("a")
    disable_job(world.state, world.now, JOB, DisableTasks.WAIT)
    world.wait(timedelta(minutes=2))
    assert world.job_now().state is JobState.TERMINATING
    world.obey_kills()
    job = world.job_now()
    assert (job.state, job.terminate_reason) == (JobState.COMPLETED, "MaxWallClockTimeExpiry")


def test_a_job_that_is_to_end_itself_does_so_once_it_is_disabled() -> None:
    world = World()
    world.pool()
    world.job(rules=ENDS_ITSELF)
    world.add("a")
    disable_job(world.state, world.now, JOB, DisableTasks.WAIT)
    world.wait()
    world.end("a")
    world.wait()
    job = world.job_now()
    assert (job.state, job.terminate_reason) == (JobState.COMPLETED, "AllTasksComplete")
