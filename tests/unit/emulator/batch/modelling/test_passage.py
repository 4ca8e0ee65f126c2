"""Time that passes at once, when told to, or as it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta, timezone
from typing import Any

from runner.emulator.batch.modelling.passage import Mode, RealTime, VirtualTime, Wake

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), timeout=60)

    asyncio.run(limited())


def now() -> datetime:
    return datetime.now(timezone.utc)


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - of whatever the test looks at
        await asyncio.sleep(0.002)


def test_told_time_stands_still_in_between() -> None:
    async def test() -> None:
        passage = VirtualTime(lambda: START, Mode.MANUAL)
        seen: list[tuple[str, datetime]] = []

        def note(name: str) -> Callable[[], None]:
            return lambda: seen.append((name, passage.now()))

        passage.wake(START + 2 * HOUR, note("second"), pulls=True)
        passage.wake(START + HOUR, note("first"))
        cancelled = passage.wake(START + HOUR, note("never"), pulls=True)
        passage.cancel(cancelled)
        passage.cancel(cancelled)
        passage.wake(START + 9 * HOUR, note("later"))
        assert passage.now() == START
        assert passage.next_moment == START + HOUR
        await passage.advance(3 * HOUR)
        assert seen == [("first", START + HOUR), ("second", START + 2 * HOUR)]
        assert passage.now() == START + 3 * HOUR

    run(test)


def test_what_happens_may_have_more_happen_in_the_same_stretch() -> None:
    async def test() -> None:
        passage = VirtualTime(lambda: START, Mode.MANUAL)
        moments: list[datetime] = []

        def again() -> None:
            moments.append(passage.now())
            passage.wake(passage.now() + HOUR, again, pulls=True)

        again()
        await passage.advance(1000 * HOUR)
        assert moments == [START + n * HOUR for n in range(1001)]

    run(test)


def test_virtual_time_is_in_a_hurry_while_something_pulls() -> None:
    async def test() -> None:
        passage = VirtualTime(now, Mode.VIRTUAL)
        seen: list[datetime] = []
        begun = passage.now()
        passage.wake(begun + HOUR, lambda: seen.append(passage.now()))
        assert passage.now() - begun < timedelta(minutes=1)
        passage.wake(begun + 100 * HOUR, lambda: seen.append(passage.now()), pulls=True)
        await until(lambda: len(seen) == 2)
        assert seen == [begun + HOUR, begun + 100 * HOUR]
        # Then it passes as it does, from there.
        after = passage.now()
        assert timedelta(0) <= after - seen[1] < timedelta(minutes=1)
        await until(lambda: passage.now() > after)

    run(test)


def test_changes_hold_virtual_time() -> None:
    async def test() -> None:
        passage = VirtualTime(now, Mode.VIRTUAL)
        seen: list[Wake] = []
        with passage.holding():
            wake = passage.wake(passage.now() + HOUR, lambda: seen.append(wake), pulls=True)
            standing = passage.now()
            await asyncio.sleep(0.02)
            assert (seen, passage.now()) == ([], standing)
        await until(lambda: seen)

    run(test)


def test_real_time_comes_by_itself() -> None:
    async def test() -> None:
        passage = RealTime(now)
        seen: list[str] = []
        passage.cancel(passage.wake(now(), lambda: seen.append("cancelled")))
        moment = now() + timedelta(milliseconds=5)
        passage.wake(moment, lambda: seen.append("called"), pulls=True)
        with passage.holding():
            await until(lambda: seen)
        assert seen == ["called"]
        assert now() >= moment

    run(test)


def test_told_time_goes_on_from_a_moment_that_had_come() -> None:
    async def test() -> None:
        passage = VirtualTime(lambda: START, Mode.MANUAL)
        seen: list[datetime] = []
        passage.wake(START + HOUR, lambda: seen.append(passage.now()))
        passage.resume(START + 2 * HOUR)
        await until(lambda: seen)
        assert seen == [START + 2 * HOUR]
        passage.resume(START)
        assert passage.now() == START + 2 * HOUR

    run(test)


def test_virtual_time_goes_on_from_a_moment_that_had_come() -> None:
    passage = VirtualTime(now, Mode.VIRTUAL)
    passage.resume(START + 10_000 * 24 * HOUR)
    assert START + 10_000 * 24 * HOUR <= passage.now() < START + 10_001 * 24 * HOUR
