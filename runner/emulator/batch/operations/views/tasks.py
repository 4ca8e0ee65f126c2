"""How tasks are shown: of each no more is made than was asked for, since a page has a thousand.

It must not know how a list or a single one is wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from runner.emulator.batch.core.folders import task_folder
from runner.emulator.batch.core.task import Task, TaskState
from runner.emulator.batch.operations.views.entities import node_url, task_url
from runner.emulator.batch.operations.views.executions import show_task_execution
from runner.emulator.batch.operations.wire import etag_of, format_moment

_Get = Callable[["TaskView", Task], Any]


class TaskView:
    """Shows tasks with the properties that are wanted, in the service's order; None is all."""

    def __init__(self, endpoint: str, wanted: Collection[str] | None) -> None:
        self.endpoint = endpoint
        self._wanted = wanted
        self._head = _chosen(_HEAD, wanted)
        self._tail = _chosen(_TAIL, wanted)
        self._declared = wanted is None or not _OWN.issuperset(wanted)

    def show(self, task: Task, *, on_windows: bool) -> dict[str, Any]:
        """A task; Windows nodes write paths in their own way."""
        shown: dict[str, Any] = {}
        for name, get in self._head:
            value = get(self, task)
            if value is not None:
                shown[name] = value
        if self._declared:
            self._add_declared(shown, task)
        for name, get in self._tail:
            value = get(self, task)
            if value is not None:
                shown[name] = value
        if on_windows and shown.get("nodeInfo"):
            folder = shown["nodeInfo"]["taskRootDirectory"]
            shown["nodeInfo"]["taskRootDirectory"] = folder.replace("/", "\\")
        return shown

    def _add_declared(self, shown: dict[str, Any], task: Task) -> None:
        for name, value in task.document.items():
            if name in _OWN or (self._wanted is not None and name not in self._wanted):
                continue
            if name == "constraints":
                value = {**value, "maxTaskRetryCount": task.max_retry_count}
            shown[name] = value

    def node_info(self, task: Task) -> dict[str, Any] | None:
        """`nodeInfo`."""
        if task.placement is None:
            return {} if task.state is TaskState.COMPLETED else None
        pool, node = task.placement.pool, task.placement.node
        url, folder = node_url(self.endpoint, pool, node), task_folder(task.job, task.id)
        return {
            "affinityId": f"TVM:{node}",
            "nodeUrl": url,
            "poolId": pool,
            "nodeId": node,
            "taskRootDirectory": folder,
            "taskRootDirectoryUrl": f"{url}/files/{folder}",
        }


def _previous_state(_: TaskView, task: Task) -> str | None:
    has_previous = task.previous_state is not None and task.previous_state_time is not None
    return task.previous_state.value if task.previous_state and has_previous else None


def _previous_time(_: TaskView, task: Task) -> str | None:
    if task.previous_state is None or task.previous_state_time is None:
        return None
    return format_moment(task.previous_state_time)


_HEAD: tuple[tuple[str, _Get], ...] = (
    ("id", lambda _, task: task.id),
    ("displayName", lambda _, task: task.document.get("displayName")),
    ("url", lambda view, task: task_url(view.endpoint, task.job, task.id)),
    ("eTag", lambda _, task: etag_of(task.modified)),
    ("creationTime", lambda _, task: format_moment(task.created)),
    ("lastModified", lambda _, task: format_moment(task.modified)),
    ("state", lambda _, task: task.state.value),
    ("stateTransitionTime", lambda _, task: format_moment(task.state_time)),
    ("previousState", _previous_state),
    ("previousStateTransitionTime", _previous_time),
)
_TAIL: tuple[tuple[str, _Get], ...] = (
    ("executionInfo", lambda _, task: show_task_execution(task)),
    ("nodeInfo", TaskView.node_info),
)
_OWN = frozenset(name for name, _ in (*_HEAD, *_TAIL))
"""What does not follow from the document alone."""


def _chosen(
    properties: tuple[tuple[str, _Get], ...], wanted: Collection[str] | None
) -> tuple[tuple[str, _Get], ...]:
    return tuple((name, get) for name, get in properties if wanted is None or name in wanted)
