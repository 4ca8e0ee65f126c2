"""The wish to stop, as it passes from a signal handler to the work under way.

A handler runs between any two instructions of the main thread: it must not raise there, since
libraries swallow it or are left with a lock held, and it must not take a lock itself. So the wish
is a flag, and waiting is on an inbox, whose `put` may break in upon itself.
It knows nothing of signals or of what stops.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Empty

from runner.errors import InterruptedRunError
from runner.run.taking import Inbox


class Stop:
    """Asked for once, from anywhere; looked at wherever the work can end in order."""

    def __init__(self) -> None:
        self.requested = False
        self.is_heeded = False
        """Whether what is under way is already the cleanup, which nothing cuts short."""
        self._bell: Inbox[None] = Inbox()

    def request(self) -> None:
        """Asks; safe in a signal handler."""
        self.requested = True
        self._bell.put(None)

    def wake(self) -> None:
        """Ends a wait, for another reason; safe from any thread."""
        self._bell.put(None)

    def wait(self, seconds: float) -> None:
        """Returns after so long, or as soon as somebody asks or wakes."""
        with suppress(Empty):
            self._bell.take(seconds)

    def heed(self) -> None:
        """From here on a wish to stop ends no waiting for a service, but makes it short."""
        self.is_heeded = True

    def check(self) -> None:
        """Raises `InterruptedRunError` once somebody has asked."""
        if self.requested:
            raise InterruptedRunError("interrupted")
