"""The executions of tasks: started, ended, retried, requeued, killed; and what they leave behind.

It must not know which node a task should take (`scheduler`), nor what a job makes of an end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from runner.emulator.batch.core.actions import RemoveTaskFiles, RunTask
from runner.emulator.batch.core.agenda import TaskDue
from runner.emulator.batch.core.ids import JobId, RunId, TaskId, key_of
from runner.emulator.batch.core.instances import (
    all_coordinated,
    ended_subtask,
    hold_place,
    moved_subtask,
    run_everywhere,
    runs_of,
    take_more_nodes,
    take_node,
    with_subtask,
)
from runner.emulator.batch.core.node import FinishedTask, Node, NodeState
from runner.emulator.batch.core.state import Run, State
from runner.emulator.batch.core.task import Subtask, Task, TaskState, placement_on
from runner.emulator.batch.node.launch import Failure, FailureCategory, FailurePhase, Outcome
from runner.emulator.storage.record import replace

RECENT_TASKS = 10
_FOR_EVER = datetime.max.replace(tzinfo=timezone.utc)
ENDED_BY_REQUEST = Failure(
    phase=FailurePhase.EXECUTION,
    category=FailureCategory.USER_ERROR,
    code="TaskEnded",
    message="Task Was Ended by User Request",
)
EXIT_CODE_FAILURE = "FailureExitCode"


def start_task(
    state: State, now: datetime, task: Task, nodes: Sequence[Node], *, waits: bool = False
) -> None:
    """Gives a waiting task to nodes that have room for it: one, or as many as it has instances.

    With `waits` it only takes its slots, until `run_waiting_task` or `return_task`.
    """
    primary, *others = nodes
    to = TaskState.PREPARING if waits else TaskState.RUNNING
    task = replace(
        task,
        state=to,
        state_time=now,
        previous_state=task.state,
        previous_state_time=task.state_time,
        run=take_node(state, now, task, primary),
        subtasks=take_more_nodes(state, now, task, others, to),
        coordinated=False,
        placement=placement_on(primary.pool, primary.id),
        started=None if waits else now,
        ended=None,
        exit_code=None,
        failure=None,
        cleaned_up=False,
    )
    state.store.put(task)
    if waits:
        state.waiting_runs.update(runs_of(task))
    else:
        run_everywhere(state, task)


def run_waiting_task(state: State, now: datetime, task: Task) -> None:
    """Runs a task whose nodes are prepared by now."""
    subtasks = tuple(
        replace(moved_subtask(subtask, TaskState.RUNNING, now), started=now)
        for subtask in task.subtasks
    )
    task = replace(moved_task(task, TaskState.RUNNING, now), started=now, subtasks=subtasks)
    state.store.put(task)
    run_everywhere(state, task)


def return_task(state: State, now: datetime, task: Task) -> None:
    """Puts a task back of which a node could not be prepared; other nodes may take it."""
    kill_task(state, now, task)
    state.store.put(_unplaced(moved_task(task, TaskState.ACTIVE, now)))


def _unplaced(task: Task) -> Task:
    return replace(task, run=None, placement=None, subtasks=(), coordinated=False)


def end_run(state: State, now: datetime, identifier: RunId, outcome: Outcome | None) -> None:
    """Takes note that an execution is over; `outcome` is None where it was killed."""
    run = state.close_run(identifier)
    if run is None or run.job is None or run.task is None:
        return
    task = state.store.tasks(run.job).get(key_of(run.task))
    current = task if task is not None and task.is_run_by(identifier) else None
    if outcome is not None:
        outcome = with_exit_failure(outcome)
        if current is not None and _coordinates(current, run) and outcome.failure is None:
            _note_coordination(state, current, run, identifier, outcome)
            return
    _free_node(state, now, identifier, run, outcome, current)
    if current is not None and outcome is not None:
        _end_task_of_run(state, now, current, run, identifier, outcome)
    elif current is not None:
        # Killed from outside the core: the work is not lost.
        requeue_task(state, now, current)
    elif task is None or all(place.node != run.node for place in task.places):
        state.actions.append(RemoveTaskFiles(node=run.node, job=run.job, task=run.task))
    state.touch_job(run.job)
    state.offer_work(run.pool)


def _coordinates(task: Task, run: Run) -> bool:
    return run.subtask > 0 or (task.instances > 0 and not task.coordinated)


def _note_coordination(
    state: State, task: Task, run: Run, identifier: RunId, outcome: Outcome
) -> None:
    """One instance has coordinated; once all have, the command of the primary runs."""
    held = hold_place(state, run, identifier)
    if run.subtask == 0:
        task = replace(task, run=held, coordinated=True, started=outcome.started)
    else:
        subtask = next(each for each in task.subtasks if each.number == run.subtask)
        task = with_subtask(task, ended_subtask(subtask, held, outcome))
    state.store.put(task)
    if all_coordinated(task) and task.run is not None:
        state.waiting_runs.discard(task.run)
        place = state.runs[task.run]
        state.actions.append(
            RunTask(run=task.run, job=task.job, task=task.id, pool=place.pool, node=place.node)
        )


def _end_task_of_run(
    state: State, now: datetime, task: Task, run: Run, identifier: RunId, outcome: Outcome
) -> None:
    """A task ends with its command, or with the first instance that could not coordinate."""
    kill_task(state, now, task, but=identifier)
    if run.subtask > 0:
        subtask = next(each for each in task.subtasks if each.number == run.subtask)
        task = with_subtask(task, ended_subtask(subtask, None, outcome))
    if may_retry(task.max_retry_count, task.retry_count, outcome):
        _retry(state, now, task, outcome)
    else:
        _complete(state, task, outcome)


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
    return Outcome(
        started=outcome.started,
        ended=outcome.ended,
        exit_code=outcome.exit_code,
        failure=failure,
    )


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
    occupied = tuple([entry for entry in node.occupied if entry.run != identifier])
    idle = node.state is NodeState.RUNNING and not occupied
    to, since = (node.ready_state, now) if idle else (node.state, node.state_time)
    if outcome is None:
        state.logs.note(node.id, now, f"run {identifier} was ended")
        node = replace(node, occupied=occupied, state=to, state_time=since)
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
            subtask=run.subtask,
        )
        node = replace(
            node,
            occupied=occupied,
            state=to,
            state_time=since,
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
            _unplaced_if_several(moved_task(task, TaskState.ACTIVE, now)),
            run=None,
            started=outcome.started,
            retry_count=task.retry_count + 1,
            last_retry=now,
        )
    )


def _unplaced_if_several(task: Task) -> Task:
    return _unplaced(task) if task.instances else task


def _complete(state: State, task: Task, outcome: Outcome) -> None:
    state.store.put(
        replace(
            task,
            state=TaskState.COMPLETED,
            state_time=outcome.ended,
            previous_state=task.state,
            previous_state_time=task.state_time,
            subtasks=_ended_subtasks(task, outcome.ended),
            run=None,
            started=task.started if task.instances else outcome.started,
            ended=outcome.ended,
            exit_code=outcome.exit_code,
            failure=outcome.failure,
        )
    )
    state.ended_tasks.append((task.job, task.id))
    _watch_retention(state, task, outcome.ended)


def _watch_retention(state: State, task: Task, ended: datetime) -> None:
    if task.retention is not None and task.placement is not None:
        due = TaskDue(job=task.job, task=task.id)
        state.agenda.add_retention(ended, task.retention, due)


def _retaining(node: Node, task: Task | None, ended: datetime) -> datetime | None:
    """Until when a node keeps files, with those of a task that has ended there."""
    if task is None:
        return node.retained_until
    until = _FOR_EVER if task.retention is None else ended + task.retention
    return until if node.retained_until is None else max(until, node.retained_until)


def _ended_subtasks(task: Task, now: datetime) -> tuple[Subtask, ...]:
    """Subtasks end with their task, as a request of the user would have them."""
    return tuple([_ended_subtask(subtask, now) for subtask in task.subtasks])


def _ended_subtask(subtask: Subtask, now: datetime) -> Subtask:
    if subtask.state is TaskState.COMPLETED:
        return replace(subtask, run=None)
    ended = moved_subtask(subtask, TaskState.COMPLETED, now)
    return replace(ended, ended=now, failure=ENDED_BY_REQUEST, run=None)


def clean_up_task(state: State, now: datetime, job: JobId, identifier: TaskId) -> None:
    """Removes the files of a task whose retention time is over; leaves any other alone."""
    task = state.store.tasks(job).get(key_of(identifier))
    if task is None or task.state is not TaskState.COMPLETED or task.cleaned_up:
        return
    if task.placement is None or task.retention is None or task.ended is None:
        return
    if now >= task.ended + task.retention:
        state.store.put(replace(task, cleaned_up=True))
        for place in task.places:
            state.actions.append(RemoveTaskFiles(node=place.node, job=task.job, task=task.id))


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
            _unplaced(moved_task(task, TaskState.ACTIVE, now)),
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
            subtasks=_ended_subtasks(task, now),
            modified=state.stamp(now),
            run=None,
            ended=now,
            failure=ENDED_BY_REQUEST,
        )
    )
    state.ended_tasks.append((task.job, task.id))
    _watch_retention(state, task, now)
    state.touch_job(task.job)


def kill_task(state: State, now: datetime, task: Task, *, but: RunId | None = None) -> None:
    """Has what runs of a task killed; what only waits to run ends at once."""
    for identifier in runs_of(task):
        if identifier == but or identifier not in state.runs:
            continue
        if identifier not in state.waiting_runs:
            state.kill(identifier)
            continue
        # Nothing runs yet, or any more, whose end would be reported.
        run = state.close_run(identifier)
        if run is not None:
            _free_node(state, now, identifier, run, None)
            state.offer_work(run.pool)
