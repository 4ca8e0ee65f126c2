"""Threads that work for a loop: as many as are needed, and what comes of the work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from runner.emulator.batch.node.crew import Crew


def test_results_and_errors_come_back() -> None:
    async def work() -> None:
        crew = Crew("test", 4)
        assert await crew.begin(lambda: 1) == 1
        with pytest.raises(ZeroDivisionError):
            await crew.begin(lambda: 1 // 0)
        assert await crew.begin(lambda: threading.current_thread().name) == "test-0"
        crew.close()

    asyncio.run(work())


def test_threads_are_used_again_and_no_more_are_made_than_may_be() -> None:
    barrier = threading.Barrier(3, timeout=10)
    names: set[str] = set()

    def meet() -> None:
        names.add(threading.current_thread().name)
        barrier.wait()

    def note() -> None:
        names.add(threading.current_thread().name)

    async def work() -> None:
        crew = Crew("test", 3)
        for _ in range(5):
            await crew.begin(note)
        assert names == {"test-0"}
        await asyncio.gather(*(crew.begin(meet) for _ in range(3)))
        # Twice as many as there may be threads: some wait for others.
        await asyncio.gather(*(crew.begin(meet) for _ in range(6)))
        for _ in range(5):
            await crew.begin(note)
        assert names == {"test-0", "test-1", "test-2"}
        crew.close()

    asyncio.run(work())


def test_work_goes_on_though_nobody_waits_for_it() -> None:
    done = threading.Event()
    released = threading.Event()

    def wait() -> None:
        released.wait(10)
        done.set()

    async def work() -> None:
        crew = Crew("test", 1)
        future = crew.begin(wait)
        future.cancel()
        second: Callable[[], bool] = done.is_set
        after = crew.begin(second)
        released.set()
        assert await after
        crew.close()

    asyncio.run(work())
