"""How we wait for services: how long at most, by which clock, and what ends a wait before its time.

It must not know what is waited for, nor the SDKs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import field
from datetime import datetime, timedelta

from runner.frozen import dataclass
from runner.run.silence import say_nothing
from runner.run.stop import Stop

Pause = Callable[[float], object]
"""Waits for a number of seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a service may be in trouble before we give up.

    `limit` counts from the first failure that no answer has followed, as does `hurried_seconds`
    once somebody waits for the end; of trouble that is over after `silent_seconds` nobody is told.
    """

    limit: timedelta = timedelta(minutes=15)
    hurried_seconds: float = 15
    silent_seconds: float = 30
    connect_seconds: float = 10
    read_seconds: float = 40
    backoff_seconds: float = 0.8
    longest_backoff_seconds: float = 30


def _has_room() -> None:
    """Services of others see to that themselves."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Endurance:
    """How all that is open waits: how long, by which clock, and what ends a wait before its time.

    `monotonic` is in seconds and stands still while the machine sleeps. Whoever works with what is
    open gives its own `stop` and `tell`, which takes a line for people; `ended` is whether the
    services are gone for good, and `check_room` raises `DiskFullError` where they are of this
    machine and have no room to write. `jitter` gives a number from 0 to 1.
    """

    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    pause: Pause
    stop: Stop = field(default_factory=Stop)
    tell: Callable[[str], None] = say_nothing
    ended: Callable[[], bool] = lambda: False
    check_room: Callable[[], None] = _has_room
    jitter: Callable[[], float] = lambda: 0.5
    troubles: dict[str, str] = field(default_factory=dict)
    """By service, in words, what was told of it and lasts still."""
    _hurried: float | None = field(default=None, init=False)

    def wait(self, seconds: float) -> None:
        """Waits, `InterruptedRunError` where a wish to stop comes meanwhile, or came before."""
        self.check()
        self.pause(seconds)
        self.check()

    def check(self) -> None:
        """Raises `InterruptedRunError` once somebody has asked, until that is heeded."""
        if not self.stop.is_heeded:
            self.stop.check()

    @property
    def is_over(self) -> bool:
        """Whether a wait that is under way has lost its sense."""
        return (self.stop.requested and not self.stop.is_heeded) or self.ended()

    @property
    def hurried(self) -> float | None:
        """Since when somebody waits for the end; None where nobody does."""
        if self._hurried is None and self.stop.requested:
            self._hurried = self.monotonic()
        return self._hurried
