"""How the subtasks of multi-instance tasks are shown.

It must not know how a list is wrapped.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core.folders import task_folder
from runner.emulator.batch.core.task import Subtask, Task, TaskState
from runner.emulator.batch.operations.views.entities import node_url
from runner.emulator.batch.operations.views.executions import show_failure
from runner.emulator.batch.operations.wire import format_moment


def show_subtask(endpoint: str, task: Task, subtask: Subtask) -> dict[str, Any]:
    """One entry of `subtasksinfo`."""
    place = subtask.placement
    url = node_url(endpoint, place.pool, place.node)
    folder = f"{task_folder(task.job, task.id)}/{subtask.number}"
    shown: dict[str, Any] = {
        "id": subtask.number,
        "nodeInfo": {
            "affinityId": f"TVM:{place.node}",
            "nodeUrl": url,
            "poolId": place.pool,
            "nodeId": place.node,
            "taskRootDirectory": folder,
            "taskRootDirectoryUrl": f"{url}/files/{folder}",
        },
    }
    if subtask.started is not None:
        shown["startTime"] = format_moment(subtask.started)
    if subtask.ended is not None:
        shown["endTime"] = format_moment(subtask.ended)
    if subtask.exit_code is not None:
        shown["exitCode"] = subtask.exit_code
    if subtask.failure is not None:
        shown["failureInfo"] = show_failure(subtask.failure)
    shown["state"] = subtask.state.value
    shown["stateTransitionTime"] = format_moment(subtask.state_time)
    if subtask.previous_state is not None and subtask.previous_state_time is not None:
        shown["previousState"] = subtask.previous_state.value
        shown["previousStateTransitionTime"] = format_moment(subtask.previous_state_time)
    if subtask.state is TaskState.COMPLETED:
        shown["result"] = "success" if subtask.failure is None else "failure"
    return shown
