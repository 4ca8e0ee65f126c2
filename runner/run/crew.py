"""Threads that are given calls, and bring what came of them to one place, in the order of its end.

It must not know what is called. Beside an executor of the standard library it saves a future for
each call, and whoever waits for many need not look at all of them to find the one that has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from runner.frozen import dataclass

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[K, T]):
    """The end of a call: what it gave, or the error that it raised."""

    key: K
    value: T | None
    error: BaseException | None


class Crew(Generic[K, T]):
    """At most so many threads, each made when it is first needed; used by one thread."""

    def __init__(self, threads: int, *, name: str, done: SimpleQueue[Done[K, T]]) -> None:
        """What comes of calls goes to `done`, which several crews may share."""
        self._most = threads
        self._name = name
        self._done = done
        self._waiting: SimpleQueue[tuple[K, Callable[[], T]] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def do(self, key: K, call: Callable[[], T]) -> None:
        """Has it called; `key` tells its end from others."""
        self._waiting.put((key, call))
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Returns when all calls under way have ended; what is not begun never is."""
        while True:
            try:
                self._waiting.get_nowait()
            except Empty:
                break
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (wanted := self._waiting.get()) is not None:
            key, call = wanted
            try:
                done: Done[K, T] = Done(key, call(), None)
            except BaseException as error:  # noqa: BLE001 - raised where the end is looked at
                done = Done(key, None, error)
            self._done.put(done)
            # Neither the call nor what it gave is held while the next one is waited for.
            del wanted, call, done
            if self._waiting.empty():
                self._idle.release()
