"""Stopping work that goes on in threads: kill, wake and unblock whatever is under way.

It must not know why something is stopped, nor what is stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager


class InterruptedRunError(Exception):
    """The work was told to stop."""


class Interruption:
    """Fires once; until then, blocking steps register what it takes to unblock them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fired = False
        # Made only for those who wait: few do.
        self._event: threading.Event | None = None
        self._callbacks: dict[object, Callable[[], None]] = {}

    @property
    def fired(self) -> bool:
        """Whether the work must stop."""
        return self._fired

    def fire(self) -> None:
        """Stops the work; safe from any thread, and more than once."""
        with self._lock:
            if self._fired:
                return
            self._fired = True
            if self._event is not None:
                self._event.set()
            for callback in self._callbacks.values():
                callback()

    def check(self) -> None:
        """Raises `InterruptedRunError` once fired."""
        if self._fired:
            raise InterruptedRunError

    def pause(self, seconds: float) -> None:
        """Waits that long, or raises `InterruptedRunError` as soon as it is fired."""
        with self._lock:
            self.check()
            event = self._event = self._event or threading.Event()
        if event.wait(seconds):
            raise InterruptedRunError

    def calling(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        """Calls `callback` when fired during the block, at once when fired before it.

        It runs under a lock: after the block it is neither running nor called again, so that a
        process id or a socket can be given up safely. It must be quick and must not raise.
        """
        return _Calling(self._lock, self._callbacks, self, callback)


class _Calling(AbstractContextManager[None]):
    """A class, since every command has one, and generators cost several times as much."""

    __slots__ = ("_callback", "_callbacks", "_interruption", "_lock")

    def __init__(
        self,
        lock: threading.Lock,
        callbacks: dict[object, Callable[[], None]],
        interruption: Interruption,
        callback: Callable[[], None],
    ) -> None:
        self._lock = lock
        self._callbacks = callbacks
        self._interruption = interruption
        self._callback = callback

    def __enter__(self) -> None:
        with self._lock:
            if self._interruption.fired:
                self._callback()
            self._callbacks[self] = self._callback

    def __exit__(self, *_: object) -> None:
        with self._lock:
            del self._callbacks[self]
