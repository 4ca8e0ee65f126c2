"""How executions of tasks and start tasks are shown: times, exit codes, failures.

It must not know in which entity they stand.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runner.emulator.batch.core.job import SchedulingError
from runner.emulator.batch.core.node import NodeRun
from runner.emulator.batch.core.task import Task, TaskState
from runner.emulator.batch.node.launch import Failure
from runner.emulator.batch.operations.wire import format_moment


def show_failure(failure: Failure) -> dict[str, Any]:
    """`failureInfo`."""
    shown: dict[str, Any] = {
        "category": failure.category.value,
        "code": failure.code,
        "message": failure.message,
    }
    if failure.details:
        shown["details"] = [{"name": name, "value": value} for name, value in failure.details]
    return shown


def show_scheduling_error(error: SchedulingError) -> dict[str, Any]:
    """`schedulingError` of a job."""
    shown: dict[str, Any] = {
        "category": error.category.value,
        "code": error.code,
        "message": error.message,
    }
    if error.details:
        shown["details"] = [{"name": name, "value": value} for name, value in error.details]
    return shown


def show_task_execution(task: Task) -> dict[str, Any]:
    """`executionInfo` of a task; there from its creation."""
    shown = _times(task.started, task.ended)
    if task.state is TaskState.COMPLETED:
        _add_end(shown, task.exit_code, task.failure)
        # On record: a task that was ended before it ever ran shows its result in another case.
        result = "success" if task.succeeded else "failure"
        shown["result"] = result if task.placement is not None else result.capitalize()
    shown["retryCount"] = task.retry_count
    if task.last_retry is not None:
        shown["lastRetryTime"] = format_moment(task.last_retry)
    shown["requeueCount"] = task.requeue_count
    if task.last_requeue is not None:
        shown["lastRequeueTime"] = format_moment(task.last_requeue)
    return shown


def show_start_run(start: NodeRun) -> dict[str, Any]:
    """`startTaskInfo` of a node."""
    running = start.ended is None
    shown = {"state": "running" if running else "completed", **_times(start.started, start.ended)}
    if not running:
        _add_end(shown, start.exit_code, start.failure)
    shown["retryCount"] = start.retry_count
    if start.last_retry is not None:
        shown["lastRetryTime"] = format_moment(start.last_retry)
    if not running:
        shown["result"] = "success" if start.failure is None else "failure"
    return shown


def _times(started: datetime | None, ended: datetime | None) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if started is not None:
        shown["startTime"] = format_moment(started)
    if ended is not None:
        shown["endTime"] = format_moment(ended)
    return shown


def _add_end(shown: dict[str, Any], exit_code: int | None, failure: Failure | None) -> None:
    if exit_code is not None:
        shown["exitCode"] = exit_code
    if failure is not None:
        shown["failureInfo"] = show_failure(failure)
