"""Shows the last requests to the accounts, without what is a secret in them.

It must not know what was asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from runner.emulator.batch.operations.wire import format_moment
from runner.emulator.dashboard.hiding import hide_in_text, show_query
from runner.emulator.dashboard.sources import Sources
from runner.emulator.lingering import Passed
from runner.emulator.server.queries import parse_query


async def show_requests(sources: Sources, after: int) -> dict[str, Any]:
    """Those that are remembered beyond the first `after`, the oldest first."""
    attendance = sources.attendance
    passed, recent = attendance.passed, attendance.recent()
    wanted = max(0, min(len(recent), passed - after))
    first = passed - wanted
    # The clock may have been set meanwhile, and may be wrong on purpose: ages are right.
    now, monotonic = sources.clock(), sources.monotonic()
    return {
        "passed": passed,
        "requests": [
            _show(number, each, now - timedelta(seconds=monotonic - each.began))
            for number, each in enumerate(recent[len(recent) - wanted :], first + 1)
        ],
    }


def _show(number: int, request: Passed, moment: datetime) -> dict[str, Any]:
    return {
        "number": number,
        "time": format_moment(moment),
        "method": request.method,
        "path": hide_in_text(unquote(request.raw_path, errors="replace")),
        "query": show_query(parse_query(request.raw_query)),
        "status": request.status or None,
        "milliseconds": round((request.ended - request.began) * 1000, 1),
        "faults": list(request.faults),
    }
