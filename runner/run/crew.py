"""Threads that are given work; a crew brings what came of calls to one place, in order of its end.

It must not know what the work is. Beside an executor of the standard library it saves a future for
each call, and whoever waits for many need not look at all of them to find the one that has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from runner.frozen import dataclass
from runner.run.taking import Inbox

K = TypeVar("K")
T = TypeVar("T")
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Done(Generic[K, T]):
    """The end of a call: what it gave, or the error that it raised."""

    key: K
    value: T | None
    error: BaseException | None


class Hands(Generic[W]):
    """At most so many threads, each made when it is first needed; used by one thread."""

    def __init__(self, most: int, *, name: str, work: Callable[[W], None]) -> None:
        """`work` does one thing that it is given, and raises nothing."""
        self._most = most
        self._name = name
        self._do = work
        self._waiting: SimpleQueue[tuple[W] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def give(self, wanted: W) -> None:
        """Has it done."""
        self._waiting.put((wanted,))
        # A thread more only where none waits: a few do where the work is short.
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def cancel(self) -> int:
        """How much was not begun, and never will be."""
        cancelled = 0
        with suppress(Empty):
            while True:
                cancelled += self._waiting.get_nowait() is not None
        return cancelled

    def close(self) -> None:
        """Returns when all that is under way has ended; what is not begun never is."""
        self.cancel()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (wanted := self._waiting.get()) is not None:
            self._do(*wanted)
            # It is not held while the next one is waited for.
            del wanted
            if self._waiting.empty():
                self._idle.release()


class Crew(Generic[K, T]):
    """Hands that are given calls; used by one thread."""

    def __init__(self, threads: int, *, name: str, done: Inbox[Done[K, T]]) -> None:
        """What comes of calls goes to `done`, which several crews may share."""
        self._done = done
        self._hands: Hands[tuple[K, Callable[[], T]]] = Hands(threads, name=name, work=self._call)

    def do(self, key: K, call: Callable[[], T]) -> None:
        """Has it called; `key` tells its end from others."""
        self._hands.give((key, call))

    def close(self) -> None:
        """Returns when all calls under way have ended; what is not begun never is."""
        self._hands.close()

    def _call(self, wanted: tuple[K, Callable[[], T]]) -> None:
        key, call = wanted
        try:
            done: Done[K, T] = Done(key, call(), None)
        except BaseException as error:  # noqa: BLE001 - raised where the end is looked at
            done = Done(key, None, error)
        self._done.put(done)
