"""A server with a service of the tests' own, and how tests talk to it over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from runner.emulator.server.breaking import NoAnswerError, break_off
from runner.emulator.server.http import Request, Response
from runner.emulator.server.listener import open_listener
from runner.emulator.server.serving import serve
from runner.emulator.storage.database import StorageError

T = TypeVar("T")
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Connection]]
LIMIT_SECONDS = 60
PIECE = bytes(1024 * 1024)


class Echo:
    """Answers with what it was asked, and remembers what became of the contents."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.received_bytes = 0
        self.reading = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.sent_pieces = 0

    async def handle(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.raw_path}")
        match request.raw_path.split("/")[1]:
            case "echo":
                return Response(status=200, body=await request.read(limit_bytes=10_000_000))
            case "there":
                there = request.content is not None
                content = await request.read(limit_bytes=10_000_000)
                return Response(status=200, body=f"{there} {len(content)}".encode())
            case "refuse":
                return Response(status=403, body=b"no")
            case "head":
                return Response(status=200, headers=(("Content-Length", "12345"),))
            case "status":
                return Response(status=int(request.raw_query))
            case "sink":
                return await self.sink(request)
            case "wait":
                self.reading.set()
                await self.may_go_on.wait()
                return Response(status=200, body=b"waited")
            case "few":
                return Response(status=200, body=self.stream(3, b"abc"))
            case "stream":
                size = ("Content-Length", str(100 * len(PIECE)))
                return Response(status=200, headers=(size,), body=self.stream(100, PIECE))
            case "chunked":
                return Response(
                    status=200, headers=(("Transfer-Encoding", "chunked"),), body=b"hello"
                )
            case _:
                return self.break_down(request)

    def break_down(self, request: Request) -> Response:
        match request.raw_path:
            case "/fail":
                raise RuntimeError("out of order")
            case "/full":
                raise StorageError("disk full")
            case "/split":
                return Response(status=200, headers=(("X-A", "1\r\nX-B: 2"),))
            case "/parted":
                return Response(
                    status=200, headers=(("X-A", "1\r\n"),), body=self.stream(3, b"abc")
                )
            case "/long":
                return Response(status=200, headers=(("Content-Length", "2"),), body=b"abc")
            case "/short":
                size = ("Content-Length", "10")
                return Response(status=200, headers=(size,), body=self.stream(3, b"abc"))
            case "/torn":
                return Response(status=200, body=self.stream(3, b"abc", error=RuntimeError("torn")))
            case "/reset":
                raise NoAnswerError((), silence=timedelta())
            case "/silent":
                self.reading.set()
                raise NoAnswerError((), silence=None)
            case "/brief":
                raise NoAnswerError((), silence=timedelta(milliseconds=1))
            case "/half":
                size = ("Content-Length", "10")
                return Response(status=200, headers=(size,), body=break_off(b"0123456789", 5))
            case _:
                seen = f"{request.raw_path} {request.raw_query} {request.query} {request.headers}"
                return Response(status=200, body=seen.encode())

    async def sink(self, request: Request) -> Response:
        self.reading.set()
        try:
            async for piece in request.body:
                self.received_bytes += len(piece)
        except Exception as error:
            self.ended.set_result(type(error).__name__)
            raise
        return Response(status=201)

    async def stream(
        self, count: int, piece: bytes, error: Exception | None = None
    ) -> AsyncIterator[bytes]:
        try:
            for _ in range(count):
                self.sent_pieces += 1
                yield piece
            if error is not None:
                raise error
        finally:
            self.ended.set_result("closed")


def run_server(
    test: Callable[[Echo, Connect], Awaitable[T]],
    *,
    stop: asyncio.Event | None = None,
    keep_alive_seconds: float = 600,
) -> T:
    """Runs `test` against a server of `Echo`, and stops the server."""

    async def run() -> T:
        service = Echo()
        listener = open_listener("127.0.0.1", 0)
        port = listener.getsockname()[1]
        end, ready = stop or asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(
            serve(
                service,
                listener,
                on_ready=ready.set,
                stop=end,
                keep_alive_seconds=keep_alive_seconds,
            )
        )
        await ready.wait()
        opened: list[asyncio.StreamWriter] = []

        async def connect() -> Connection:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            opened.append(writer)
            return reader, writer

        try:
            return await asyncio.wait_for(test(service, connect), LIMIT_SECONDS)
        finally:
            for writer in opened:
                writer.close()
            end.set()
            await asyncio.wait_for(serving, LIMIT_SECONDS)

    return asyncio.run(run())


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    return int(lines[0].split()[1]), headers


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    status, headers = await read_head(reader)
    return status, headers, await reader.readexactly(int(headers.get("content-length", "0")))


def ask_once(*sent: bytes) -> tuple[bytes, list[str]]:
    """All that the server answers to a client that ends after what it sent, and what was asked."""

    async def ask(service: Echo, connect: Connect) -> tuple[bytes, list[str]]:
        reader, writer = await connect()
        for piece in sent:
            writer.write(piece)
            await writer.drain()
        return await reader.read(), service.asked

    return run_server(ask)
