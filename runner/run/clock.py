"""Time as an argument: what the run needs to know of it.

It must not read a clock itself; `cli` gives the real one, tests one that they move.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """`now` is aware and in UTC, `monotonic` in seconds.

    `wait` returns when the signal is set, or after so many seconds.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    wait: Callable[[Signal, float], bool]
