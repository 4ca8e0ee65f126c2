"""Has all that runs on a node end, before the node leaves, restarts or is lost.

It must not know what becomes of the node then (`nodes`).
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.actions import Kill
from runner.emulator.batch.core.agenda import NodeDue
from runner.emulator.batch.core.ids import key_of
from runner.emulator.batch.core.node import Node, NodeState
from runner.emulator.batch.core.pool import Deallocation
from runner.emulator.batch.core.runs import end_task, requeue_task
from runner.emulator.batch.core.state import State
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import replace


def clear_node(
    state: State, now: datetime, node: Node, to: NodeState, option: Deallocation
) -> None:
    """Puts a node into a state in which all that runs there ends, tasks as the option says."""
    state.store.put(replace(node, state=to, state_time=now, option=option, until=None, errors=()))
    state.logs.note(node.id, now, f"node is {to.value}; tasks: {option.value}")
    state.agenda.add(now + state.pace.leaving, NodeDue(pool=node.pool, node=node.id))
    if node.start is not None and node.start.run is not None:
        state.actions.append(Kill(run=node.start.run))
    for record in state.store.job_nodes.of_node(node.id):
        state.actions.extend(Kill(run=run) for run in record.runs)
        state.touch_job(record.job)
    end_tasks(state, now, node, option)


def end_tasks(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Deals with the tasks that run on a node; the ones that may go on are left alone."""
    for occupation in node.occupied:
        task = state.store.tasks(occupation.job).get(key_of(occupation.task))
        if task is None or not task.is_run_by(occupation.run):
            continue
        match option:
            case Deallocation.REQUEUE:
                requeue_task(state, now, task)
            case Deallocation.TERMINATE:
                end_task(state, now, task)
            case Deallocation.TASK_COMPLETION | Deallocation.RETAINED_DATA:
                pass
            case _:
                raise unforeseen(option)


def is_clear(state: State, now: datetime, node: Node) -> bool:
    """Whether nothing runs on a node any more, and nobody may want its files."""
    starting = node.start is not None and node.start.run is not None
    busy = starting or any(record.runs for record in state.store.job_nodes.of_node(node.id))
    if node.occupied or busy or now < node.state_time + state.pace.leaving:
        return False
    if node.option is not Deallocation.RETAINED_DATA or node.retained_until is None:
        return True
    if now < node.retained_until:
        state.agenda.add(node.retained_until, NodeDue(pool=node.pool, node=node.id))
        return False
    return True
