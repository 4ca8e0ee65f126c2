"""Shows a job with a page of its tasks, and one task more closely.

It must not know how files of tasks are read.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from runner.emulator.batch.core.document import opened
from runner.emulator.batch.core.ids import JobId, Key, TaskId, key_of
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.task import Task, TaskState
from runner.emulator.batch.core.tasktable import TaskTable
from runner.emulator.batch.operations.views.entities import show_job
from runner.emulator.batch.operations.views.tasks import TaskView
from runner.emulator.batch.operations.wire import format_moment
from runner.emulator.control.gate import ControlError
from runner.emulator.dashboard.executions import show_attempts, show_subtasks
from runner.emulator.dashboard.hiding import hide_in_document, show_name
from runner.emulator.dashboard.overview import show_job_line
from runner.emulator.dashboard.portions import in_portions
from runner.emulator.dashboard.sources import BatchSource
from runner.emulator.storage.record import record

PAGE_TASKS = 100

_STATES: dict[str, Callable[[Task], bool]] = {
    "all": lambda _: True,
    "active": lambda task: task.state is TaskState.ACTIVE,
    "running": lambda task: task.state in (TaskState.RUNNING, TaskState.PREPARING),
    "succeeded": lambda task: task.succeeded,
    "failed": lambda task: task.state is TaskState.COMPLETED and task.failure is not None,
}
_SORTS = ("id", "newest", "longest")


@record(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tasks, in which order; `start` is the `next` of the page before, or empty."""

    state: str = "all"
    search: str = ""
    sort: str = "id"
    start: str = ""


def read_wanted(query: dict[str, str]) -> Wanted:
    """Raises `ControlError` for what cannot be asked for."""
    wanted = Wanted(
        state=query.get("state") or "all",
        search=query.get("search", "").strip().lower(),
        sort=query.get("sort") or "id",
        start=query.get("start", ""),
    )
    for name, value, known in (
        ("state", wanted.state, tuple(_STATES)),
        ("sort", wanted.sort, _SORTS),
    ):
        if value not in known:
            raise ControlError(400, f"`{name}`: `{value}` is none of {', '.join(known)}")
    if wanted.sort != "id" and wanted.start and not _is_number(wanted.start):
        raise ControlError(400, f"`start`: `{wanted.start}` is not a number")
    return wanted


class TaskNames:
    """What tasks of one job are called, in lower case: a search looks at all of them."""

    def __init__(self) -> None:
        self._of: tuple[str, datetime] | None = None
        self._names: dict[int, str] = {}

    def of_job(self, job: Job) -> Callable[[Task], str]:
        """Tells the name of a task of the job; forgets those of other jobs.

        Who still asks for those has them for itself: another may search meanwhile.
        """
        if self._of != (job.id, job.created):
            self._of, self._names = (job.id, job.created), {}
        names = self._names

        def name_of(task: Task) -> str:
            # By number, which no other task of the job ever has; an id may be given again.
            name = names.get(task.number)
            if name is None:
                name = names[task.number] = str(
                    opened(task.document).get("displayName", "")
                ).lower()
            return name

        return name_of


async def show_tasks(
    source: BatchSource, job_id: str, wanted: Wanted, names: TaskNames, now: datetime
) -> dict[str, Any]:
    """A job in a line and a page of its tasks."""
    store = source.shared.state.store
    job = store.job(JobId(job_id))
    table = store.tasks(job.id)
    fits = _filter(wanted, names.of_job(job))
    if wanted.sort == "id":
        found, following = await _page_by_id(table, wanted.start, fits)
    else:
        found, following = await _page_by_rank(table, wanted, fits, now)
    return {
        "job": show_job_line(store, job),
        "tasks": [_show_line(task) for task in found],
        "next": following,
        "document": hide_in_document(show_job(source.endpoint, job)),
    }


async def show_task_closely(source: BatchSource, job_id: str, task_id: str) -> dict[str, Any]:
    """A task in a line and as the service shows it, without secrets."""
    store = source.shared.state.store
    task = store.task(JobId(job_id), TaskId(task_id))
    shown = TaskView(source.endpoint, None).show(task, on_windows=False)
    return {
        "task": _show_line(task),
        "attempts": await show_attempts(store, task) if count_attempts(task) > 1 else [],
        "subtasks": show_subtasks(task),
        "document": hide_in_document(shown),
    }


def count_attempts(task: Task) -> int:
    """How often it was given to a node to run, now or before; waiting for it is no attempt."""
    before = task.retry_count + task.requeue_count
    match task.state:
        case TaskState.RUNNING:
            return before + 1
        case TaskState.COMPLETED:
            # One that was ended while it waited to be tried again has the start of the last try.
            ran = task.started is not None and task.previous_state is not TaskState.ACTIVE
            return before + ran
    return before


def _filter(wanted: Wanted, name_of: Callable[[Task], str]) -> Callable[[Key, Task], bool]:
    has_state, search = _STATES[wanted.state], wanted.search

    def fits(key: Key, task: Task) -> bool:
        if not has_state(task):
            return False
        return not search or search in key or search in name_of(task)

    return fits


async def _page_by_id(
    table: TaskTable, start: str, fits: Callable[[Key, Task], bool]
) -> tuple[list[Task], str | None]:
    found: list[Task] = []
    async for key, task in in_portions(table, key_of(start) or None):
        if fits(key, task):
            if len(found) == PAGE_TASKS:
                return found, found[-1].id
            found.append(task)
    return found, None


async def _page_by_rank(
    table: TaskTable, wanted: Wanted, fits: Callable[[Key, Task], bool], now: datetime
) -> tuple[list[Task], str | None]:
    rank = _changed if wanted.sort == "newest" else _took(now)
    ranked = [
        (rank(task), -task.number, key) async for key, task in in_portions(table) if fits(key, task)
    ]
    first = int(wanted.start or 0)
    best = heapq.nlargest(first + PAGE_TASKS, ranked)[first:]
    found = (table.get(key) for _, _, key in best)
    more = len(ranked) > first + PAGE_TASKS
    return [task for task in found if task is not None], str(first + PAGE_TASKS) if more else None


def _changed(task: Task) -> float:
    return task.state_time.timestamp()


def _took(now: datetime) -> Callable[[Task], float]:
    def rank(task: Task) -> float:
        took = timedelta(-1) if task.started is None else (task.ended or now) - task.started
        return took.total_seconds()

    return rank


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _show_line(task: Task) -> dict[str, Any]:
    failure = task.failure
    return {
        "id": task.id,
        "name": show_name(task.document),
        "state": task.state.value,
        "failed": failure is not None,
        "exit_code": task.exit_code,
        "code": None if failure is None else failure.code,
        "message": None if failure is None else failure.message,
        "pool": None if task.placement is None else task.placement.pool,
        "node": None if task.placement is None else task.placement.node,
        "attempts": count_attempts(task),
        "created": format_moment(task.created),
        "started": None if task.started is None else format_moment(task.started),
        "ended": None if task.ended is None else format_moment(task.ended),
        "changed": format_moment(task.state_time),
    }
