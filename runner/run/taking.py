"""What threads hand to those that wait for it, with a limit that holds.

It must not know what that is.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from queue import Empty
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Inbox(Generic[_T]):
    """Put in by any thread, and by signal handlers; taken out once each, in the same order.

    `queue.SimpleQueue` does not keep to its limit (Python 3.11.7): where that is over when it looks
    again, after a signal or on a busy machine, it waits for ever. `Lock.acquire` does keep to it.
    """

    def __init__(self) -> None:
        self._items: deque[_T] = deque()
        self._nothing_new = threading.Lock()

    def put(self, item: _T) -> None:
        """Lets one that waits go on."""
        self._items.append(item)
        self._wake()

    def take(self, seconds: float | None) -> _T:
        """What comes next, within so many seconds; raises `queue.Empty`. None waits for ever."""
        limit = -1.0 if seconds is None else max(seconds, 0.0)
        while True:
            with suppress(Empty):
                return self.take_now()
            # It may go on at once, for what was taken since; only once, so the limit holds.
            if not self._nothing_new.acquire(timeout=limit):
                raise Empty

    def take_now(self) -> _T:
        """What is there; raises `queue.Empty`."""
        try:
            item = self._items.popleft()
        except IndexError:
            raise Empty from None
        if self._items:
            # Two came before the first one that waits went on: the second goes on too.
            self._wake()
        return item

    def _wake(self) -> None:
        with suppress(RuntimeError):  # nobody has waited since the last one
            self._nothing_new.release()
