"""An emulator that outlives who started it: what keeps it, and that it ends by itself."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from runner.emulator.batch.core.outlook import Outlook
from runner.emulator.lingering import CLIENTS, Attendance, Lingering, watching
from runner.emulator.server.breaking import NoAnswerError
from runner.emulator.server.content import ClientDisconnectedError
from runner.emulator.server.http import Request, Response
from runner.emulator.storage.error import DataError

LIMIT_SECONDS = 60


class Scene:
    """An emulator's jobs and requests as a test wants them, on a clock that only it moves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outlook = Outlook.EMPTY
        self.now = 100.0
        self.looks_left = 0
        self.looked = asyncio.Event()
        self.attendance = Attendance(self, lambda: self.now)
        self.answer = asyncio.Event()

    def foresee(self) -> Outlook:
        self.looks_left -= 1
        if not self.looks_left:
            self.looked.set()
        return self.outlook

    async def handle(self, request: Request) -> Response:
        await self.answer.wait()
        return Response(status=200)

    async def ends(self) -> bool:
        """Whether it stops within two looks."""
        stop = asyncio.Event()
        lingering = Lingering(
            self.folder, outlook=self.foresee, attendance=self.attendance, stop=stop
        )
        self.looks_left, self.looked = 2, asyncio.Event()
        async with watching(lingering):
            waits = {asyncio.create_task(event.wait()) for event in (stop, self.looked)}
            done, left = await asyncio.wait(
                waits, timeout=LIMIT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for wait in left:
                wait.cancel()
        assert done
        return stop.is_set()


async def body_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def a_request() -> Request:
    return Request(
        method="GET",
        raw_path="/",
        raw_query="",
        query=(),
        headers={},
        scheme="http",
        client_address="",
        body=body_of(),
    )


@pytest.mark.parametrize(
    ("outlook", "quiet_seconds", "ends"),
    [
        (Outlook.AT_WORK, 10_000, False),
        (Outlook.AT_REST, 14, False),
        (Outlook.AT_REST, 15, True),
        (Outlook.ENDED, 1, False),
        (Outlook.ENDED, 2, True),
        (Outlook.EMPTY, 14, False),
        (Outlook.EMPTY, 15, True),
    ],
)
def test_it_waits_by_what_is_to_come(
    tmp_path: Path, outlook: Outlook, quiet_seconds: float, *, ends: bool
) -> None:
    async def play() -> bool:
        scene = Scene(tmp_path)
        scene.outlook = outlook
        scene.now += quiet_seconds
        return await scene.ends()

    assert asyncio.run(play()) is ends


def test_it_ends_at_once_when_the_last_job_is_taken_away(tmp_path: Path) -> None:
    async def play() -> bool:
        scene = Scene(tmp_path)
        outlooks = [Outlook.AT_WORK, Outlook.EMPTY]
        stop = asyncio.Event()
        lingering = Lingering(
            tmp_path, outlook=lambda: outlooks.pop(0), attendance=scene.attendance, stop=stop
        )
        await asyncio.wait_for(lingering.watch(), LIMIT_SECONDS)
        return stop.is_set()

    assert asyncio.run(play())


def test_a_request_that_is_answered_keeps_it(tmp_path: Path) -> None:
    async def play() -> tuple[bool, bool]:
        scene = Scene(tmp_path)
        scene.outlook = Outlook.ENDED
        request = asyncio.create_task(scene.attendance.handle(a_request()))
        await asyncio.sleep(0)
        scene.now += 3600
        while_answered = await scene.ends()
        scene.answer.set()
        await request
        scene.now += 3600
        return while_answered, await scene.ends()

    assert asyncio.run(play()) == (False, True)


class Answering:
    """Answers by what is asked for."""

    async def handle(self, request: Request) -> Response:
        match request.raw_path:
            case "/silent":
                raise NoAnswerError(("1:timeout=before",), silence=None)
            case "/gone":
                raise ClientDisconnectedError
            case "/broken":
                raise ValueError("a bug")
        return Response(status=201, faults=("2:latency",))


def test_the_last_requests_are_remembered_with_what_became_of_them() -> None:
    moments = iter(range(100))
    attendance = Attendance(Answering(), lambda: float(next(moments)))

    async def play() -> None:
        for path in ("/silent", "/gone", "/broken", "/" + "x" * 5000):
            with suppress(NoAnswerError, ClientDisconnectedError, ValueError):
                await attendance.handle(replace(a_request(), raw_path=path, raw_query="a=b"))

    asyncio.run(play())

    assert attendance.passed == 4
    assert attendance.recent() == (
        (1.0, 2.0, "GET", "/silent", "a=b", 0, ("1:timeout=before",)),
        (3.0, 4.0, "GET", "/gone", "a=b", 0, ()),
        (5.0, 6.0, "GET", "/broken", "a=b", 500, ()),
        (7.0, 8.0, "GET", "/" + "x" * 2047, "a=b", 201, ("2:latency",)),
    )


def test_no_more_than_the_last_thousand_requests_are_remembered() -> None:
    attendance = Attendance(Answering(), lambda: 0.0)

    async def play() -> None:
        for number in range(1200):
            await attendance.handle(replace(a_request(), raw_path=f"/{number}"))

    asyncio.run(play())

    assert attendance.passed == 1200
    assert [each.raw_path for each in attendance.recent()] == [f"/{n}" for n in range(200, 1200)]


def test_a_client_that_holds_the_lock_keeps_it(tmp_path: Path) -> None:
    async def play() -> tuple[bool, bool]:
        scene = Scene(tmp_path)
        scene.outlook = Outlook.ENDED
        scene.now += 3600
        with (tmp_path / CLIENTS).open("a") as client:
            fcntl.flock(client, fcntl.LOCK_SH)
            while_held = await scene.ends()
        return while_held, await scene.ends()

    assert asyncio.run(play()) == (False, True)


def test_whoever_comes_when_it_has_begun_to_end_finds_the_lock_taken(tmp_path: Path) -> None:
    async def play() -> bool:
        scene = Scene(tmp_path)
        scene.outlook = Outlook.ENDED
        scene.now += 3600
        return await scene.ends()

    assert asyncio.run(play())
    with (tmp_path / CLIENTS).open("a") as client, pytest.raises(BlockingIOError):
        fcntl.flock(client, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_a_file_of_clients_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / CLIENTS).mkdir()

    async def play() -> None:
        await Scene(tmp_path).ends()

    with pytest.raises(DataError) as caught:
        asyncio.run(play())
    assert str(caught.value) == f"{tmp_path / CLIENTS} cannot be used: Is a directory"
