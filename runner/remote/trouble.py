"""The trouble that a service is in: since when, what it answered, and how long we bear with it.

It must not know what was asked of the service, nor by which client.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import NoReturn

from azure.core.exceptions import AzureError

from runner.frozen import dataclass
from runner.remote.endurance import Endurance
from runner.spec.duration import write_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One try that failed, in the words that follow "has answered", or why there was silence.

    `retry_after_seconds` is what the service asks for.
    """

    words: str
    is_silence: bool = False
    detail: str = ""
    retry_after_seconds: float | None = None


class PatienceEndedError(AzureError):
    """A call failed for as long as we bear with it."""

    def __init__(self, failure: Failure, *, since: datetime, lasted: timedelta) -> None:
        super().__init__(failure.words)
        self.failure = failure
        self.since = since
        self.lasted = lasted


class Trouble:
    """Of one service; all calls to it, from whatever thread, share it."""

    def __init__(self, service: str, endurance: Endurance) -> None:
        self.endurance = endurance
        self._service = service
        self._lock = threading.Lock()
        self._since: float | None = None
        self._last: Failure | None = None
        self._told = False
        self.answered = False
        """Whether the service has ever answered as it should."""

    def begin(self) -> Tries:
        """The tries of one more call."""
        return Tries(self)

    def end(self) -> None:
        """The service has answered."""
        self.answered = True
        if self._since is None:
            return
        with self._lock:
            since, told = self._since, self._told
            self._since, self._told = None, False
        self.endurance.troubles.pop(self._service, None)
        if told and since is not None:
            lasted = _whole(self.endurance.monotonic() - since)
            self.endurance.tell(f"{self._service} answers again after {write_duration(lasted)}")

    def check(self) -> None:
        """Raises `PatienceEndedError` where somebody waits for the end, and asking has no sense."""
        now = self.endurance.monotonic()
        with self._lock:
            since, last = self._since, self._last
        if self.endurance.hurried is None or since is None or last is None:
            return
        if now >= self.patience_until(since):
            self.give_up(last, now=now, since=since)

    def note(self, failure: Failure, now: float) -> float:
        """One more call has failed; when the first of them did."""
        with self._lock:
            if self._since is None:
                self._since = now
            self._last = failure
            return self._since

    def patience_until(self, since: float) -> float:
        """When patience ends: soon where somebody waits for the end."""
        patience, hurried = self.endurance.patience, self.endurance.hurried
        until = since + patience.limit.total_seconds()
        if hurried is None:
            return until
        return min(until, max(since, hurried) + patience.hurried_seconds)

    def give_up(self, failure: Failure, *, now: float, since: float) -> NoReturn:
        """Raises `PatienceEndedError`."""
        lasted = _whole(now - since)
        began = self.endurance.clock() - lasted
        raise PatienceEndedError(failure, since=began, lasted=lasted)

    def mention(self, failure: Failure, *, since: float, until: float, delay: float) -> None:
        """Tells once, where people would wonder."""
        endurance = self.endurance
        now = endurance.monotonic()
        if now + delay - since < endurance.patience.silent_seconds:
            return
        with self._lock:
            if self._told or self._since is None:
                return
            self._told = True
        lasted, left = _whole(now - since), timedelta(seconds=max(until - now, 0))
        what = "has been out of reach" if failure.is_silence else f"has answered {failure.words}"
        moment = (endurance.clock() + left).strftime("%H:%M:%S")
        for_long = f" for {write_duration(lasted)}" if lasted else ""
        endurance.troubles[self._service] = f"{self._service} {what}; trying until {moment} UTC"
        endurance.tell(f"{self._service} {what}{for_long}; trying until {moment} UTC")


class Tries:
    """Those of one call."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._first: float | None = None
        self._count = 0

    def fail(self, failure: Failure) -> None:
        """One has failed: waits before the next; raises `PatienceEndedError` if there is none.

        The call's own failures count from the first of them, and those of the service from the
        first that no answer has followed. Raises `DiskFullError` where waiting makes no room.
        """
        endurance = self._trouble.endurance
        now = endurance.monotonic()
        since = self._trouble.note(failure, now)
        endurance.check()
        if not failure.is_silence:
            endurance.check_room()
        if self._first is None:
            self._first = now
        since = min(since, self._first)
        until = self._trouble.patience_until(since)
        if now >= until or endurance.ended():
            self._trouble.give_up(failure, now=now, since=since)
        delay = min(self._delay(failure), until - now)
        self._trouble.mention(failure, since=since, until=until, delay=delay)
        self._count += 1
        if delay > 0:
            endurance.wait(delay)

    def _delay(self, failure: Failure) -> float:
        asked = failure.retry_after_seconds
        if not self._count and (asked is not None or failure.is_silence):
            # A connection that was kept open is often closed by the other side meanwhile.
            return asked or 0.0
        patience = self._trouble.endurance.patience
        growing = patience.backoff_seconds * float(2 ** min(self._count, 16))
        spread = 0.5 + self._trouble.endurance.jitter()
        # A service that asks for no time at all is not asked without end.
        return max(min(growing * spread, patience.longest_backoff_seconds), asked or 0.0)


def _whole(seconds: float) -> timedelta:
    return timedelta(seconds=round(max(seconds, 0)))
