"""The report as data: `report.json` in the run's directory.

It renders a report and nothing else.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from runner.report.fold import Report
from runner.run.events import HALTED, VERSION, format_time


def report_as_json(report: Report, *, run: str) -> dict[str, Any]:
    """One object; keys are only ever added within a version."""
    body = asdict(report)
    failures = body.pop("failures")
    del body["ends"], body["ended_attempts"], body["deliveries"], body["cleaned"]
    failed = sum(failure["cause"] != HALTED for failure in failures)
    return {
        "v": VERSION,
        "run": run,
        **_with_times(body),
        "failed": failed,
        "not_home": len(report.not_home),
        "unfinished": report.tasks - report.succeeded - failed,
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


def _with_times(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: format_time(value) if isinstance(value, datetime) else value
        for key, value in values.items()
    }
