"""Connections that are open and idle, to be used again by whichever thread comes next.

It must not know what goes over them.
"""

from __future__ import annotations

import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from runner.remote.connections.line import Line

MOST_IDLE = 32
"""More than the threads that a run uses, so that none of them opens a connection in vain."""

Origin = TypeVar("Origin", bound=Hashable)


class Pool(Generic[Origin]):
    """Connections to servers, by what names a server; may be used by several threads at once."""

    def __init__(self) -> None:
        self._idle: defaultdict[Origin, list[Line]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False
        weakref.finalize(self, _close_all, self._idle)

    def take(self, origin: Origin) -> Line | None:
        """The connection that was used last, of those that are still open; None without any."""
        idle = self._of(origin)
        while idle:
            try:
                line = idle.pop()
            except IndexError:  # another thread was faster
                return None
            if not line.is_stale():
                return line
            line.close()
        return None

    def returner(self, origin: Origin) -> Callable[[Line, bool], None]:
        """What takes a connection back, or closes it where it cannot be used again."""
        idle = self._of(origin)

        def give_back(line: Line, keeps: bool) -> None:
            if keeps and not self._closed and len(idle) < MOST_IDLE:
                idle.append(line)
            else:
                line.close()

        return give_back

    def close(self) -> None:
        """Closes all that are idle, and from now on each one that is given back."""
        self._closed = True
        _close_all(self._idle)

    def _of(self, origin: Origin) -> list[Line]:
        with self._lock:
            return self._idle[origin]

    def open(self) -> None:
        """Keeps connections again."""
        self._closed = False


def _close_all(idle: Mapping[Origin, list[Line]]) -> None:
    for lines in tuple(idle.values()):
        while lines:
            lines.pop().close()
