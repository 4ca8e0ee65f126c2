"""The transitions of job schedules: created, changed, due, disabled, ended, deleted.

It must not know what jobs do. Source: REST reference, JobSchedule and Schedule.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.agenda import ScheduleDue
from runner.emulator.batch.core.autopools import make_auto_pool
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, ScheduleId, key_of
from runner.emulator.batch.core.job import AutoPool, Job, JobDraft, JobState, SchedulingError
from runner.emulator.batch.core.jobs import check_job_quota, create_job, delete_job, terminate_job
from runner.emulator.batch.core.pool import PoolState
from runner.emulator.batch.core.pools import delete_pool
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.schedule import JobSchedule, Recurrence, ScheduleState
from runner.emulator.batch.core.state import State
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import replace

SCHEDULE_TERMINATED = "TerminateJobSchedule"
_ENDING = (JobState.TERMINATING, JobState.COMPLETED, JobState.DELETING)


def create_schedule(
    state: State,
    now: datetime,
    identifier: ScheduleId,
    document: Document,
    recurrence: Recurrence,
    job: JobDraft,
) -> JobSchedule:
    """Adds a schedule, which makes its first job as soon as it may."""
    if state.store.schedules.get(key_of(identifier)) is not None:
        raise RefusedError(Reason.SCHEDULE_EXISTS)
    if state.store.jobs.get(key_of(identifier)) is not None:
        raise RefusedError(Reason.JOB_HAS_ID)
    check_job_quota(state)
    stamp = state.stamp(now)
    schedule = JobSchedule(
        id=identifier,
        document=document,
        recurrence=recurrence,
        job=job,
        created=stamp,
        modified=stamp,
        state=ScheduleState.ACTIVE,
        state_time=stamp,
    )
    state.store.put(schedule)
    _watch(state, now, schedule)
    return schedule


def update_schedule(
    state: State,
    now: datetime,
    identifier: ScheduleId,
    document: Document,
    recurrence: Recurrence,
    job: JobDraft,
) -> JobSchedule:
    """Gives a schedule other properties; a job that it has made stays as it is."""
    schedule = _changeable(state, identifier)
    schedule = replace(
        schedule, modified=state.stamp(now), document=document, recurrence=recurrence, job=job
    )
    state.store.put(schedule)
    _watch(state, now, schedule)
    return schedule


def disable_schedule(state: State, now: datetime, identifier: ScheduleId) -> JobSchedule:
    """Has no more jobs made; one that runs goes on."""
    schedule = _changeable(state, identifier)
    if schedule.state is ScheduleState.DISABLED:
        raise RefusedError(Reason.SCHEDULE_DISABLED)
    schedule = _moved(state, now, schedule, ScheduleState.DISABLED)
    state.store.put(schedule)
    return schedule


def enable_schedule(state: State, now: datetime, identifier: ScheduleId) -> JobSchedule:
    """Has jobs made again."""
    schedule = _changeable(state, identifier)
    if schedule.state is not ScheduleState.DISABLED:
        raise RefusedError(
            Reason.OPERATION_INVALID_NOW, ("Reason", "The job schedule is not disabled")
        )
    schedule = _moved(state, now, schedule, ScheduleState.ACTIVE)
    state.store.put(schedule)
    _watch(state, now, schedule)
    return schedule


def terminate_schedule(state: State, now: datetime, identifier: ScheduleId) -> JobSchedule:
    """Ends a schedule, and the job of it that runs."""
    schedule = _changeable(state, identifier)
    schedule = _moved(state, now, schedule, ScheduleState.TERMINATING)
    state.store.put(schedule)
    job = _running_job(state, schedule)
    if job is not None and job.state not in _ENDING:
        terminate_job(state, now, job.id, SCHEDULE_TERMINATED)
    _watch(state, now, schedule)
    return schedule


def delete_schedule(state: State, now: datetime, identifier: ScheduleId) -> None:
    """Has a schedule go away with all its jobs."""
    schedule = state.store.schedule(identifier)
    if schedule.state is ScheduleState.DELETING:
        raise RefusedError(Reason.SCHEDULE_BEING_DELETED)
    schedule = _moved(state, now, schedule, ScheduleState.DELETING)
    state.store.put(schedule)
    for job in jobs_of(state, schedule):
        if job.state is not JobState.DELETING:
            delete_job(state, now, job.id)
    _watch(state, now, schedule)


def jobs_of(state: State, schedule: JobSchedule) -> tuple[Job, ...]:
    """The jobs that a schedule has made and that are still there."""
    return tuple(job for job in state.store.jobs if job.schedule == schedule.id)


def _changeable(state: State, identifier: ScheduleId) -> JobSchedule:
    schedule = state.store.schedule(identifier)
    match schedule.state:
        case ScheduleState.DELETING:
            raise RefusedError(Reason.SCHEDULE_BEING_DELETED)
        case ScheduleState.TERMINATING:
            raise RefusedError(Reason.SCHEDULE_BEING_TERMINATED)
        case ScheduleState.COMPLETED:
            raise RefusedError(Reason.SCHEDULE_COMPLETED)
        case ScheduleState.ACTIVE | ScheduleState.DISABLED:
            return schedule
        case _:
            raise unforeseen(schedule.state)


def _moved(state: State, now: datetime, schedule: JobSchedule, to: ScheduleState) -> JobSchedule:
    return replace(
        schedule,
        modified=state.stamp(now),
        state=to,
        state_time=now,
        previous_state=schedule.state,
        previous_state_time=schedule.state_time,
    )


def _watch(state: State, now: datetime, schedule: JobSchedule) -> None:
    """Has the schedule looked at now, and whenever time alone changes something."""
    after = now + state.pace.job_changing
    moments = [now, after, schedule.next_due, schedule.recurrence.not_after]
    for moment in moments:
        if moment is not None and moment >= now:
            state.agenda.add(moment, ScheduleDue(schedule=schedule.id))


def look_at_schedule(state: State, now: datetime, schedule: JobSchedule) -> None:
    """Makes the job that is due, or moves a schedule on that is over."""
    over = now >= schedule.state_time + state.pace.job_changing
    match schedule.state:
        case ScheduleState.ACTIVE:
            _make_due_job(state, now, schedule)
        case ScheduleState.TERMINATING:
            if over and _running_job(state, schedule) is None:
                _complete(state, now, schedule)
        case ScheduleState.DELETING:
            if over and not jobs_of(state, schedule):
                state.store.delete(schedule)
                _release_pool(state, now, schedule)
        case ScheduleState.DISABLED | ScheduleState.COMPLETED:
            pass
        case _:
            raise unforeseen(schedule.state)


def _make_due_job(state: State, now: datetime, schedule: JobSchedule) -> None:
    schedule = _skip_missed(now, schedule)
    running = _running_job(state, schedule) is not None
    due = schedule.next_due
    if due is not None and due <= now and not running:
        schedule = replace(schedule, last_due=due)
        schedule = _make_job(state, now, schedule)
        running = True
    state.store.put(schedule)
    due = schedule.next_due
    if due is None and not running and not _lasts(now, schedule):
        _complete(state, now, schedule)
    elif due is not None and due > now:
        state.agenda.add(due, ScheduleDue(schedule=schedule.id))


def _lasts(now: datetime, schedule: JobSchedule) -> bool:
    """Whether a recurring schedule is active still, though no job can be due any more."""
    rules = schedule.recurrence
    return rules.interval is not None and rules.not_after is not None and now < rules.not_after


def _skip_missed(now: datetime, schedule: JobSchedule) -> JobSchedule:
    """Lets go of the times for which a job can no more be made.

    One that the next time has overtaken is not caught up, nor one whose start window is over.
    """
    while (due := schedule.next_due) is not None and due <= now:
        interval, window = schedule.recurrence.interval, schedule.recurrence.window
        overtaken = 0 if interval is None else (now - due) // interval
        if interval is not None and overtaken:
            schedule = replace(schedule, last_due=due + (overtaken - 1) * interval)
        elif window is not None and now > due + window:
            schedule = replace(schedule, last_due=due)
        else:
            break
    return schedule


def _make_job(state: State, now: datetime, schedule: JobSchedule) -> JobSchedule:
    draft, pool = schedule.job, schedule.pool
    fault: SchedulingError | None = None
    if isinstance(draft.where, AutoPool) and draft.where.of_schedule:
        if pool is None or state.store.pools.get(key_of(pool)) is None:
            pool, fault = make_auto_pool(state, now, draft.where, auto_pool_of=None)
        draft = replace(draft, where=pool) if fault is None else draft.with_fault(fault)
        pool = pool if fault is None else None
    number = schedule.jobs_made + 1
    identifier = JobId(f"{schedule.id}:job-{number}")
    create_job(state, now, identifier, draft, schedule=schedule.id)
    return replace(schedule, jobs_made=number, recent_job=identifier, pool=pool)


def _running_job(state: State, schedule: JobSchedule) -> Job | None:
    if schedule.recent_job is None:
        return None
    job = state.store.jobs.get(key_of(schedule.recent_job))
    return None if job is None or job.state is JobState.COMPLETED else job


def _complete(state: State, now: datetime, schedule: JobSchedule) -> None:
    schedule = _moved(state, now, schedule, ScheduleState.COMPLETED)
    state.store.put(replace(schedule, ended=now))
    _release_pool(state, now, schedule)


def _release_pool(state: State, now: datetime, schedule: JobSchedule) -> None:
    where = schedule.job.where
    if schedule.pool is None or not isinstance(where, AutoPool) or where.keep_alive:
        return
    pool = state.store.pools.get(key_of(schedule.pool))
    if pool is not None and pool.state is PoolState.ACTIVE:
        delete_pool(state, now, pool.id)
