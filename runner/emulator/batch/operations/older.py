"""Operations that only versions before 2025-06-01 have.

It must not know how requests reach them (`table`). Source: azure-batch 10.0 to 14.2.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runner.emulator.batch.core.durations import format_duration
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.replies import Reply, element
from runner.emulator.batch.operations.wire import format_moment

_NO_TIME = format_duration(timedelta())


def get_lifetime_pool_statistics(call: Call) -> Reply:
    """`GET /lifetimepoolstats`: on record is that the service counted nothing any more."""
    times = _times(call)
    numbers = ("avgCPUPercentage", "avgMemoryGiB", "peakMemoryGiB", "avgDiskGiB", "peakDiskGiB")
    sums = ("diskReadGiB", "diskWriteGiB", "networkReadGiB", "networkWriteGiB")
    resources = {
        "startTime": times["startTime"],
        "diskReadIOps": "0",
        "diskWriteIOps": "0",
        "lastUpdateTime": times["lastUpdateTime"],
        **dict.fromkeys((*numbers, *sums), 0.0),
    }
    shown = {
        "url": call.url,
        "usageStats": {**times, "dedicatedCoreTime": _NO_TIME},
        "resourceStats": resources,
    }
    return element(call.endpoint, "poolstats", shown, None)


def get_lifetime_job_statistics(call: Call) -> Reply:
    """`GET /lifetimejobstats`: on record is that the service counted nothing any more."""
    counts = ("numTaskRetries", "numSucceededTasks", "numFailedTasks")
    shown: dict[str, Any] = {
        "url": call.url,
        **_times(call),
        **dict.fromkeys(("userCPUTime", "kernelCPUTime", "wallClockTime"), _NO_TIME),
        **dict.fromkeys(("readIOps", "writeIOps"), "0"),
        **dict.fromkeys(("readIOGiB", "writeIOGiB"), 0.0),
        **dict.fromkeys(counts, "0"),
        "waitTime": _NO_TIME,
    }
    return element(call.endpoint, "jobstats", shown, None)


def _times(call: Call) -> dict[str, str]:
    now = format_moment(call.now)
    return {"startTime": now, "lastUpdateTime": now}
