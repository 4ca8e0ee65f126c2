"""Time as an argument: what the run needs to know of it.

It must not read a clock itself; `cli` gives the real one, tests one that they move.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from runner.frozen import dataclass
from runner.run.stop import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """`now` is aware and in UTC, `monotonic` in seconds.

    `wait` returns after so many seconds, or as soon as the `Stop` is asked for or woken.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    wait: Callable[[Stop, float], None]
