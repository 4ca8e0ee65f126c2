"""How the statistics of tasks, jobs and schedules are shown, for who asks with `$expand=stats`.

Times of processors and traffic of disks are not measured, and so are none. It must not know in
which answer they stand. Source: REST reference, TaskStatistics, JobStatistics.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from runner.emulator.batch.core.durations import format_duration
from runner.emulator.batch.core.task import Task
from runner.emulator.batch.core.tasktable import TaskTable
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.wire import format_moment


def is_asked_for(call: Call) -> bool:
    """Whether the request wants statistics too."""
    return "stats" in call.query.get("$expand", "")


def show_task_statistics(url: str, task: Task, now: datetime) -> dict[str, Any]:
    """`stats` of a task; of one that runs up to now."""
    started = task.started
    return {
        **_head(url, task.created, now),
        **_unmeasured(timedelta() if started is None else (task.ended or now) - started),
        "waitTime": format_duration((started or now) - task.created),
    }


def show_job_statistics(
    url: str, created: datetime, tables: Iterable[TaskTable], now: datetime
) -> dict[str, Any]:
    """`stats` of a job, or of a schedule with all its jobs; of tasks that have completed."""
    wall, wait = timedelta(), timedelta()
    succeeded = failed = retries = 0
    for table in tables:
        totals, counts = table.totals(), table.counts()
        wall += totals.wall
        wait += totals.wait
        retries += totals.retries
        succeeded += counts.succeeded
        failed += counts.failed
    return {
        **_head(url, created, now),
        **_unmeasured(wall),
        "numSucceededTasks": str(succeeded),
        "numFailedTasks": str(failed),
        "numTaskRetries": str(retries),
        "waitTime": format_duration(wait),
    }


def _head(url: str, since: datetime, now: datetime) -> dict[str, str]:
    return {
        "url": f"{url}/stats",
        "startTime": format_moment(since),
        "lastUpdateTime": format_moment(now),
    }


def _unmeasured(wall: timedelta) -> dict[str, Any]:
    none = format_duration(timedelta())
    return {
        "userCPUTime": none,
        "kernelCPUTime": none,
        "wallClockTime": format_duration(wall),
        "readIOps": "0",
        "writeIOps": "0",
        "readIOGiB": 0.0,
        "writeIOGiB": 0.0,
    }
