"""A coroutine that was begun by hand goes on in a task as if it had begun there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from runner.emulator.server.resuming import resume


class Work:
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.events = [asyncio.Event() for _ in range(3)]

    async def run(self) -> str:
        for number, event in enumerate(self.events):
            try:
                await event.wait()
            except asyncio.CancelledError:
                self.steps.append(f"{number} cancelled")
                if number != 1:
                    raise
            self.steps.append(str(number))
        return "done"


async def go_on(work: Coroutine[Any, Any, str]) -> str:
    return await resume(work, work.send(None))


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_it_goes_on_to_its_end() -> None:
    async def play() -> tuple[str, list[str]]:
        work = Work()
        task = asyncio.create_task(go_on(work.run()))
        for event in work.events:
            await turn()
            event.set()
        return await task, work.steps

    assert asyncio.run(play()) == ("done", ["0", "1", "2"])


def test_what_it_waits_for_first_may_be_there_before_the_task_begins() -> None:
    async def play() -> str:
        work = Work()
        begun = work.run()
        awaited = begun.send(None)
        for event in work.events:
            event.set()

        async def rest() -> str:
            return await resume(begun, awaited)

        return await asyncio.create_task(rest())

    assert asyncio.run(play()) == "done"


@pytest.mark.parametrize(("after", "steps"), [(0, ["0 cancelled"]), (2, ["0", "1", "2 cancelled"])])
def test_it_can_be_cancelled_where_it_waits(after: int, steps: list[str]) -> None:
    async def play() -> list[str]:
        work = Work()
        task = asyncio.create_task(go_on(work.run()))
        for event in work.events[:after]:
            await turn()
            event.set()
        await turn()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return work.steps

    assert asyncio.run(play()) == steps


def test_what_is_thrown_at_its_first_wait_may_be_taken() -> None:
    async def work(event: asyncio.Event) -> str:
        try:
            await event.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "taken"

    async def play() -> str:
        task = asyncio.create_task(go_on(work(asyncio.Event())))
        await turn()
        task.cancel()
        return await task

    assert asyncio.run(play()) == "taken"


def test_what_it_raises_comes_out() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        raise ValueError("wrong")

    with pytest.raises(ValueError, match=r"^wrong$"):
        asyncio.run(go_on(work()))
