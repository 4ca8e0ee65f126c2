"""The transport against a server of raw bytes: what it sends, takes and refuses."""

from __future__ import annotations

import gzip
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    DecodeError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.rest import HttpRequest

from runner.remote.connections.routes import Routes
from runner.remote.endurance import Patience
from runner.remote.transport import DirectTransport

END = b"\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
NOT_PACKED = (
    "a packed answer cannot be unpacked: Error -3 while decompressing data: incorrect header check"
)
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
Script = list[bytes | None]
"""What a connection answers to each request; None closes it."""


class RawServer:
    """Answers by scripts, one for each connection; keeps what came, as it came."""

    def __init__(self, *scripts: Script) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.received: list[bytes] = []
        self.connections = 0
        self._scripts = list(scripts)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}/a"

    def close(self) -> None:
        # `close` alone does not wake up who waits in `accept`.
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self._thread.join()

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                for answer in script:
                    if answer is None or not self._receive(connection):
                        break
                    connection.sendall(answer)

    def _receive(self, connection: socket.socket) -> bool:
        """A request with a body of `Content-Length` or of chunks."""
        data = b""
        while END not in data or not _is_whole(data):
            piece = connection.recv(1_048_576)
            if not piece:
                return False
            data += piece
        self.received.append(data)
        return True


def _is_whole(data: bytes) -> bool:
    head, _, body = data.partition(END)
    if b"Transfer-Encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")]
    return len(body) >= (int(lengths[0].split(b":")[1]) if lengths else 0)


Serve = Callable[..., RawServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers, which end with the test."""
    servers: list[RawServer] = []

    def start(*scripts: Script) -> RawServer:
        servers.append(RawServer(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def transport() -> Iterator[DirectTransport]:
    with DirectTransport(Routes({}), Patience()) as opened:
        yield opened


def answer(body: bytes, *fields: bytes) -> bytes:
    head = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + END + body


def test_a_request_goes_in_one_piece_over_one_connection(
    transport: DirectTransport, serve: Serve
) -> None:
    server = serve([EMPTY, answer(b"hello", b"X-A: 1", b"x-a: 2")])
    sent: list[bytes] = []

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "http.client.send" and hearing:
            sent.append(bytes(arguments[1]))

    hearing = True
    sys.addaudithook(hear)
    put = HttpRequest("PUT", f"{server.url}/b?c=d", headers={"x-b": "é"}, content=b"y" * 10_000)
    transport.send(put)
    got = transport.send(HttpRequest("GET", server.url))
    hearing = False

    assert sent == server.received
    assert server.connections == 1
    assert server.received[0] == (
        b"PUT /a/b?c=d HTTP/1.1\r\n"
        b"Host: " + server.url.split("/")[2].encode() + b"\r\n"
        b"Accept-Encoding: gzip\r\nContent-Length: 10000\r\nx-b: \xe9" + END + b"y" * 10_000
    )
    assert (got.status_code, got.reason, got.content) == (200, "OK", b"hello")
    assert (got.headers["X-a"], list(got.headers)) == ("1, 2", ["Content-Length", "x-a"])


def test_a_request_without_a_body_says_so(transport: DirectTransport, serve: Serve) -> None:
    server = serve([EMPTY, EMPTY])
    transport.send(HttpRequest("POST", server.url))
    transport.send(HttpRequest("GET", server.url))

    assert [b"Content-Length: 0" in each for each in server.received] == [True, False]


def test_the_length_of_a_text_is_that_of_its_bytes(
    transport: DirectTransport, serve: Serve
) -> None:
    server = serve([EMPTY, EMPTY])

    transport.send(HttpRequest("PUT", server.url, content="ü"))
    transport.send(HttpRequest("GET", server.url))

    assert b"\r\nContent-Length: 2\r\n" in server.received[0]
    assert server.received[0].endswith("\r\n\r\nü".encode())
    assert server.received[1].startswith(b"GET /a HTTP/1.1\r\n")


def test_what_has_no_length_goes_in_chunks(transport: DirectTransport, serve: Serve) -> None:
    server = serve([EMPTY, EMPTY])
    transport.send(HttpRequest("PUT", server.url, content=iter([b"ab", b"", b"c"])))
    file = BytesIO(b"head and body")
    file.seek(9)
    transport.send(HttpRequest("PUT", server.url, content=file, headers={"Content-Length": "4"}))

    assert server.received[0].endswith(END + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert server.received[1].endswith(END + b"body")


@pytest.mark.parametrize(
    "last", [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", None]
)
def test_a_connection_that_is_closed_is_not_used_again(
    transport: DirectTransport, serve: Serve, last: bytes | None
) -> None:
    server = serve([last or answer(b"ab"), None], [EMPTY])

    assert transport.send(HttpRequest("GET", server.url)).content == b"ab"
    if last is None:
        _wait_until_closed(transport)
    assert transport.send(HttpRequest("GET", server.url)).content == b""
    assert server.connections == 2


def _wait_until_closed(transport: DirectTransport) -> None:
    (idle,) = transport._pool._idle.values()
    while not idle[0].is_stale():
        """The other side's farewell is under way."""


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"a"), b"a"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (CHUNKED + CHUNKS, b"abc0123456789"),
        (answer(gzip.compress(b"packed", mtime=0), b"Content-Encoding: gzip"), b"packed"),
    ],
)
def test_bodies_are_read_to_their_ends(
    transport: DirectTransport, serve: Serve, raw: bytes, body: bytes
) -> None:
    for stream in (False, True):
        server = serve([raw])
        response = transport.send(HttpRequest("GET", server.url), stream=stream)
        assert (b"".join(response.iter_bytes()) if stream else response.content) == body


