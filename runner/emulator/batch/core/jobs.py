"""The transitions of jobs that clients ask for: created, changed, disabled, ended, deleted.

It must not know what a job does by itself (`jobprogress`), nor how its tasks are placed or run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from runner.emulator.batch.core.agenda import JobDue
from runner.emulator.batch.core.autopools import make_auto_pool
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, PoolId, ScheduleId, key_of
from runner.emulator.batch.core.job import (
    AutoPool,
    DisableTasks,
    Job,
    JobDraft,
    JobRules,
    JobState,
    SchedulingError,
)
from runner.emulator.batch.core.preparation import kill_preparations
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.runs import end_task, requeue_task
from runner.emulator.batch.core.schedule import ScheduleState
from runner.emulator.batch.core.state import State
from runner.emulator.batch.core.task import Task, TaskDraft
from runner.emulator.batch.core.tasks import add_task
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import replace


def create_job(
    state: State,
    now: datetime,
    identifier: JobId,
    draft: JobDraft,
    *,
    schedule: ScheduleId | None = None,
) -> Job:
    """Adds a job, with a pool of its own and a job manager task where it asks for them."""
    existing = state.store.jobs.get(key_of(identifier))
    if existing is not None:
        deleting = existing.state is JobState.DELETING
        raise RefusedError(Reason.JOB_BEING_DELETED if deleting else Reason.JOB_EXISTS)
    if state.store.schedules.get(key_of(identifier)) is not None:
        raise RefusedError(Reason.SCHEDULE_HAS_ID)
    if schedule is None:
        check_job_quota(state)
    where = draft.where
    fault: SchedulingError | None = None
    if isinstance(where, AutoPool):
        pool, fault = make_auto_pool(state, now, where, auto_pool_of=identifier)
    else:
        pool = where
    created = state.stamp(now)
    stamp = state.stamp(now)
    job = Job(
        id=identifier,
        schedule=schedule,
        document=draft.document,
        rules=draft.rules,
        created=created,
        modified=stamp,
        state=JobState.ACTIVE,
        state_time=stamp,
        previous_state=None,
        previous_state_time=None,
        pool=pool,
        owns_pool=isinstance(where, AutoPool) and not where.keep_alive,
        started=stamp,
        ended=None,
        terminate_reason=None,
        scheduling_error=fault,
        tasks_made=0,
        registry_passwords=draft.registry_passwords,
    )
    state.store.put(job)
    _watch_time(state, job)
    if draft.manager is not None:
        _add_manager(state, now, job, draft.manager)
    state.touch_job(job.id)
    return job


def check_job_quota(state: State) -> None:
    """Raises `RefusedError` where the account has as many jobs and schedules as it may."""
    limit = state.limits.quotas.active_jobs
    if limit is None:
        return
    jobs = sum(job.state is not JobState.COMPLETED for job in state.store.jobs)
    schedules = sum(each.state is not ScheduleState.COMPLETED for each in state.store.schedules)
    if jobs + schedules >= limit:
        raise RefusedError(Reason.JOB_QUOTA_REACHED)


def _add_manager(state: State, now: datetime, job: Job, draft: TaskDraft) -> None:
    rule = job.rules.manager
    pool = state.store.pools.get(key_of(job.pool))
    if rule is not None and rule.exclusive and pool is not None:
        # No other task runs beside it: it takes the node whole.
        draft = replace(draft, slots=pool.slots_per_node)
    add_task(state, now, job.id, draft)


def update_job(
    state: State,
    now: datetime,
    identifier: JobId,
    *,
    document: Document,
    rules: JobRules,
    pool: PoolId | None,
    keep_pool: bool | None,
) -> Job:
    """Gives a job other properties; another pool only while it is disabled."""
    job = state.store.job(identifier)
    if job.state is JobState.DELETING:
        raise RefusedError(Reason.JOB_BEING_DELETED)
    if job.state in (JobState.TERMINATING, JobState.COMPLETED):
        ending = job.state is JobState.TERMINATING
        raise RefusedError(Reason.JOB_BEING_TERMINATED if ending else Reason.JOB_COMPLETED)
    moves = pool is not None and pool != job.pool
    if moves and job.state is not JobState.DISABLED:
        raise RefusedError(
            Reason.OPERATION_INVALID_NOW,
            ("Reason", "The pool of a job may be changed only while the job is disabled"),
        )
    job = replace(
        job,
        modified=state.stamp(now),
        document=document,
        rules=rules,
        pool=pool if pool is not None and moves else job.pool,
        owns_pool=job.owns_pool if keep_pool is None else not keep_pool,
    )
    state.store.put(job)
    _watch_time(state, job)
    state.touch_job(job.id)
    state.offer_work(job.pool)
    return job


def terminate_job(state: State, now: datetime, identifier: JobId, reason: str) -> Job:
    """Ends a job: what runs is killed, what waits stays as it is."""
    job = state.store.job(identifier)
    match job.state:
        case JobState.DELETING:
            raise RefusedError(Reason.JOB_BEING_DELETED)
        case JobState.TERMINATING:
            raise RefusedError(Reason.JOB_BEING_TERMINATED)
        case JobState.COMPLETED:
            raise RefusedError(Reason.JOB_COMPLETED)
        case JobState.ACTIVE | JobState.DISABLING | JobState.DISABLED | JobState.ENABLING:
            pass
        case _:
            raise unforeseen(job.state)
    job = replace(_moved(state, now, job, JobState.TERMINATING), terminate_reason=reason)
    state.store.put(job)
    _end_running_tasks(state, now, job)
    kill_preparations(state, job)
    return job


def disable_job(state: State, now: datetime, identifier: JobId, option: DisableTasks) -> Job:
    """Stops a job from running tasks; those that run are dealt with as the option says."""
    job = state.store.job(identifier)
    if job.state is not JobState.ACTIVE:
        raise _wrong_state(job, Reason.JOB_NOT_ACTIVE)
    return begin_disabling(state, now, job, option)


def begin_disabling(state: State, now: datetime, job: Job, option: DisableTasks) -> Job:
    """Disables a job, whatever asks for it, that may run tasks or is about to."""
    job = _moved(state, now, job, JobState.DISABLING)
    state.store.put(job)
    match option:
        case DisableTasks.REQUEUE:
            for task in _running_tasks(state, job):
                requeue_task(state, now, task)
        case DisableTasks.TERMINATE:
            _end_running_tasks(state, now, job)
        case DisableTasks.WAIT:
            pass
        case _:
            raise unforeseen(option)
    return job


def enable_job(state: State, now: datetime, identifier: JobId) -> Job:
    """Lets a disabled job run tasks again."""
    job = state.store.job(identifier)
    if job.state not in (JobState.DISABLING, JobState.DISABLED):
        raise _wrong_state(job, Reason.OPERATION_INVALID_NOW)
    job = _moved(state, now, job, JobState.ENABLING)
    state.store.put(job)
    return job


def _wrong_state(job: Job, otherwise: Reason) -> RefusedError:
    match job.state:
        case JobState.DELETING:
            return RefusedError(Reason.JOB_BEING_DELETED)
        case JobState.TERMINATING:
            return RefusedError(Reason.JOB_BEING_TERMINATED)
        case JobState.COMPLETED:
            return RefusedError(Reason.JOB_COMPLETED)
        case _:
            return RefusedError(otherwise)


def delete_job(state: State, now: datetime, identifier: JobId) -> None:
    """Has a job go away with its tasks and their files."""
    job = state.store.job(identifier)
    if job.state is JobState.DELETING:
        raise RefusedError(Reason.JOB_BEING_DELETED)
    job = _moved(state, now, job, JobState.DELETING)
    state.store.put(job)
    _end_running_tasks(state, now, job)
    kill_preparations(state, job)


def _moved(state: State, now: datetime, job: Job, to: JobState) -> Job:
    state.agenda.add(now + state.pace.job_changing, JobDue(job=job.id))
    return replace(
        job,
        modified=state.stamp(now),
        state=to,
        state_time=now,
        previous_state=job.state,
        previous_state_time=job.state_time,
    )


def _end_running_tasks(state: State, now: datetime, job: Job) -> None:
    for task in _running_tasks(state, job):
        end_task(state, now, task)


def _running_tasks(state: State, job: Job) -> Iterator[Task]:
    """The tasks that run, each once; what is done to one may end the runs of its subtasks."""
    for identifier in state.runs_of(job.id):
        run = state.runs.get(identifier)
        if run is None or run.task is None:
            continue
        task = state.store.tasks(job.id).get(key_of(run.task))
        if task is not None and task.run == identifier:
            yield task


def _watch_time(state: State, job: Job) -> None:
    if job.rules.max_wall_clock_time is not None:
        state.agenda.add(job.started + job.rules.max_wall_clock_time, JobDue(job=job.id))
