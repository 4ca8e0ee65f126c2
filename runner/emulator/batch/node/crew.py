"""Threads in which work is done that blocks, and which give what comes of it back to a loop.

It must not know what the work is.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Work(asyncio.Future[T]):
    """What comes of work that is done in a thread, which only ends by itself.

    Who is cancelled while waiting for it has the work told to stop, and is cancelled once it has
    ended. So nothing has to be put around it for that, which would cost another two turns.
    """

    stop: Callable[[], None]

    def cancel(self, msg: Any | None = None) -> bool:
        """Tells the work to stop, if it is not over; it is never cancelled itself."""
        del msg
        if not self.done():
            self.stop()
        return False


class _Job(NamedTuple):
    future: Work[Any]
    work: Callable[[], Any]


class _Done(NamedTuple):
    future: Work[Any]
    result: Any
    error: BaseException | None


class Crew:
    """Does with one future what executors of asyncio need two and their locks for.

    Threads are made when none is idle, up to a number; after that, work waits for one. All calls
    come from one loop.
    """

    def __init__(self, name: str, most: int) -> None:
        """Names its threads so."""
        self._name = name
        self._most = most
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = 0
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: deque[_Done] = deque()
        self._told = False
        """Whether the loop is going to look at what is done."""

    def begin(self, work: Callable[[], T], stop: Callable[[], None]) -> Work[T]:
        """Has it done; to be called on the loop, which gets to know what came of it.

        `stop` has the work end soon; it may be called several times, on the loop.
        """
        loop = self._loop = asyncio.get_running_loop()
        future: Work[T] = Work(loop=loop)
        future.stop = stop
        # Counted on the loop alone; below nothing where work waits for a thread.
        self._idle -= 1
        if self._idle < 0 and len(self._threads) < self._most:
            self._idle = 0
            name = f"{self._name}-{len(self._threads)}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        self._jobs.put(_Job(future, work))
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
            self._give_back(_Done(job.future, result, error))
            # What it refers to need not be kept until there is more to do.
            del job, result, error

    def _give_back(self, done: _Done) -> None:
        """Wakes the loop, unless it is about to look by itself: each time is a call of the system.

        It is told after there is something, and takes that note back before it looks.
        """
        self._done.append(done)
        if not self._told:
            self._told = True
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._told = False
        while self._done:
            future, result, error = self._done.popleft()
            self._idle += 1
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
