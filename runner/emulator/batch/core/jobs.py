"""The transitions of jobs: created, changed, disabled, ended, deleted.

It must not know how tasks are placed (`scheduler`) or run.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from typing_extensions import assert_never

from runner.emulator.batch.core.actions import RemoveJobFiles
from runner.emulator.batch.core.agenda import JobDue
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.exits import exit_action
from runner.emulator.batch.core.ids import JobId, PoolId, TaskId, key_of
from runner.emulator.batch.core.job import (
    AutoPool,
    DisableTasks,
    Job,
    JobRules,
    JobState,
    OnAllTasksComplete,
    OnTaskFailure,
)
from runner.emulator.batch.core.pool import PoolState
from runner.emulator.batch.core.pools import create_pool, delete_pool
from runner.emulator.batch.core.preparation import kill_preparations
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.releases import release_nodes
from runner.emulator.batch.core.runs import end_task, requeue_task
from runner.emulator.batch.core.state import State
from runner.emulator.batch.core.task import JobAction

ALL_TASKS_COMPLETE = "AllTasksComplete"
TASK_FAILED = "TaskFailed"
TIME_EXPIRED = "MaxWallClockTimeExpiry"


def create_job(
    state: State,
    now: datetime,
    identifier: JobId,
    document: Document,
    rules: JobRules,
    where: PoolId | AutoPool,
) -> Job:
    """Adds a job, with a pool of its own where it asks for one."""
    existing = state.store.jobs.get(key_of(identifier))
    if existing is not None:
        deleting = existing.state is JobState.DELETING
        raise RefusedError(Reason.JOB_BEING_DELETED if deleting else Reason.JOB_EXISTS)
    if isinstance(where, AutoPool):
        pool = PoolId(where.prefix + state.names.guid().upper())
        create_pool(state, now, pool, where.draft, auto_pool_of=identifier)
    else:
        pool = where
    created = state.stamp(now)
    stamp = state.stamp(now)
    job = Job(
        id=identifier,
        document=document,
        rules=rules,
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
        tasks_made=0,
    )
    state.store.put(job)
    _watch_time(state, job)
    state.touch_job(job.id)
    return job


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
            assert_never(job.state)
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
    job = _moved(state, now, job, JobState.DISABLING)
    state.store.put(job)
    match option:
        case DisableTasks.REQUEUE:
            for run in state.runs_of(job.id):
                task_id = state.runs[run].task
                task = None if task_id is None else state.store.tasks(job.id).get(key_of(task_id))
                if task is not None and task.run == run:
                    requeue_task(state, now, task)
        case DisableTasks.TERMINATE:
            _end_running_tasks(state, now, job)
        case DisableTasks.WAIT:
            pass
        case _:
            assert_never(option)
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
    for run in state.runs_of(job.id):
        task_id = state.runs[run].task
        task = None if task_id is None else state.store.tasks(job.id).get(key_of(task_id))
        if task is not None and task.run == run:
            end_task(state, now, task)


def _watch_time(state: State, job: Job) -> None:
    if job.rules.max_wall_clock_time is not None:
        state.agenda.add(job.started + job.rules.max_wall_clock_time, JobDue(job=job.id))


def react_to_exit(state: State, now: datetime, job_id: JobId, task_id: TaskId) -> None:
    """Does to a job what the exit conditions of a task that just ended ask for."""
    job = state.store.jobs.get(key_of(job_id))
    task = state.store.tasks(job_id).get(key_of(task_id)) if job is not None else None
    if job is None or task is None or job.state is not JobState.ACTIVE:
        return
    if job.rules.on_task_failure is not OnTaskFailure.PERFORM_EXIT_OPTIONS:
        return
    match exit_action(task).job:
        case JobAction.NONE:
            pass
        case JobAction.DISABLE:
            disable_job(state, now, job.id, DisableTasks.REQUEUE)
        case JobAction.TERMINATE:
            terminate_job(state, now, job.id, TASK_FAILED)


def look_at_job(state: State, now: datetime, job: Job) -> None:
    """Moves a job on whose transient state, time or work is over; leaves any other alone."""
    gone = not state.has_runs(job.id)
    over = now >= job.state_time + state.pace.job_changing
    match job.state:
        case JobState.ACTIVE | JobState.DISABLED:
            _end_when_done(state, now, job)
        case JobState.DISABLING:
            if gone and over:
                _arrive(state, now, job, JobState.DISABLED)
        case JobState.ENABLING:
            if over:
                _arrive(state, now, job, JobState.ACTIVE)
                state.offer_work(job.pool)
                state.touch_job(job.id)
        case JobState.TERMINATING:
            if gone and over and release_nodes(state, now, job):
                _arrive(state, now, replace(job, ended=now), JobState.COMPLETED)
                _release_pool(state, now, job)
        case JobState.DELETING:
            if gone and over and release_nodes(state, now, job):
                _remove(state, now, job)
        case JobState.COMPLETED:
            pass
        case _:
            assert_never(job.state)


def _end_when_done(state: State, now: datetime, job: Job) -> None:
    limit = job.rules.max_wall_clock_time
    if limit is not None and now >= job.started + limit:
        terminate_job(state, now, job.id, TIME_EXPIRED)
        return
    if job.rules.on_all_complete is OnAllTasksComplete.TERMINATE_JOB:
        counts = state.store.tasks(job.id).counts()
        if counts.active == 0 and counts.running == 0:
            terminate_job(state, now, job.id, ALL_TASKS_COMPLETE)


def _arrive(state: State, now: datetime, job: Job, to: JobState) -> None:
    state.store.put(
        replace(
            job,
            state=to,
            state_time=now,
            previous_state=job.state,
            previous_state_time=job.state_time,
        )
    )


def _release_pool(state: State, now: datetime, job: Job) -> None:
    if not job.owns_pool:
        return
    pool = state.store.pools.get(key_of(job.pool))
    if pool is not None and pool.state is PoolState.ACTIVE and pool.auto_pool_of == job.id:
        delete_pool(state, now, pool.id)


def _remove(state: State, now: datetime, job: Job) -> None:
    placements = (task.placement for task in state.store.tasks(job.id))
    records = state.store.job_nodes.of_job(job.id)
    nodes = dict.fromkeys(
        [*(place.node for place in placements if place is not None), *(r.node for r in records)]
    )
    state.actions.extend(RemoveJobFiles(node=node, job=job.id) for node in nodes)
    state.store.delete(job)
    _release_pool(state, now, job)
