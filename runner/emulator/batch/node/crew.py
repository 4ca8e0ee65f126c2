"""Threads in which work is done that blocks, and which give what comes of it back to a loop.

It must not know what the work is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Job(NamedTuple):
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    work: Callable[[], Any]


class Crew:
    """Does with one future what executors of asyncio need two and their locks for.

    Threads are made when none is idle, up to a number; after that, work waits for one.
    """

    def __init__(self, name: str, most: int) -> None:
        """Names its threads so."""
        self._name = name
        self._most = most
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = 0
        self._threads: list[threading.Thread] = []

    def begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Has it done; to be called on a loop, which gets to know what came of it.

        Whoever cancels the future does not learn when the work is over.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        # Counted on the loop alone; below nothing where work waits for a thread.
        self._idle -= 1
        if self._idle < 0 and len(self._threads) < self._most:
            self._idle = 0
            name = f"{self._name}-{len(self._threads)}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        self._jobs.put(_Job(loop, future, work))
        return future

    def close(self) -> None:
        """Returns once all work is done; no more may be begun."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            result, error = None, None
            try:
                result = job.work()
            except BaseException as caught:  # noqa: BLE001 - it is of whoever asked for the work
                error = caught
            job.loop.call_soon_threadsafe(self._settle, job.future, result, error)
            # What it refers to need not be kept until there is more to do.
            del job, result, error

    def _settle(
        self, future: asyncio.Future[Any], result: object, error: BaseException | None
    ) -> None:
        self._idle += 1
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
