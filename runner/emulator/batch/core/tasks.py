"""The transitions of tasks that clients ask for: added, changed, terminated, reactivated, deleted.

It must not know how tasks run (`runs`), nor which node a task should take (`scheduler`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.emulator.batch.core.actions import RemoveTaskFiles
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, TaskId, key_of
from runner.emulator.batch.core.instances import runs_of
from runner.emulator.batch.core.job import Job, JobState, OnTaskFailure
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.core.runs import end_task, kill_task, moved_task
from runner.emulator.batch.core.state import State
from runner.emulator.batch.core.task import Task, TaskDraft, TaskState
from runner.emulator.storage.record import replace


def add_task(state: State, now: datetime, job_id: JobId, draft: TaskDraft) -> Task:
    """Adds a task to a job that is not over; refuses a second one with its id."""
    job = state.store.job(job_id)
    refuse_ended_job(job)
    tasks = state.store.tasks(job.id)
    if tasks.get(key_of(draft.id)) is not None:
        raise RefusedError(Reason.TASK_EXISTS)
    _check_against_job(draft, job)
    number = job.tasks_made + 1
    stamp = state.stamp(now)
    retries = draft.max_retry_count
    task = Task(
        job=job.id,
        id=draft.id,
        number=number,
        document=tasks.pack(draft.document),
        created=stamp,
        modified=stamp,
        state=TaskState.ACTIVE,
        state_time=stamp,
        slots=draft.slots,
        max_retry_count=job.rules.max_retry_count if retries is None else retries,
        exits=draft.exits,
        depends_on=draft.depends_on,
        retention=draft.retention,
        instances=draft.instances,
        affinity=draft.affinity,
        registry_passwords=draft.registry_passwords,
    )
    state.store.put(replace(job, tasks_made=number))
    state.store.put(task)
    state.offer_work(job.pool)
    return task


def refuse_ended_job(job: Job) -> None:
    """Raises `RefusedError` where the job takes no more changes to its tasks."""
    if job.state is JobState.DELETING:
        raise RefusedError(Reason.JOB_BEING_DELETED)
    if job.state is JobState.TERMINATING:
        raise RefusedError(Reason.JOB_BEING_TERMINATED)
    if job.state is JobState.COMPLETED:
        raise RefusedError(Reason.JOB_COMPLETED)


def _check_against_job(draft: TaskDraft, job: Job) -> None:
    preparation, release = job.rules.preparation, job.rules.release
    if preparation is not None and key_of(draft.id) == key_of(preparation.id):
        raise RefusedError(Reason.TASK_ID_OF_PREPARATION)
    if release is not None and key_of(draft.id) == key_of(release):
        raise RefusedError(Reason.TASK_ID_OF_RELEASE)
    # The documented code is TaskDependenciesNotSpecifiedOnJob; the live service answers this one.
    if draft.depends_on is not None and not job.rules.uses_dependencies:
        raise RefusedError(
            Reason.PROPERTY_UNSUPPORTED,
            ("PropertyName", "dependsOn"),
            ("Reason", "The job does not use task dependencies"),
        )
    if draft.declares_job_action and job.rules.on_task_failure is OnTaskFailure.NO_ACTION:
        raise invalid_property(
            "jobAction",
            "",
            "jobAction may be specified only where the onTaskFailure property of the job is"
            " performexitoptionsjobaction",
        )


def terminate_task(state: State, now: datetime, job: JobId, identifier: TaskId) -> Task:
    """The request to end a task; refused once it has completed."""
    task = state.store.task(job, identifier)
    if task.state is TaskState.COMPLETED:
        raise RefusedError(Reason.TASK_COMPLETED)
    end_task(state, now, task)
    return state.store.task(job, identifier)


def reactivate_task(state: State, now: datetime, job: JobId, identifier: TaskId) -> Task:
    """Runs a failed task anew, with its retries counted from 0."""
    task = state.store.task(job, identifier)
    if task.state is not TaskState.COMPLETED:
        raise RefusedError(Reason.TASK_NOT_COMPLETED)
    if task.succeeded:
        raise RefusedError(Reason.TASK_SUCCEEDED)
    owner = state.store.job(job)
    refuse_ended_job(owner)
    task = replace(
        moved_task(task, TaskState.ACTIVE, now),
        modified=state.stamp(now),
        placement=None,
        subtasks=(),
        coordinated=False,
        started=None,
        ended=None,
        exit_code=None,
        failure=None,
        retry_count=0,
        last_retry=None,
    )
    state.store.put(task)
    state.offer_work(owner.pool)
    return task


def update_task(
    state: State,
    now: datetime,
    job: JobId,
    identifier: TaskId,
    document: Document,
    max_retry_count: int | None,
    retention: timedelta | None,
) -> Task:
    """Gives a task other constraints; what already runs is not affected."""
    task = state.store.task(job, identifier)
    if task.state is TaskState.COMPLETED:
        raise RefusedError(Reason.TASK_COMPLETED)
    inherited = state.store.job(job).rules.max_retry_count
    task = replace(
        task,
        modified=state.stamp(now),
        document=state.store.tasks(job).pack(document),
        max_retry_count=inherited if max_retry_count is None else max_retry_count,
        retention=retention,
    )
    state.store.put(task)
    return task


def delete_task(state: State, now: datetime, job: JobId, identifier: TaskId) -> None:
    """Removes a task with its files; what runs of it is killed."""
    task = state.store.task(job, identifier)
    # Files of what still runs go when it has ended.
    live = {
        state.runs[run].node
        for run in runs_of(task)
        if run in state.runs and run not in state.waiting_runs
    }
    kill_task(state, now, task)
    state.store.delete(task)
    for place in task.places:
        if place.node not in live:
            state.actions.append(RemoveTaskFiles(node=place.node, job=task.job, task=task.id))
    state.touch_job(task.job)
