"""The report as data: `report.json` in the run's directory.

It renders a report and nothing else.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from runner.report.cost import cost_as_json
from runner.report.fold import Report
from runner.report.grouping import FailureGroup, group_failures
from runner.report.toll import toll_of
from runner.run.events import HALTED, VERSION, format_time

# How the report is made, and not what it says.
_INNER = (
    *("ends", "ended_attempts", "deliveries", "cleaned", "not_own", "pool_change"),
    *("spending", "times"),
)


def report_as_json(report: Report, *, run: str) -> dict[str, Any]:
    """One object; keys are only ever added within a version."""
    body = asdict(report)
    failures = body.pop("failures")
    for inner in _INNER:
        del body[inner]
    toll = toll_of(report)
    failed = len(failures) - report.not_own.get(HALTED, 0)
    return {
        "v": VERSION,
        "run": run,
        **_with_times(body),
        "failed": failed,
        "not_home": toll.not_home,
        "ended_with_job": toll.ended_with_job,
        "never_ran": toll.never_ran,
        "unfinished": report.tasks - report.succeeded - failed,
        "wall_seconds": report.wall_seconds,
        "task_seconds": round(report.times.seconds, 6),
        "attempts": report.times.attempts,
        "cost": cost_as_json(report.spending.cost()),
        "groups": [_group(group) for group in group_failures(report.failures, run=run)],
        "failures": [
            {
                **_with_times(failure),
                "ended_attempts": [
                    _with_times(asdict(attempt))
                    for attempt in report.ended_attempts.get(failure["task"], ())
                ],
            }
            for failure in failures
        ],
    }


def _group(group: FailureGroup) -> dict[str, Any]:
    signature = group.signature
    return {
        "exit_code": signature.exit_code,
        "cause": signature.cause,
        "words": signature.words,
        "count": len(group.tasks),
        "first": group.first.task,
        "tasks": [task.task for task in group.tasks],
    }


def _with_times(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: format_time(value) if isinstance(value, datetime) else value
        for key, value in values.items()
    }
