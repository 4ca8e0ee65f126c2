"""One connection on a transport of the test's own: what is read when, and what is held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest

from runner.emulator.server.connection import Connection, Shared
from runner.emulator.server.http import Request, Response
from runner.emulator.server.reading import SMALL_BYTES

T = TypeVar("T")


class Wire(asyncio.Transport):
    """The side of the loop: keeps what is written, and whether anything would be read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reading = True
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 1) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class Slow:
    """A service that reads and streams only as the test lets it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.made_pieces = 0
        self.read_pieces: list[int] = []
        self.gate = asyncio.Semaphore(0)

    async def handle(self, request: Request) -> Response:
        self.requests.append(request)
        if request.method == "GET":
            return Response(status=200, body=self.stream())
        await self.gate.acquire()
        async for piece in request.body:
            self.read_pieces.append(len(piece))
            await self.gate.acquire()
        return Response(status=201)

    async def stream(self) -> AsyncIterator[bytes]:
        for _ in range(3):
            self.made_pieces += 1
            yield b"abc"


class Scene:
    def __init__(self) -> None:
        self.service = Slow()
        self.shared = Shared(service=self.service, loop=asyncio.get_running_loop())
        self.wire = Wire()
        self.connection = Connection(self.shared)
        self.connection.connection_made(self.wire)

    def arrive(self, data: bytes) -> None:
        """What the loop does with what has arrived."""
        assert self.wire.reading
        buffer = self.connection.get_buffer(-1)
        buffer[: len(data)] = data
        self.connection.buffer_updated(len(data))

    async def turn(self) -> None:
        """Lets the loop do all that it can do."""
        for _ in range(10):
            await asyncio.sleep(0)


def play(story: Callable[[Scene], Awaitable[T]]) -> T:
    async def run() -> T:
        return await story(Scene())

    return asyncio.run(run())


def test_of_a_large_content_little_is_held() -> None:
    async def story(scene: Scene) -> tuple[int, bool, bool, list[int], bytes]:
        size = 4 * SMALL_BYTES
        scene.arrive(f"PUT /a HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode())
        arrived = 0
        while scene.wire.reading and arrived < size:
            scene.arrive(bytes(SMALL_BYTES))
            arrived += SMALL_BYTES
        held, paused = arrived, not scene.wire.reading
        scene.service.gate.release()
        await scene.turn()
        # Once it is read, more may come while the service works on it.
        resumed = scene.wire.reading
        while arrived < size:
            scene.service.gate.release()
            await scene.turn()
            scene.arrive(bytes(SMALL_BYTES))
            arrived += SMALL_BYTES
        for _ in range(4):
            scene.service.gate.release()
            await scene.turn()
        return held, paused, resumed, scene.service.read_pieces, scene.wire.written

    assert play(story) == (
        SMALL_BYTES,
        True,
        True,
        [SMALL_BYTES] * 4,
        b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    )


def test_a_stream_waits_for_its_client() -> None:
    async def story(scene: Scene) -> tuple[int, int, bytes]:
        scene.connection.pause_writing()
        scene.connection.resume_writing()
        scene.arrive(b"GET /a HTTP/1.1\r\n\r\n")
        scene.connection.pause_writing()
        await scene.turn()
        before = scene.service.made_pieces
        scene.connection.resume_writing()
        await scene.turn()
        return before, scene.service.made_pieces, scene.wire.written

    assert play(story) == (
        1,
        3,
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n"
        ),
    )


def test_who_takes_in_no_answers_is_asked_for_no_more_requests() -> None:
    async def story(scene: Scene) -> tuple[int, bool, int, bool]:
        scene.connection.pause_writing()
        scene.arrive(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n")
        before, reading = len(scene.service.requests), scene.wire.reading
        scene.connection.resume_writing()
        await scene.turn()
        return before, reading, len(scene.service.requests), scene.wire.reading

    assert play(story) == (0, False, 2, True)


def test_requests_that_wait_for_their_turn_stop_the_reading() -> None:
    async def story(scene: Scene) -> tuple[bool, bool, int]:
        scene.arrive(b"PUT /a HTTP/1.1\r\n\r\n")
        while_answered = scene.wire.reading
        scene.arrive(b"GET /b HTTP/1.1\r\n\r\n")
        while_queued = scene.wire.reading
        scene.service.gate.release()
        await scene.turn()
        return while_answered, while_queued, len(scene.service.requests)

    assert play(story) == (True, False, 2)


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_client_that_goes_ends_what_is_done_for_it(method: str) -> None:
    async def story(scene: Scene) -> tuple[int, bool, bytes]:
        scene.arrive(f"{method} /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        scene.connection.connection_lost(None)
        scene.service.gate.release()
        await scene.turn()
        return len(scene.shared.connections), not scene.shared.tasks, scene.wire.written

    assert play(story) == (0, True, b"")


def test_the_service_hears_who_asks() -> None:
    async def story(scene: Scene) -> list[object]:
        scene.arrive(
            b"GET /a%20b?c=d HTTP/1.1\r\nX-MS-Meta-One: 1\r\nx-ms-meta-two: 2\r\nAccept: a\r\n"
            b"accept: b\r\n\r\n"
        )
        request = scene.service.requests[0]
        return [
            request.client_address,
            request.scheme,
            (request.method, request.raw_path, request.raw_query, request.query),
            request.headers,
            {name: sent for name, sent in request.spelling.items() if name != sent},
        ]

    assert play(story) == [
        "192.0.2.1",
        "http",
        ("GET", "/a%20b", "c=d", (("c", "d"),)),
        {"x-ms-meta-one": "1", "x-ms-meta-two": "2", "accept": "a,b"},
        {"x-ms-meta-one": "X-MS-Meta-One"},
    ]
