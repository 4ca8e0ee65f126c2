"""The executions of tasks: started, ended, retried, requeued, killed; and what they leave behind.

It must not know which node a task should take (`scheduler`), nor what a job makes of an end.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from runner.emulator.batch.core.actions import Kill, RemoveTaskFiles, RunTask
from runner.emulator.batch.core.agenda import TaskDue
from runner.emulator.batch.core.ids import JobId, RunId, TaskId, key_of
from runner.emulator.batch.core.node import FinishedTask, Node, NodeState, Occupation
from runner.emulator.batch.core.state import Run, State
from runner.emulator.batch.core.task import Placement, Task, TaskState
from runner.emulator.batch.node.launch import Failure, FailureCategory, FailurePhase, Outcome

RECENT_TASKS = 10
_FOR_EVER = datetime.max.replace(tzinfo=timezone.utc)
ENDED_BY_REQUEST = Failure(
    phase=FailurePhase.EXECUTION,
    category=FailureCategory.USER_ERROR,
    code="TaskEnded",
    message="Task Was Ended by User Request",
)
EXIT_CODE_FAILURE = "FailureExitCode"


def start_task(state: State, now: datetime, task: Task, node: Node, *, waits: bool = False) -> None:
    """Gives a waiting task to a node that has room for it.

    With `waits` it only takes its slots, until `run_waiting_task` or `return_task`.
    """
    run = state.open_run(Run(pool=node.pool, node=node.id, job=task.job, task=task.id))
    occupation = Occupation(run=run, job=task.job, task=task.id, slots=task.slots)
    state.store.put(
        replace(
            task,
            state=TaskState.PREPARING if waits else TaskState.RUNNING,
            state_time=now,
            previous_state=task.state,
            previous_state_time=task.state_time,
            run=run,
            placement=Placement(pool=node.pool, node=node.id),
            started=None if waits else now,
            ended=None,
            exit_code=None,
            failure=None,
            cleaned_up=False,
        )
    )
    state.store.put(
        replace(
            node,
            state=NodeState.RUNNING,
            state_time=now if node.state is not NodeState.RUNNING else node.state_time,
            occupied=(*node.occupied, occupation),
            total_run=node.total_run + 1,
        )
    )
    state.logs.note(node.id, now, f"task {task.id} of job {task.job} is run {run}")
    if waits:
        state.waiting_runs.add(run)
        return
    state.actions.append(RunTask(run=run, job=task.job, task=task.id, pool=node.pool, node=node.id))


def run_waiting_task(state: State, now: datetime, task: Task) -> None:
    """Runs a task whose node is prepared by now."""
    assert task.run is not None
    run = state.runs[task.run]
    state.waiting_runs.discard(task.run)
    state.store.put(replace(moved_task(task, TaskState.RUNNING, now), started=now))
    state.actions.append(
        RunTask(run=task.run, job=task.job, task=task.id, pool=run.pool, node=run.node)
    )


def return_task(state: State, now: datetime, task: Task) -> None:
    """Puts a task back whose node could not be prepared; other nodes may take it."""
    kill_task(state, now, task)
    state.store.put(replace(moved_task(task, TaskState.ACTIVE, now), run=None, placement=None))


def end_run(state: State, now: datetime, identifier: RunId, outcome: Outcome | None) -> None:
    """Takes note that an execution is over; `outcome` is None where it was killed."""
    run = state.close_run(identifier)
    if run is None or run.job is None or run.task is None:
        return
    task = state.store.tasks(run.job).get(key_of(run.task))
    current = task if task is not None and task.run == identifier else None
    if outcome is not None:
        outcome = with_exit_failure(outcome)
    _free_node(state, now, identifier, run, outcome, current)
    if current is not None and outcome is not None:
        if may_retry(current.max_retry_count, current.retry_count, outcome):
            _retry(state, now, current, outcome)
        else:
            _complete(state, current, outcome)
    elif current is not None:
        # Killed from outside the core: the work is not lost.
        requeue_task(state, now, current)
    elif task is None or task.placement is None or task.placement.node != run.node:
        state.actions.append(RemoveTaskFiles(node=run.node, job=run.job, task=run.task))
    state.touch_job(run.job)
    state.offer_work(run.pool)


def with_exit_failure(outcome: Outcome) -> Outcome:
    """A nonzero exit code is a failure, whoever ran the process."""
    if outcome.failure is not None or outcome.exit_code in (None, 0):
        return outcome
    failure = Failure(
        phase=FailurePhase.EXECUTION,
        category=FailureCategory.USER_ERROR,
        code=EXIT_CODE_FAILURE,
        message="The task exited with an exit code representing a failure",
        details=(
            ("Message", "The task process exited with an unexpected exit code"),
            ("AdditionalErrorCode", EXIT_CODE_FAILURE),
        ),
    )
    return replace(outcome, failure=failure)


def may_retry(max_retry_count: int, retry_count: int, outcome: Outcome) -> bool:
    """Only nonzero exit codes are retried (REST reference, `maxTaskRetryCount`; -1 is for ever)."""
    failed_by_itself = outcome.failure is not None and outcome.failure.code == EXIT_CODE_FAILURE
    return failed_by_itself and (max_retry_count < 0 or retry_count < max_retry_count)


def _free_node(
    state: State,
    now: datetime,
    identifier: RunId,
    run: Run,
    outcome: Outcome | None,
    task: Task | None = None,
) -> None:
    node = state.store.nodes(run.pool).get(key_of(run.node))
    if node is None or run.job is None or run.task is None:
        return
    occupied = tuple(entry for entry in node.occupied if entry.run != identifier)
    idle = node.state is NodeState.RUNNING and not occupied
    node = replace(
        node,
        occupied=occupied,
        state=node.ready_state if idle else node.state,
        state_time=now if idle else node.state_time,
    )
    if outcome is None:
        state.logs.note(node.id, now, f"run {identifier} was ended")
    else:
        if outcome.failure is None:
            state.logs.note(node.id, now, f"run {identifier} has succeeded")
        else:
            state.logs.warn(node.id, now, f"run {identifier} has failed: {outcome.failure.code}")
        finished = FinishedTask(
            job=run.job,
            task=run.task,
            started=outcome.started,
            ended=outcome.ended,
            exit_code=outcome.exit_code,
            failure=outcome.failure,
        )
        node = replace(
            node,
            recent=(finished, *node.recent[: RECENT_TASKS - 1]),
            total_succeeded=node.total_succeeded + (outcome.failure is None),
            retained_until=_retaining(node, task, outcome.ended),
        )
    state.store.put(node)
    if node.closing:
        state.touch_pool(node.pool)


def _retry(state: State, now: datetime, task: Task, outcome: Outcome) -> None:
    state.store.put(
        replace(
            moved_task(task, TaskState.ACTIVE, now),
            run=None,
            started=outcome.started,
            retry_count=task.retry_count + 1,
            last_retry=now,
        )
    )


def _complete(state: State, task: Task, outcome: Outcome) -> None:
    state.store.put(
        replace(
            moved_task(task, TaskState.COMPLETED, outcome.ended),
            run=None,
            started=outcome.started,
            ended=outcome.ended,
            exit_code=outcome.exit_code,
            failure=outcome.failure,
        )
    )
    state.ended_tasks.append((task.job, task.id))
    _watch_retention(state, task, outcome.ended)


def _watch_retention(state: State, task: Task, ended: datetime) -> None:
    if task.retention is not None and task.placement is not None:
        state.agenda.add(ended + task.retention, TaskDue(job=task.job, task=task.id))


def _retaining(node: Node, task: Task | None, ended: datetime) -> datetime | None:
    """Until when a node keeps files, with those of a task that has ended there."""
    if task is None:
        return node.retained_until
    until = _FOR_EVER if task.retention is None else ended + task.retention
    return until if node.retained_until is None else max(until, node.retained_until)


def clean_up_task(state: State, now: datetime, job: JobId, identifier: TaskId) -> None:
    """Removes the files of a task whose retention time is over; leaves any other alone."""
    task = state.store.tasks(job).get(key_of(identifier))
    if task is None or task.state is not TaskState.COMPLETED or task.cleaned_up:
        return
    if task.placement is None or task.retention is None or task.ended is None:
        return
    if now >= task.ended + task.retention:
        state.store.put(replace(task, cleaned_up=True))
        state.actions.append(RemoveTaskFiles(node=task.placement.node, job=task.job, task=task.id))


def moved_task(task: Task, to: TaskState, when: datetime) -> Task:
    """The task in another state, with the one it was in."""
    return replace(
        task,
        state=to,
        state_time=when,
        previous_state=task.state,
        previous_state_time=task.state_time,
    )


def requeue_task(state: State, now: datetime, task: Task) -> None:
    """Puts a running task back into the queue and kills its processes."""
    kill_task(state, now, task)
    state.store.put(
        replace(
            moved_task(task, TaskState.ACTIVE, now),
            run=None,
            placement=None,
            started=None,
            requeue_count=task.requeue_count + 1,
            last_requeue=now,
        )
    )


def end_task(state: State, now: datetime, task: Task) -> None:
    """Completes a task that is not, as a request of the user; kills its processes."""
    kill_task(state, now, task)
    state.store.put(
        replace(
            moved_task(task, TaskState.COMPLETED, now),
            modified=state.stamp(now),
            run=None,
            ended=now,
            failure=ENDED_BY_REQUEST,
        )
    )
    _watch_retention(state, task, now)
    state.touch_job(task.job)


def kill_task(state: State, now: datetime, task: Task) -> None:
    """Has what runs of a task killed; what only waits to run ends at once."""
    if task.run is None or task.run not in state.runs:
        return
    if task.run not in state.waiting_runs:
        state.actions.append(Kill(run=task.run))
        return
    # Nothing runs yet whose end would be reported.
    run = state.close_run(task.run)
    if run is not None:
        _free_node(state, now, task.run, run, None)
        state.offer_work(run.pool)
