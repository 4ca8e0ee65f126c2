"""Lines that somebody types at a terminal, without losing a Ctrl-C.

It knows nothing of what is asked.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

_LOOK_SECONDS = 0.1


class Answers(Protocol):
    """Where answers come from."""

    def isatty(self) -> bool:
        """Whether somebody types them."""
        ...

    def readline(self) -> str:
        """The next line with its end; empty where there are no more."""
        ...

    def hidden(self) -> AbstractContextManager[None]:
        """Within it, what is typed is not shown."""
        ...


class Keyboard:
    """The terminal, or whatever else a descriptor is open for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._stream: TextIO | None = None

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def readline(self) -> str:
        """The next line, once it is typed.

        Python runs the handler of a signal between two calls: one that comes just before a read
        would not be heard before the next line. So input is waited for a little at a time.
        """
        if self._stream is None:  # not before: what nobody asks of may be anything
            # What is typed may not be text; whoever asks says so.
            self._stream = os.fdopen(self._descriptor, "r", errors="surrogateescape", closefd=False)
        while os.name == "posix" and not self._is_ready():
            pass
        return self._stream.readline()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Within it, what is typed is not shown; raises `OSError` where that cannot be had."""
        import termios  # of POSIX alone, as terminals with an echo of their own are

        before = termios.tcgetattr(self._descriptor)
        quiet = list(before)
        quiet[3] &= ~termios.ECHO
        termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, quiet)
        try:
            yield
        finally:
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, before)

    def _is_ready(self) -> bool:
        return bool(select.select([self._descriptor], [], [], _LOOK_SECONDS)[0])