def test_the_answer_to_head_has_no_body(transport: DirectTransport, serve: Serve) -> None:
    server = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", EMPTY])

    assert transport.send(HttpRequest("HEAD", server.url)).headers["content-length"] == "7"
    assert transport.send(HttpRequest("GET", server.url)).content == b""
    assert server.connections == 1


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (b"", ServiceResponseError, "the connection was closed before an answer"),
        (
            b"HTTP/1.1 2",
            ServiceResponseError,
            "the connection was closed within the head of an answer",
        ),
        (b"SSH-2.0-x" + END, ServiceResponseError, "no answer in HTTP: 'SSH-2.0-x'"),
        (
            b"HTTP/1.1 \xb2\xb2\xb2 x" + END,
            ServiceResponseError,
            "no answer in HTTP: 'HTTP/1.1 ²²² x'",
        ),
        (
            OK + b"A: b\r\n c: d" + END,
            ServiceResponseError,
            "a malformed header field: ' c: d'",
        ),
        (OK + b"A : b" + END, ServiceResponseError, "a malformed header field: 'A : b'"),
        (OK + b"a: b\r\n" * 300 + b"\r\n", ServiceResponseError, "more than 256 header fields"),
        (OK + b"a" * 70_000, ServiceResponseError, "a head of more than 65536 bytes"),
        (
            OK + b"Content-Length: -1" + END,
            ServiceResponseError,
            "an answer of the length '-1'",
        ),
        (
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1" + END,
            ServiceResponseError,
            "an answer of unknown length, encoded as 'chunked'",
        ),
        (
            OK + b"Content-Length: 5\r\n\r\nabc",
            IncompleteReadError,
            "the answer ended 2 bytes short",
        ),
        (
            OK + b"Content-Length: " + b"1" * 5_000 + END,
            ServiceResponseError,
            f"an answer of the length '{'1' * 80}'",
        ),
        (CHUNKED + b"0x5\r\nabcde", IncompleteReadError, "a chunk of the size b'0x5'"),
        (
            CHUNKED + b"3\r\nabcde\r\n0\r\n\r\n",
            IncompleteReadError,
            "a chunk that goes on with b'de'",
        ),
        (answer(b"plain", b"Content-Encoding: gzip"), DecodeError, NOT_PACKED),
        (
            answer(gzip.compress(b"packed", mtime=0)[:-1], b"Content-Encoding: gzip"),
            DecodeError,
            "a packed answer ends too early",
        ),
    ],
)
def test_what_is_no_whole_answer_is_an_error(
    transport: DirectTransport, serve: Serve, raw: bytes, kind: type[AzureError], words: str
) -> None:
    server = serve([raw])

    with pytest.raises(kind) as caught:
        transport.send(HttpRequest("GET", server.url))

    assert caught.value.message == words


def test_a_connection_outlives_a_whole_answer_that_cannot_be_unpacked(
    transport: DirectTransport, serve: Serve
) -> None:
    """It is free again before the answer is unpacked: it may be another thread's by then."""
    server = serve([answer(b"plain", b"Content-Encoding: gzip"), EMPTY])

    with pytest.raises(DecodeError):
        transport.send(HttpRequest("GET", server.url))

    assert transport.send(HttpRequest("GET", server.url)).content == b""
    assert server.connections == 1


def test_a_packed_answer_that_ends_too_early_is_known_while_it_comes(
    transport: DirectTransport, serve: Serve
) -> None:
    packed = gzip.compress(b"packed", mtime=0)[:-1]
    server = serve([answer(packed, b"Content-Encoding: gzip")])
    response = transport.send(HttpRequest("GET", server.url), stream=True)

    with pytest.raises(DecodeError, match="ends too early"):
        list(response.iter_bytes())


def test_silence_ends_with_the_time_out(transport: DirectTransport, serve: Serve) -> None:
    server = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b""])

    with (
        pytest.raises(ServiceResponseTimeoutError),
        transport.send(HttpRequest("GET", server.url), stream=True, read_timeout=0.05) as response,
    ):
        response.read()


def test_nobody_there_is_known_before_anything_is_sent(transport: DirectTransport) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]

    with pytest.raises(ServiceRequestError):
        transport.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"))


def test_a_header_of_two_lines_is_not_sent(transport: DirectTransport, serve: Serve) -> None:
    server = serve([EMPTY])

    with pytest.raises(ValueError, match="holds the end of a line"):
        transport.send(HttpRequest("GET", server.url, headers={"a": "b\r\nc: d"}))


def test_an_answer_that_nobody_reads_gives_its_connection_up(
    transport: DirectTransport, serve: Serve
) -> None:
    server = serve([answer(b"ab"), EMPTY], [EMPTY])

    transport.send(HttpRequest("GET", server.url), stream=True).close()
    transport.send(HttpRequest("GET", server.url))

    assert server.connections == 2


@pytest.mark.parametrize("body", [b"big", b""])
def test_an_early_refusal_of_a_long_body_is_heard(transport: DirectTransport, body: bytes) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(refusal)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1_048_576):
                    """Or the system would say that the connection was reset."""

        thread = threading.Thread(target=refuse)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        response = transport.send(HttpRequest("PUT", url, content=b"x" * 3_000_000))
        transport.close()
        thread.join()

    assert (response.status_code, response.content) == (413, body)
