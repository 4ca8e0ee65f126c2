"""SIGINT, SIGTERM and SIGHUP: the first one ends the work and cleans up, the second leaves at once.

It knows nothing of runs; whoever works says what an interruption means for it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from runner.errors import ExitCode, InterruptedRunError

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # SIGHUP is not there on Windows


def _raise() -> None:
    raise InterruptedRunError("interrupted")


class Interruptions:
    """What a signal does; `work` and `leave` are replaced while there is something to save."""

    def __init__(self) -> None:
        self.work: Callable[[], None] = _raise
        self.leave: Callable[[], None] = lambda: None
        self._seen = False

    def handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's form
        """The signal handler; runs in the main thread, between two instructions."""
        if self._seen:
            self.leave()
            # Threads may hang in a dead network; only this is sure to end now.
            os._exit(ExitCode.INTERRUPTED)
        self._seen = True
        self.work()


@contextmanager
def watch_signals() -> Iterator[Interruptions]:
    """Installs the handlers for a while."""
    interruptions = Interruptions()
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.signal(number, interruptions.handle) for number in numbers}
    try:
        yield interruptions
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
