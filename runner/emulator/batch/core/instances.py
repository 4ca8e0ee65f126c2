"""The nodes of multi-instance tasks: taken together, held together. Also the one of any other.

It must not know what an end means for a task (`runs`). Source: "Use multi-instance tasks".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from runner.emulator.batch.core.actions import RunSubtask, RunTask
from runner.emulator.batch.core.ids import RunId, key_of
from runner.emulator.batch.core.node import Node, NodeState, Occupation
from runner.emulator.batch.core.state import Run, State
from runner.emulator.batch.core.task import Placement, Subtask, Task, TaskState
from runner.emulator.batch.node.launch import Outcome
from runner.emulator.storage.record import replace


def take_node(state: State, now: datetime, task: Task, node: Node, subtask: int = 0) -> RunId:
    """Opens an execution, which takes its slots on a node."""
    run = state.open_run(
        Run(pool=node.pool, node=node.id, job=task.job, task=task.id, subtask=subtask)
    )
    occupation = Occupation(run=run, job=task.job, task=task.id, slots=task.slots, subtask=subtask)
    state.store.put(
        replace(
            node,
            state=NodeState.RUNNING,
            state_time=now if node.state is not NodeState.RUNNING else node.state_time,
            occupied=(*node.occupied, occupation),
            total_run=node.total_run + 1,
        )
    )
    text = f"task {task.id} of job {task.job} is run {run}"
    state.logs.note(node.id, now, f"{text} (subtask {subtask})" if subtask else text)
    return run


def take_more_nodes(
    state: State, now: datetime, task: Task, nodes: Iterable[Node], to: TaskState
) -> tuple[Subtask, ...]:
    """Takes one node for each subtask."""
    return tuple(
        Subtask(
            number=number,
            run=take_node(state, now, task, node, number),
            placement=Placement(pool=node.pool, node=node.id),
            state=to,
            state_time=now,
            started=now if to is TaskState.RUNNING else None,
        )
        for number, node in enumerate(nodes, start=1)
    )


def run_everywhere(state: State, task: Task) -> None:
    """Has the executions of a task start."""
    assert task.run is not None
    for identifier in runs_of(task):
        state.waiting_runs.discard(identifier)
    run = state.runs[task.run]
    state.actions.append(
        RunTask(run=task.run, job=task.job, task=task.id, pool=run.pool, node=run.node)
    )
    for subtask in task.subtasks:
        if subtask.run is not None and subtask.state is TaskState.RUNNING:
            place = subtask.placement
            state.actions.append(
                RunSubtask(
                    run=subtask.run,
                    job=task.job,
                    task=task.id,
                    subtask=subtask.number,
                    pool=place.pool,
                    node=place.node,
                )
            )


def runs_of(task: Task) -> tuple[RunId, ...]:
    """The executions of a task, that of its primary first."""
    runs = (task.run, *(subtask.run for subtask in task.subtasks))
    return tuple(run for run in runs if run is not None)


def hold_place(state: State, run: Run, ended: RunId) -> RunId:
    """Keeps the slots of an execution that has ended, for one that is to follow."""
    following = state.open_run(run)
    state.waiting_runs.add(following)
    node = state.store.nodes(run.pool).get(key_of(run.node))
    if node is not None:
        occupied = tuple(
            replace(entry, run=following) if entry.run == ended else entry
            for entry in node.occupied
        )
        state.store.put(replace(node, occupied=occupied))
    return following


def moved_subtask(subtask: Subtask, to: TaskState, now: datetime) -> Subtask:
    """The subtask in another state, with the one it was in."""
    return replace(
        subtask,
        state=to,
        state_time=now,
        previous_state=subtask.state,
        previous_state_time=subtask.state_time,
    )


def ended_subtask(subtask: Subtask, run: RunId | None, outcome: Outcome) -> Subtask:
    """The subtask once it has coordinated, or could not."""
    return replace(
        moved_subtask(subtask, TaskState.COMPLETED, outcome.ended),
        run=run,
        started=outcome.started,
        ended=outcome.ended,
        exit_code=outcome.exit_code,
        failure=outcome.failure,
    )


def with_subtask(task: Task, changed: Subtask) -> Task:
    """The task with one subtask in place of the one with its number."""
    return replace(
        task,
        subtasks=tuple(
            changed if subtask.number == changed.number else subtask for subtask in task.subtasks
        ),
    )


def all_coordinated(task: Task) -> bool:
    """Whether the primary's own command may run."""
    return task.coordinated and all(
        subtask.state is TaskState.COMPLETED and subtask.failure is None
        for subtask in task.subtasks
    )
