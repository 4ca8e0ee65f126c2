"""SIGINT, SIGTERM and SIGHUP: the first one ends the work and cleans up, a second SIGINT leaves.

A handler runs between any two instructions of the main thread, so it takes no lock, writes to no
stream and, once there is something to clean up, raises nothing: it sets a flag, and a thread of its
own says what is to be said. It knows nothing of runs.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType

from runner.errors import ExitCode, InterruptedRunError
from runner.run.taking import Inbox

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # SIGHUP is not there on Windows
# How long a last word may take: whoever asks twice is not kept waiting by a stream nobody reads.
_LAST_WORD_SECONDS = 0.2


def _ignore(line: str) -> None:
    del line


def _raise() -> None:
    raise InterruptedRunError("interrupted")


class Interruptions:
    """What a signal does. While there is something to save, whoever works replaces these.

    `stop` ends the work: it raises where nothing is at stake, and sets a flag where something is.
    `first_word` and `last_word` give what to say then, `say` shows it.
    """

    def __init__(self) -> None:
        self.stop: Callable[[], None] = _raise
        self.say: Callable[[str], None] = _ignore
        self.first_word: Callable[[], str] = lambda: ""
        self.last_word: Callable[[], str] = lambda: ""
        self._seen = False
        self._lines: SimpleQueue[Callable[[], str]] = SimpleQueue()
        self._said: Inbox[None] = Inbox()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        del frame
        if not self._seen:
            self._seen = True
            self._lines.put(self.first_word)
            self.stop()
        elif number == signal.SIGINT:
            # A window that closes sends SIGHUP twice, and a system going down SIGTERM: only the
            # user's own second Ctrl-C means that nothing is worth waiting for.
            self._lines.put(self.last_word)
            with suppress(Empty):
                self._said.take(_LAST_WORD_SECONDS)
                self._said.take(_LAST_WORD_SECONDS)
            # Threads may hang in a dead network; only this is sure to end now.
            os._exit(ExitCode.INTERRUPTED)

    def speak(self) -> None:
        """Says the lines as they come, for ever; runs on a thread of its own."""
        while True:
            line = self._lines.get()()
            if line:
                self.say(line)
            self._said.put(None)


def heed_signals() -> Interruptions:
    """Installs the handlers for good; a signal that is ignored (`nohup`) stays ignored."""
    interruptions = Interruptions()
    threading.Thread(target=interruptions.speak, name="interruptions", daemon=True).start()
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interruptions.handle)
    return interruptions


def disregard_signals() -> None:
    """The work is done, and its exit code stands: a signal must not put its own in the place."""
    for name in _NAMES:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
