"""What jobs do by themselves: react to their tasks, run out of time, arrive at states, go away.

It must not know how tasks are placed (`scheduler`) or run.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.actions import RemoveJobFiles
from runner.emulator.batch.core.agenda import JobDue
from runner.emulator.batch.core.exits import exit_action
from runner.emulator.batch.core.ids import JobId, TaskId, key_of
from runner.emulator.batch.core.job import (
    DisableTasks,
    Job,
    JobState,
    OnAllTasksComplete,
    OnTaskFailure,
)
from runner.emulator.batch.core.jobs import begin_disabling, terminate_job
from runner.emulator.batch.core.pool import PoolState
from runner.emulator.batch.core.pools import delete_pool
from runner.emulator.batch.core.releases import release_nodes
from runner.emulator.batch.core.runs import ENDED_BY_REQUEST
from runner.emulator.batch.core.state import State
from runner.emulator.batch.core.task import JobAction
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import replace

ALL_TASKS_COMPLETE = "AllTasksComplete"
MANAGER_COMPLETE = "JMComplete"
TASK_FAILED = "TaskFailed"
TIME_EXPIRED = "MaxWallClockTimeExpiry"

_DISABLED = frozenset({JobState.DISABLING, JobState.DISABLED})
_GOING_ON = _DISABLED | {JobState.ACTIVE, JobState.ENABLING}


def react_to_exit(state: State, now: datetime, job_id: JobId, task_id: TaskId) -> None:
    """Does to a job what the exit conditions of a task that just ended ask for.

    Also while the job is disabled, whose tasks may go on to their end. A task that was ended by a
    request has met no exit condition; a job manager's end ends its job whatever caused it.
    """
    job = state.store.jobs.get(key_of(job_id))
    task = state.store.tasks(job_id).get(key_of(task_id)) if job is not None else None
    if job is None or task is None or job.state not in _GOING_ON:
        return
    manager = job.rules.manager
    if manager is not None and manager.kills_job and key_of(manager.id) == key_of(task.id):
        terminate_job(state, now, job.id, MANAGER_COMPLETE)
        return
    if job.rules.on_task_failure is not OnTaskFailure.PERFORM_EXIT_OPTIONS:
        return
    if task.failure == ENDED_BY_REQUEST:
        return
    match exit_action(task).job:
        case JobAction.NONE:
            pass
        case JobAction.DISABLE:
            if job.state not in _DISABLED:
                begin_disabling(state, now, job, DisableTasks.REQUEUE)
        case JobAction.TERMINATE:
            terminate_job(state, now, job.id, TASK_FAILED)


def look_at_job(state: State, now: datetime, job: Job) -> None:
    """Moves a job on whose transient state, time or work is over; leaves any other alone."""
    if job.state in _GOING_ON and _is_out_of_time(job, now):
        terminate_job(state, now, job.id, TIME_EXPIRED)
        return
    gone = not state.has_runs(job.id)
    over = now >= job.state_time + state.pace.job_changing
    match job.state:
        case JobState.ACTIVE | JobState.DISABLED:
            _end_when_done(state, now, job)
        case JobState.DISABLING:
            if gone and over:
                _arrive(state, now, job, JobState.DISABLED)
                state.touch_job(job.id)
        case JobState.ENABLING:
            if over:
                _arrive(state, now, job, JobState.ACTIVE)
                state.offer_work(job.pool)
                state.touch_job(job.id)
        case JobState.TERMINATING:
            if gone and over and release_nodes(state, now, job):
                _arrive(state, now, replace(job, ended=now), JobState.COMPLETED)
                _release_pool(state, now, job)
                _tell_schedule(state, job)
        case JobState.DELETING:
            if gone and over and release_nodes(state, now, job):
                _remove(state, now, job)
        case JobState.COMPLETED:
            pass
        case _:
            raise unforeseen(job.state)


def _is_out_of_time(job: Job, now: datetime) -> bool:
    limit = job.rules.max_wall_clock_time
    return limit is not None and now >= job.started + limit


def _end_when_done(state: State, now: datetime, job: Job) -> None:
    if job.rules.on_all_complete is OnAllTasksComplete.TERMINATE_JOB:
        counts = state.store.tasks(job.id).counts()
        if counts.active == 0 and counts.running == 0:
            noticed = job.modified + state.pace.noticing
            if now < noticed:
                state.agenda.add(noticed, JobDue(job=job.id))
                return
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
    records = state.store.job_nodes.of_job(job.id)
    nodes = dict.fromkeys([*state.store.tasks(job.id).nodes, *(each.node for each in records)])
    state.actions.extend(RemoveJobFiles(node=node, job=job.id) for node in nodes)
    state.store.delete(job)
    _release_pool(state, now, job)
    _tell_schedule(state, job)


def _tell_schedule(state: State, job: Job) -> None:
    if job.schedule is not None:
        state.touch_schedule(job.schedule)
