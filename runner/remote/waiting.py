"""Waits until the service has done what it promised, by asking again with growing intervals.

It must not know what is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runner.errors import ServiceError
from runner.remote.endurance import Pause

_FIRST_SECONDS = 0.05
_LONGEST_SECONDS = 5.0
_GROWTH = 1.5


def wait_until(
    is_so: Callable[[], bool],
    complaint: str,
    *,
    clock: Callable[[], datetime],
    pause: Pause,
    limit: timedelta,
) -> None:
    """Returns once `is_so()`; `ServiceError` when the limit has passed, which ends `complaint`."""
    deadline = clock() + limit
    seconds = _FIRST_SECONDS
    while not is_so():
        if clock() >= deadline:
            minutes = limit / timedelta(minutes=1)
            raise ServiceError(f"{complaint} after {minutes:g} minutes")
        pause(seconds)
        seconds = min(seconds * _GROWTH, _LONGEST_SECONDS)


def wait_until_gone(
    is_gone: Callable[[], bool],
    what: str,
    *,
    clock: Callable[[], datetime],
    pause: Pause,
    limit: timedelta,
) -> None:
    """Returns once `is_gone()`; `ServiceError` naming `what` when the limit has passed."""
    complaint = f"{what} is still being deleted"
    wait_until(is_gone, complaint, clock=clock, pause=pause, limit=limit)
