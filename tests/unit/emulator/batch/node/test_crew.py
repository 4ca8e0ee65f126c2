"""Threads that work for a loop: as many as are needed, and what comes of the work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from runner.emulator.batch.node.crew import Crew


def test_results_and_errors_come_back() -> None:
    async def work() -> None:
        crew = Crew("test", 4)
        assert await crew.begin(lambda: 1, _go_on) == 1
        with pytest.raises(ZeroDivisionError):
            await crew.begin(lambda: 1 // 0, _go_on)
        assert await crew.begin(lambda: threading.current_thread().name, _go_on) == "test-0"
        crew.close()

    asyncio.run(work())


def test_threads_are_used_again_and_no_more_are_made_than_may_be() -> None:
    barrier = threading.Barrier(3, timeout=60)
    names: set[str] = set()

    def meet() -> None:
        names.add(threading.current_thread().name)
        barrier.wait()

    def note() -> None:
        names.add(threading.current_thread().name)

    async def work() -> None:
        crew = Crew("test", 3)
        for _ in range(5):
            await crew.begin(note, _go_on)
        assert names == {"test-0"}
        await asyncio.gather(*(crew.begin(meet, _go_on) for _ in range(3)))
        # Twice as many as there may be threads: some wait for others.
        await asyncio.gather(*(crew.begin(meet, _go_on) for _ in range(6)))
        for _ in range(5):
            await crew.begin(note, _go_on)
        assert names == {"test-0", "test-1", "test-2"}
        crew.close()

    asyncio.run(work())


def test_who_is_cancelled_waits_until_the_work_has_stopped() -> None:
    begun, told = threading.Event(), threading.Event()
    ended: list[str] = []

    def run() -> None:
        begun.set()
        assert told.wait(60)
        ended.append("work")
        raise ZeroDivisionError

    async def wait(crew: Crew) -> None:
        try:
            await crew.begin(run, told.set)
        finally:
            ended.append("waiting")

    async def work() -> None:
        crew = Crew("test", 1)
        waiting = asyncio.create_task(wait(crew))
        await asyncio.to_thread(begun.wait, 10)
        waiting.cancel()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert ended == ["work", "waiting"]
        assert await crew.begin(lambda: 1, _go_on) == 1
        crew.close()

    asyncio.run(work())


def test_what_is_done_at_once_wakes_the_loop_once() -> None:
    several = 8
    meeting = threading.Barrier(several + 1, timeout=60)
    finished = threading.Semaphore(0)

    wakings: list[object] = []

    async def work() -> None:
        crew = Crew("test", several)
        begun = [crew.begin(meeting.wait, _go_on) for _ in range(several)]
        # The loop does nothing else until all have met and ended: threads take more work then.
        meeting.wait()
        for _ in range(several):
            crew.begin(finished.release, _go_on)
        for _ in range(several):
            assert finished.acquire(timeout=60)
        assert len(wakings) == 1
        await asyncio.gather(*begun)
        await crew.begin(_go_on, _go_on)
        crew.close()

    loop = asyncio.new_event_loop()
    wake = loop.call_soon_threadsafe

    def count(callback: Callable[..., object], *arguments: Any, **more: Any) -> asyncio.Handle:
        wakings.append(callback)
        return wake(callback, *arguments, **more)

    setattr(loop, "call_soon_threadsafe", count)  # noqa: B010 - of this loop alone
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()


def _go_on() -> None:
    """Work that cannot be stopped, or is none."""
