"""Buffers for the pieces of large files, and threads that send or fetch some pieces beside others.

It must not know what is sent. There are few of them, whatever is under way: they bound the memory
that transfers take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

LANES = 6

T = TypeVar("T")


class Lanes:
    """Those of one account; may be used by several threads at once."""

    def __init__(self, buffer_bytes: int) -> None:
        self._bytes = buffer_bytes
        self._free = threading.Semaphore(LANES)
        self._idle: list[bytearray] = []
        self._threads = ThreadPoolExecutor(LANES, thread_name_prefix="piece")

    def take(self) -> bytearray:
        """A buffer; waits until there is one, so whoever waits must hold none."""
        self._free.acquire()
        return self._buffer()

    def try_take(self) -> bytearray | None:
        """A buffer, if there is one."""
        return self._buffer() if self._free.acquire(blocking=False) else None

    def give(self, buffer: bytearray) -> None:
        """Gives a buffer back."""
        self._idle.append(buffer)
        self._free.release()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Has one of the threads do it."""
        return self._threads.submit(call)

    def close(self) -> None:
        """Ends the threads once they have done what they are at."""
        self._threads.shutdown()

    def _buffer(self) -> bytearray:
        try:
            return self._idle.pop()
        except IndexError:
            return bytearray(self._bytes)
