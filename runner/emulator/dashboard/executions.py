"""Shows where and how a task has run: its attempts as far as nodes remember them, its subtasks.

It must not know how the task itself is shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runner.emulator.batch.core.folders import task_folder
from runner.emulator.batch.core.ids import NodeId
from runner.emulator.batch.core.store import Store
from runner.emulator.batch.core.task import Subtask, Task
from runner.emulator.batch.node.launch import Failure
from runner.emulator.batch.operations.wire import format_moment
from runner.emulator.dashboard.portions import in_portions


async def show_attempts(store: Store, task: Task) -> list[dict[str, Any]]:
    """Attempts that have ended, the first one first.

    A task keeps its last one alone. Others are told by the nodes that they were on, each of which
    remembers the ten that ended there last, for as long as it is there.
    """
    if task.placement is None:
        return []
    found = [
        (each.started, node.id, each)
        async for _, node in in_portions(store.nodes(task.placement.pool))
        for each in node.recent
        if each.task == task.id
        and each.job == task.job
        and not each.subtask
        # Not of one that had its id before it.
        and each.started >= task.created
    ]
    return [
        _show(task.placement.pool, node, started, each.ended, each.exit_code, each.failure)
        for started, node, each in sorted(found, key=lambda each: each[0])
    ]


def show_subtasks(task: Task) -> list[dict[str, Any]]:
    """Those of a multi-instance task, with their folders as seen from their nodes' roots."""
    return [_show_subtask(task, each) for each in task.subtasks]


def _show_subtask(task: Task, subtask: Subtask) -> dict[str, Any]:
    place = subtask.placement
    return {
        "number": subtask.number,
        "state": subtask.state.value,
        "failed": subtask.failure is not None,
        "folder": f"{task_folder(task.job, task.id)}/{subtask.number}",
        **_show(
            place.pool,
            place.node,
            subtask.started,
            subtask.ended,
            subtask.exit_code,
            subtask.failure,
        ),
    }


def _show(
    pool: str,
    node: NodeId,
    started: datetime | None,
    ended: datetime | None,
    exit_code: int | None,
    failure: Failure | None,
) -> dict[str, Any]:
    return {
        "pool": pool,
        "node": node,
        "started": None if started is None else format_moment(started),
        "ended": None if ended is None else format_moment(ended),
        "exit_code": exit_code,
        "code": None if failure is None else failure.code,
        "message": None if failure is None else failure.message,
    }
