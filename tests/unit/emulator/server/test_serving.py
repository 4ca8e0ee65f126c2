"""The server over real sockets, with a service of the test's own."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from tests.unit.emulator.server.talking import (
    Connect,
    Echo,
    ask_once,
    read_answer,
    read_head,
    run_server,
)


def test_path_query_and_headers_arrive_as_sent() -> None:
    async def ask(service: Echo, connect: Connect) -> bytes:
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
    async def ask(service: Echo, connect: Connect) -> tuple[str, int]:
        reader, writer = await connect()
        writer.write(
            b"HEAD /head HTTP/1.1\r\nHost: h\r\n\r\nGET /refuse HTTP/1.1\r\nHost: h\r\n\r\n"
        )
        _, headers = await read_head(reader)
        status, _, _ = await read_answer(reader)
        return headers["content-length"], status

    assert run_server(ask) == ("12345", 403)


def test_continue_is_said_when_the_content_is_read() -> None:
    async def ask(service: Echo, connect: Connect) -> tuple[int, bytes]:
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
    async def ask(service: Echo, connect: Connect) -> tuple[int, str | None, bytes]:
        reader, writer = await connect()
        writer.write(
            b"PUT /refuse HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        )
        status, headers, _ = await read_answer(reader)
        return status, headers.get("connection"), await reader.read()

    assert run_server(ask) == (403, "close", b"")


def test_a_content_that_nobody_read_does_not_spoil_the_next_request() -> None:
    async def ask(service: Echo, connect: Connect) -> list[int]:
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
    async def ask(service: Echo, connect: Connect) -> tuple[int, bytes]:
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
    async def ask(service: Echo, connect: Connect) -> str:
        _, writer = await connect()
        writer.write(b"PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nsome")
        await service.reading.wait()
        writer.close()
        return await service.ended

    assert run_server(ask) == "ClientDisconnectedError"


def test_a_client_that_leaves_while_it_receives_ends_the_stream() -> None:
    async def ask(service: Echo, connect: Connect) -> tuple[str, bool]:
        reader, writer = await connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readexactly(1000)
        # The client reads no more: the server waits, and has not read the whole.
        before = service.sent_pieces
        writer.close()
        return await service.ended, before < 100 and service.sent_pieces < 100

    assert run_server(ask) == ("closed", True)


def test_bad_requests_are_refused_and_the_server_lives() -> None:
    async def ask(service: Echo, connect: Connect) -> list[int]:
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


def test_requests_that_are_sent_together_are_answered_in_their_order() -> None:
    async def ask(service: Echo, connect: Connect) -> tuple[list[bytes], list[str]]:
        reader, writer = await connect()
        writer.write(
            b"GET /wait HTTP/1.1\r\n\r\n"
            b"PUT /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\none"
            b"PUT /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
            b"GET /refuse HTTP/1.1\r\n\r\n"
        )
        await service.reading.wait()
        before = list(service.asked)
        service.may_go_on.set()
        return [(await read_answer(reader))[2] for _ in range(4)], before

    # The second is not asked for before the first is answered.
    assert run_server(ask) == ([b"waited", b"one", b"two", b"no"], ["GET /wait"])


def test_a_request_may_arrive_byte_by_byte() -> None:
    async def ask(service: Echo, connect: Connect) -> list[bytes]:
        reader, writer = await connect()
        bodies = []
        for request in (
            b"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            (
                b"PUT /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
            ),
        ):
            for byte in request:
                writer.write(bytes([byte]))
                await writer.drain()
            bodies.append((await read_answer(reader))[2])
        return bodies

    assert run_server(ask) == [b"hello", b"hello"]


def test_what_is_no_request_is_refused_after_those_before_it_were_answered() -> None:
    answers, asked = ask_once(b"GET /refuse HTTP/1.1\r\n\r\nGET /wait", b"\0\0\r\n\r\n")

    assert asked == ["GET /refuse"]
    assert answers == (
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 30\r\nConnection: close\r\n\r\nInvalid HTTP request received."
    )


def test_chunks_may_have_extensions_and_trailers() -> None:
    answers, asked = ask_once(
        b"PUT /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2;name=value\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n"
        b"GET /refuse HTTP/1.1\r\nConnection: close\r\n\r\n"
    )

    assert asked == ["PUT /echo", "GET /refuse"]
    assert answers == (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    )


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: 0123456789\r\n" * 6_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nX-A: " + b"a" * 700_000,
        b"PUT /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: " + b"a" * 700_000,
        b"PUT /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 700_000,
    ],
    ids=["url", "header", "headers", "endless header", "endless trailer", "endless extension"],
)
def test_what_is_too_large_for_a_head_is_refused(request_: bytes) -> None:
    answers, _ = ask_once(request_)

    assert answers.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answers.endswith(b"\r\n\r\nThe head of the request is too large.")


def test_clients_of_http_1_0_get_no_chunks_and_no_continue() -> None:
    def ask(path: str) -> bytes:
        sent = f"PUT /{path} HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"
        return ask_once(sent.encode())[0]

    head = b"HTTP/1.1 200 OK\r\n"
    assert ask("echo") == head + b"Content-Length: 2\r\nConnection: close\r\n\r\nhi"
    assert ask("chunked") == head + b"Content-Length: 5\r\nConnection: close\r\n\r\nhello"
    assert ask("few") == head + b"Connection: close\r\n\r\nabcabcabc"


def test_a_stream_without_a_length_comes_in_chunks() -> None:
    answers, _ = ask_once(b"GET /few HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert answers == (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"3\r\nabc\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n"
    )


def test_the_stream_of_an_answer_to_head_is_not_read() -> None:
    async def ask(service: Echo, connect: Connect) -> tuple[bytes, int]:
        reader, writer = await connect()
        writer.write(b"HEAD /stream HTTP/1.1\r\nConnection: close\r\n\r\n")
        return await reader.read(), service.sent_pieces

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\nConnection: close\r\n\r\n"
    assert run_server(ask) == (head, 0)


@pytest.mark.parametrize(
    ("status", "head"),
    [
        (204, b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
        (304, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n"),
        (299, b"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_answers_without_content(status: int, head: bytes) -> None:
    request = f"GET /status?{status} HTTP/1.1\r\n\r\nGET /refuse HTTP/1.0\r\n\r\n".encode()
    answers, _ = ask_once(request)

    assert answers == (
        head + b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    )


def test_a_small_content_is_there_when_the_service_is_asked() -> None:
    def ask(head: str, size: int) -> bytes:
        request = f"PUT /there HTTP/1.1\r\nConnection: close\r\n{head}\r\n\r\n".encode()
        return ask_once(request, bytes(size))[0].partition(b"\r\n\r\n")[2]

    assert ask("Content-Length: 262144", 262_144) == b"True 262144"
    assert ask("Content-Length: 2000000", 2_000_000) == b"False 2000000"
    assert ask("X-A: 1", 0) == b"True 0"


def test_nobody_is_asked_for_a_small_content_that_never_arrives() -> None:
    async def ask(service: Echo, connect: Connect) -> list[str]:
        _, writer = await connect()
        writer.write(b"PUT /echo HTTP/1.1\r\nContent-Length: 1000\r\n\r\nsome")
        await writer.drain()
        writer.close()
        reader, writer = await connect()
        writer.write(b"GET /refuse HTTP/1.1\r\n\r\n")
        await read_answer(reader)
        return service.asked

    assert run_server(ask) == ["GET /refuse"]


def test_continue_is_not_said_of_a_content_that_came_unasked() -> None:
    answers, _ = ask_once(
        b"PUT /echo HTTP/1.1\r\nConnection: close\r\nExpect: 100-continue\r\n"
        b"Content-Length: 5\r\n\r\nhello"
    )

    assert answers == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


def test_a_refusal_reaches_a_client_that_still_sends() -> None:
    content = bytes(5_000_000)
    head = b"PUT /refuse HTTP/1.1\r\nConnection: close\r\nContent-Length: 5000000\r\n\r\n"
    answers, _ = ask_once(head, content)

    assert answers == b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"


def test_another_protocol_that_is_offered_is_not_taken() -> None:
    answers, asked = ask_once(
        b"GET /refuse HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        b"GET /refuse HTTP/1.1\r\nConnection: close\r\n\r\n"
    )
    assert (answers.count(b"HTTP/1.1 403"), len(asked)) == (2, 2)

    answers, asked = ask_once(
        b"PUT /echo HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi"
    )
    assert (answers[:12], asked) == (b"HTTP/1.1 400", [])
    assert answers.endswith(b"\r\n\r\nA request to change the protocol cannot have content.")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/split", "ValueError: the header `X-A` cannot hold '1\\r\\nX-B: 2'"),
        ("/long", "ValueError: the body has 3 bytes, and its head says 2"),
        ("/status?9", "KeyError: 9"),
    ],
)
def test_an_answer_that_cannot_be_sent_is_a_fault(
    path: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="runner.emulator"):
        answers, _ = ask_once(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())

    assert answers.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert said in caplog.text


def test_a_stream_that_cannot_begin_is_a_fault_after_another_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="runner.emulator"):
        answers, _ = ask_once(
            b"GET /few HTTP/1.1\r\n\r\nGET /parted HTTP/1.1\r\nConnection: close\r\n\r\n"
        )

    assert answers.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"0\r\n\r\nHTTP/1.1 500 Internal Server Error\r\n" in answers
    assert "ValueError: the header `X-A` cannot hold '1\\r\\n'" in caplog.text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/short", "ValueError: the body ends 1 bytes before its head says"),
        ("/torn", "RuntimeError: torn"),
    ],
)
def test_a_stream_that_fails_is_not_taken_for_the_whole(
    path: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="runner.emulator"):
        answers, _ = ask_once(f"GET {path} HTTP/1.1\r\n\r\n".encode())

    assert answers.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not answers.endswith(b"0\r\n\r\n")
    assert said in caplog.text


def test_a_full_disk_is_said_and_not_logged_for_each_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers, _ = ask_once(b"GET /full HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert answers == (
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 63\r\nConnection: close\r\n\r\n"
        b"The emulator cannot write its state to disk; its log says why.\n"
    )
    assert not caplog.records


@pytest.mark.parametrize(("path", "received"), [("/reset", 0), ("/brief", 0), ("/half", 1)])
def test_connections_are_reset_on_purpose(path: str, received: int) -> None:
    async def ask(service: Echo, connect: Connect) -> int:
        reader, writer = await connect()
        writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        pieces = 0
        with pytest.raises(ConnectionResetError):
            while True:
                # What was under way may be lost.
                pieces = min(1, pieces + bool(await reader.read(1)))
        return pieces

    assert run_server(ask) <= received


def test_a_silent_server_hears_that_its_client_has_gone() -> None:
    async def ask(service: Echo, connect: Connect) -> list[str]:
        _, writer = await connect()
        writer.write(b"GET /silent HTTP/1.1\r\n\r\nGET /refuse HTTP/1.1\r\n\r\n")
        await service.reading.wait()
        writer.close()
        await writer.wait_closed()
        return service.asked

    # It stops without its grace, since no connection is left.
    assert run_server(ask) == ["GET /silent"]


def test_who_asks_for_nothing_is_sent_away_some_time() -> None:
    async def ask(service: Echo, connect: Connect) -> tuple[bytes, bytes]:
        waiting, writer = await connect()
        writer.write(b"GET /wait HTTP/1.1\r\n\r\n")
        idle, writer = await connect()
        writer.write(b"GET /refuse HTTP/1.1\r\n\r\n")
        await read_answer(idle)
        end = await idle.read()
        # A request that is under way is none that nobody asks for.
        service.may_go_on.set()
        return end, (await read_answer(waiting))[2]

    assert run_server(ask, keep_alive_seconds=0.1) == (b"", b"waited")


def test_a_stop_lets_requests_under_way_be_answered() -> None:
    stop = asyncio.Event()

    async def ask(service: Echo, connect: Connect) -> tuple[bytes, bytes]:
        idle, _ = await connect()
        waiting, writer = await connect()
        writer.write(b"GET /wait HTTP/1.1\r\n\r\nGET /refuse HTTP/1.1\r\n\r\n")
        await service.reading.wait()
        stop.set()
        end = await idle.read()
        service.may_go_on.set()
        return end, await waiting.read()

    assert run_server(ask, stop=stop) == (
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nwaited",
    )


def test_a_stop_does_not_wait_for_what_never_ends() -> None:
    stop = asyncio.Event()

    async def ask(service: Echo, connect: Connect) -> bytes:
        reader, writer = await connect()
        writer.write(b"GET /wait HTTP/1.1\r\n\r\n")
        await service.reading.wait()
        stop.set()
        return await reader.read()

    assert run_server(ask, stop=stop) == b""


def test_an_answer_that_waits_for_nothing_takes_no_task() -> None:
    made: list[str] = []

    async def ask(service: Echo, connect: Connect) -> list[list[str]]:
        reader, writer = await connect()
        loop = asyncio.get_running_loop()

        def make(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
            made.append(work.__qualname__)
            return asyncio.Task(work, loop=loop, **more)

        loop.set_task_factory(make)
        counts = []
        for request in (
            b"GET /refuse HTTP/1.1\r\n\r\n",
            b"PUT /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
            b"GET /fail HTTP/1.1\r\n\r\n",
            b"GET /wait HTTP/1.1\r\n\r\n",
        ):
            made.clear()
            service.may_go_on.set()
            writer.write(request)
            await read_answer(reader)
            counts.append(list(made))
        service.may_go_on.clear()
        service.reading.clear()
        made.clear()
        writer.write(b"GET /wait HTTP/1.1\r\n\r\n")
        await service.reading.wait()
        service.may_go_on.set()
        await read_answer(reader)
        loop.set_task_factory(None)
        return [*counts, list(made)]

    assert run_server(ask) == [[], [], [], [], ["Connection._wait_for"]]
