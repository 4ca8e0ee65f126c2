"""The server over real sockets, with a service of the test's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest

from runner.emulator.server.http import Request, Response
from runner.emulator.server.listener import open_listener
from runner.emulator.server.serving import serve

T = TypeVar("T")
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """Answers with what it was asked, and remembers what became of the contents."""

    def __init__(self) -> None:
        self.received_bytes = 0
        self.reading = asyncio.Event()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.sent_pieces = 0

    async def handle(self, request: Request) -> Response:
        match request.raw_path:
            case "/echo":
                return Response(status=200, body=await request.read(limit_bytes=1000))
            case "/fail":
                raise RuntimeError("out of order")
            case "/refuse":
                return Response(status=403, body=b"no")
            case "/head":
                return Response(status=200, headers=(("Content-Length", "12345"),))
            case "/sink":
                return await self.sink(request)
            case "/stream":
                size = ("Content-Length", str(100 * 1024 * 1024))
                return Response(status=200, headers=(size,), body=self.stream())
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

    async def stream(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(100):
                self.sent_pieces += 1
                yield bytes(1024 * 1024)
        finally:
            self.ended.set_result("closed")


def run_server(test: Callable[[Echo, Callable[[], Awaitable[Connection]]], Awaitable[T]]) -> T:
    """Runs `test` against a server of `Echo`, and stops the server."""

    async def run() -> T:
        service = Echo()
        listener = open_listener("127.0.0.1", 0)
        port = listener.getsockname()[1]
        stop, ready = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(serve(service, listener, on_ready=ready.set, stop=stop))
        await ready.wait()
        opened: list[asyncio.StreamWriter] = []

        async def connect() -> Connection:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            opened.append(writer)
            return reader, writer

        try:
            return await asyncio.wait_for(test(service, connect), 30)
        finally:
            for writer in opened:
                writer.close()
            stop.set()
            await asyncio.wait_for(serving, 10)

    return asyncio.run(run())


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    return int(lines[0].split()[1]), headers


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    status, headers = await read_head(reader)
    return status, headers, await reader.readexactly(int(headers.get("content-length", "0")))


def test_path_query_and_headers_arrive_as_sent() -> None:
    async def ask(service: Echo, connect: Callable[[], Awaitable[Connection]]) -> bytes:
        reader, writer = await connect()
        writer.write(
            b"GET /a%2Fb//c%20+d/%F0%9F%98%80?x=1%2B1&X=&flag HTTP/1.1\r\n"
            b"Host: h\r\nX-Two: 1\r\nX-TWO: 2\r\n\r\n"
        )
        return (await read_answer(reader))[2]

    assert run_server(ask).decode() == (
        "/a%2Fb//c%20+d/%F0%9F%98%80 x=1%2B1&X=&flag "
        "(('x', '1+1'), ('X', ''), ('flag', '')) {'host': 'h', 'x-two': '1,2'}"
    )


def test_a_head_carries_the_length_and_no_content() -> None:
    async def ask(service: Echo, connect: Callable[[], Awaitable[Connection]]) -> tuple[str, int]:
        reader, writer = await connect()
        writer.write(
            b"HEAD /head HTTP/1.1\r\nHost: h\r\n\r\nGET /refuse HTTP/1.1\r\nHost: h\r\n\r\n"
        )
        _, headers = await read_head(reader)
        status, _, _ = await read_answer(reader)
        return headers["content-length"], status

    assert run_server(ask) == ("12345", 403)


def test_continue_is_said_when_the_content_is_read() -> None:
    async def ask(service: Echo, connect: Callable[[], Awaitable[Connection]]) -> tuple[int, bytes]:
        reader, writer = await connect()
        writer.write(
            b"PUT /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        )
        first, _ = await read_head(reader)
        writer.write(b"hello")
        _, _, body = await read_answer(reader)
        return first, body

    assert run_server(ask) == (100, b"hello")


def test_a_refusal_in_place_of_continue_closes_the_connection() -> None:
    async def ask(
        service: Echo, connect: Callable[[], Awaitable[Connection]]
    ) -> tuple[int, str | None, bytes]:
        reader, writer = await connect()
        writer.write(
            b"PUT /refuse HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        )
        status, headers, _ = await read_answer(reader)
        return status, headers.get("connection"), await reader.read()

    assert run_server(ask) == (403, "close", b"")


def test_a_content_that_nobody_read_does_not_spoil_the_next_request() -> None:
    async def ask(service: Echo, connect: Callable[[], Awaitable[Connection]]) -> list[int]:
        reader, writer = await connect()
        content = bytes(3_000_000)
        request = b"PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + content
        writer.write(request)
        statuses = [(await read_answer(reader))[0]]
        writer.write(b"GET /refuse HTTP/1.1\r\nHost: h\r\n\r\n")
        return [*statuses, (await read_answer(reader))[0]]

    assert run_server(ask) == [403, 403]


def test_a_fault_is_answered_and_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def ask(service: Echo, connect: Callable[[], Awaitable[Connection]]) -> tuple[int, bytes]:
        reader, writer = await connect()
        writer.write(b"GET /fail HTTP/1.1\r\nHost: h\r\n\r\n")
        status, _, body = await read_answer(reader)
        return status, body

    with caplog.at_level(logging.ERROR, logger="runner.emulator"):
        status, body = run_server(ask)

    assert (status, body) == (500, b"The emulator failed to answer; its log has the traceback.\n")
    assert [record.getMessage() for record in caplog.records] == ["GET /fail failed"]
    assert "RuntimeError: out of order" in caplog.text


def test_a_client_that_leaves_while_it_sends_ends_the_request() -> None:
    async def ask(service: Echo, connect: Callable[[], Awaitable[Connection]]) -> str:
        _, writer = await connect()
        writer.write(b"PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nsome")
        await service.reading.wait()
        writer.close()
        return await service.ended

    assert run_server(ask) == "ClientDisconnectedError"


def test_a_client_that_leaves_while_it_receives_ends_the_stream() -> None:
    async def ask(service: Echo, connect: Callable[[], Awaitable[Connection]]) -> tuple[str, bool]:
        reader, writer = await connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readexactly(1000)
        # The client reads no more: the server waits, and has not read the whole.
        before = service.sent_pieces
        writer.close()
        return await service.ended, before < 100 and service.sent_pieces < 100

    assert run_server(ask) == ("closed", True)


def test_bad_requests_are_refused_and_the_server_lives() -> None:
    async def ask(service: Echo, connect: Callable[[], Awaitable[Connection]]) -> list[int]:
        statuses = []
        for request in (
            b"nonsense\r\n\r\n",
            b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
            b"GET /refuse HTTP/1.1\r\nHost: h\r\n\r\n",
        ):
            reader, writer = await connect()
            writer.write(request)
            statuses.append((await read_head(reader))[0])
        return statuses

    assert run_server(ask) == [400, 400, 400, 400, 403]
