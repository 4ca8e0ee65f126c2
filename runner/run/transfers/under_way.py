"""How much is there of the files that are on their way, up and down.

It must not know which files they are. Who moves a large one counts its bytes; who shows them adds
them up when it likes, so that it costs nothing else.
"""

from __future__ import annotations

import threading
from typing import NamedTuple


class Moving:
    """One file on its way, up or down: `done` of its `size` bytes."""

    __slots__ = ("_lock", "_others", "done", "is_up", "size")

    def __init__(self, others: dict[int, Moving], *, is_up: bool, size: int) -> None:
        self._others = others
        self.is_up = is_up
        self.size = size
        self.done = 0
        self._lock = threading.Lock()
        others[id(self)] = self

    def add(self, count: int) -> None:
        """So many bytes more; for files of which several threads move pieces."""
        with self._lock:
            self.done += count

    def end(self) -> None:
        """It is there, or will not come."""
        self._others.pop(id(self), None)


class Sum(NamedTuple):
    """Of several files: how many bytes are there, and how many there will be."""

    done: int
    size: int


class UnderWay:
    """The files of one account; may be used by several threads."""

    def __init__(self) -> None:
        self._files: dict[int, Moving] = {}

    def begin(self, *, is_up: bool, size: int) -> Moving:
        """One more file of so many bytes, on its way until it is told to have ended."""
        return Moving(self._files, is_up=is_up, size=size)

    def sum(self, *, is_up: bool) -> Sum:
        """All that are on their way up, or down."""
        files = [each for each in tuple(self._files.values()) if each.is_up is is_up]
        done = sum(min(each.done, each.size) for each in files)
        return Sum(done, sum(each.size for each in files))
