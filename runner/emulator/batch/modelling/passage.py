"""How time passes for the core: as it does, or as fast as there is work to be done.

It must not know what is waited for.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

# Whoever adds work in several requests has them all taken in before time goes on.
_PAUSE_SECONDS = 0.5
# How long time may be let pass before requests get a turn.
_TURN_SECONDS = 0.01


class Wake:
    """Something to be done at a moment, until it is cancelled; also once it has been done."""

    __slots__ = ("call", "cancelled", "moment", "pulls")

    def __init__(self, moment: datetime, call: Callable[[], None], *, pulls: bool) -> None:
        self.moment = moment
        self.call = call
        self.pulls = pulls
        self.cancelled = False


class Passage(Protocol):
    """The core's time, on one asyncio loop."""

    def now(self) -> datetime:
        """The moment that it is."""
        ...

    def wake(self, moment: datetime, call: Callable[[], None], *, pulls: bool = False) -> Wake:
        """Has a function called once a moment has come; where it `pulls`, the sooner the better."""
        ...

    def cancel(self, wake: Wake) -> None:
        """Has it not called after all; harmless when repeated or too late."""
        ...

    def resume(self, moment: datetime) -> None:
        """Goes on from a moment that had come before, where that can be, and it is yet to come."""
        ...

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keeps time from being hurried while something is being changed, and a little after."""
        ...


class RealTime:
    """Time as a clock shows it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.now = clock
        self._timers: dict[Wake, asyncio.TimerHandle] = {}

    def wake(self, moment: datetime, call: Callable[[], None], *, pulls: bool = False) -> Wake:
        """Sets a timer of the loop."""
        wake = Wake(moment, call, pulls=pulls)
        seconds = max(0.0, (moment - self.now()).total_seconds())
        loop = asyncio.get_running_loop()
        self._timers[wake] = loop.call_later(seconds, self._call, wake)
        return wake

    def cancel(self, wake: Wake) -> None:
        """Takes the timer back."""
        wake.cancelled = True
        timer = self._timers.pop(wake, None)
        if timer is not None:
            timer.cancel()

    def resume(self, moment: datetime) -> None:
        """A clock goes its own way."""

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Real time waits for nobody."""
        yield

    def _call(self, wake: Wake) -> None:
        del self._timers[wake]
        wake.cancelled = True
        wake.call()


class Mode(Enum):
    """How virtual time passes."""

    VIRTUAL = "virtual"
    """While anything pulls: from one moment to the next, at once. Otherwise as a clock shows it."""
    MANUAL = "manual"
    """Only when it is told to."""


class VirtualTime:
    """Time that jumps from one moment at which something happens to the next.

    While it does, and in `MANUAL` mode always, it stands still between the jumps, so that what
    happens does not depend on how fast this machine is.
    """

    def __init__(self, clock: Callable[[], datetime], mode: Mode) -> None:
        self.mode = mode
        self._clock = clock
        self._offset = timedelta()
        self._standing: datetime | None = clock() if mode is Mode.MANUAL else None
        self._entries: list[tuple[datetime, int, Wake]] = []
        self._made = 0
        self._pulling = 0
        self._timer: asyncio.TimerHandle | None = None
        self._holders = 0
        self._held_until = 0.0
        self._turning = False

    def now(self) -> datetime:
        """The moment that it is."""
        return self._clock() + self._offset if self._standing is None else self._standing

    @property
    def next_moment(self) -> datetime | None:
        """When something happens next."""
        self._drop_cancelled()
        return self._entries[0][0] if self._entries else None

    def wake(self, moment: datetime, call: Callable[[], None], *, pulls: bool = False) -> Wake:
        """Notes it; entries of one moment come in the order of their making."""
        wake = Wake(moment, call, pulls=pulls)
        self._made += 1
        heapq.heappush(self._entries, (moment, self._made, wake))
        if pulls:
            self._pulling += 1
            if self._standing is None:
                self._standing = self.now()
        self._arm()
        return wake

    def cancel(self, wake: Wake) -> None:
        """Has it not called after all; harmless when repeated or too late."""
        if not wake.cancelled:
            self._end(wake)
            self._let_go()

    def resume(self, moment: datetime) -> None:
        """Nothing happens twice: what is due by then happens then."""
        self._move_to(moment)
        self._arm()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keeps time from jumping meanwhile and for a moment of real time after."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            self._held_until = asyncio.get_running_loop().time() + _PAUSE_SECONDS
            self._arm()

    async def advance(self, length: timedelta) -> None:
        """Lets so much time pass at once, with all that happens in it; others get their turns."""
        end = self.now() + length
        while self.now() < end:
            self._turn_until(end)
            await asyncio.sleep(0)

    def _end(self, wake: Wake) -> None:
        wake.cancelled = True
        if wake.pulls:
            self._pulling -= 1

    def _let_go(self) -> None:
        """Has time pass by itself again, from where it stands, once nothing pulls any more."""
        idle = self._pulling == 0 and not self._turning and self.mode is Mode.VIRTUAL
        if idle and self._standing is not None:
            self._offset = self._standing - self._clock()
            self._standing = None
        self._arm()

    def _arm(self) -> None:
        """Sets the one timer for the next thing to be done."""
        if self._turning:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        moment = self.next_moment
        if moment is None:
            return
        loop = asyncio.get_running_loop()
        if moment <= self.now():
            seconds = 0.0
        elif self.mode is Mode.MANUAL or (self._pulling and self._holders):
            return
        elif self._pulling:
            seconds = max(0.0, self._held_until - loop.time())
        else:
            seconds = (moment - self.now()).total_seconds()
        self._timer = loop.call_later(seconds, self._turn)

    def _turn(self) -> None:
        self._timer = None
        hurries = self.mode is Mode.VIRTUAL and self._pulling > 0 and not self._holders
        self._turn_until(None if hurries else self.now())

    def _turn_until(self, end: datetime | None) -> None:
        """Does what comes next, up to a moment or for as long as something pulls; for a while."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _TURN_SECONDS
        self._turning = True
        try:
            while loop.time() < deadline:
                if not self._step(end):
                    break
        finally:
            self._turning = False
            self._let_go()

    def _step(self, end: datetime | None) -> bool:
        """Does all of the next moment; whether there may be more."""
        moment = self.next_moment
        if end is None and not self._pulling:
            return False
        if moment is None or (end is not None and moment > end):
            if end is not None:
                self._move_to(end)
            return False
        self._move_to(moment)
        while self._entries and self._entries[0][0] <= moment:
            _, _, wake = heapq.heappop(self._entries)
            if not wake.cancelled:
                self._end(wake)
                wake.call()
        return True

    def _move_to(self, moment: datetime) -> None:
        """Time goes forward only."""
        if self._standing is not None:
            self._standing = max(self._standing, moment)
        elif moment > self.now():
            self._offset += moment - self.now()

    def _drop_cancelled(self) -> None:
        while self._entries and self._entries[0][2].cancelled:
            heapq.heappop(self._entries)
