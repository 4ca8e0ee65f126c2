"""HTTP for a node: kept-alive connections, time-outs, retries and interruption, over `http.client`.

It must not know of storage or tasks. No error it raises holds a query, hence none a signature.
"""

from __future__ import annotations

import http
import select
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.storage.record import record

if TYPE_CHECKING:
    import http.client  # noqa: TC004 - imported with the first connection, since it takes a while

PIECE_BYTES = 256 * 1024
_IDLE_PER_SERVER = 32
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})

T = TypeVar("T")
Body = Callable[[], Iterable[bytes]]
Server = tuple[str, str, "int | None"]
"""Scheme, host and port."""


@record(frozen=True, slots=True, kw_only=True)
class TransferPolicy:
    """How long to wait for servers and how often to try again."""

    connect_timeout_seconds: float = 10.0
    silence_timeout_seconds: float = 60.0
    """How long a server may neither send nor take a byte."""
    retry_delays_seconds: tuple[float, ...] = (0.2, 1.0, 3.0)
    tls: ssl.SSLContext | None = None
    """Whom to trust; by default, whom this machine trusts."""
    moves: Mapping[Server, Server] = field(default_factory=dict)
    """Servers that are to be found elsewhere than URLs say."""


class TransferError(Exception):
    """A request did not lead to the content or change asked for; `status` if it was answered."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        timed_out: bool = False,
        transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.timed_out = timed_out
        self.transient = transient or status in _TRANSIENT


@record(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that can be sent again: `body` makes the content anew for each try."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None


@record(frozen=True, slots=True)
class Reply:
    """An answer whose content is read in pieces."""

    response: http.client.HTTPResponse
    interruption: Interruption

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status

    def header(self, name: str) -> str | None:
        """The value of a header, whatever its case."""
        return self.response.getheader(name)

    def pieces(self) -> Iterator[bytes]:
        """The content; raises `TransferError` where it ends early."""
        missing = self.response.length
        while True:
            try:
                piece = self.response.read(PIECE_BYTES)
            except (OSError, http.client.HTTPException) as error:
                raise _transfer_error(error, self.interruption) from None
            self.interruption.check()
            if not piece:
                break
            missing = None if missing is None else missing - len(piece)
            yield piece
        if missing:
            raise TransferError(f"the content ended {missing} bytes early", transient=True)

    def refusal(self) -> TransferError:
        """What to raise where the status is not the one wanted."""
        code = self.header("x-ms-error-code") or ""
        shown = f" ({code})" if code.isalnum() and len(code) < 80 else ""
        return TransferError(f"the server answered {self.status}{shown}", status=self.status)


class Connections:
    """Connections to servers, kept for the next request; one may be used by many threads."""

    def __init__(self, policy: TransferPolicy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._idle: dict[Server, list[http.client.HTTPConnection]]
        self._idle = defaultdict(list)

    @contextmanager
    def exchange(self, request: Request, interruption: Interruption) -> Iterator[Reply]:
        """One request and its answer, tried once; raises `TransferError`, `InterruptedRunError`."""
        named, target = _split(request.url)
        server = self._policy.moves.get(named, named)
        connection = self._send(server, target, request, interruption)
        keep = False
        try:
            sock = connection.sock
            with interruption.calling(lambda: _unblock(sock)):
                try:
                    response = connection.getresponse()
                except (OSError, http.client.HTTPException) as error:
                    raise _transfer_error(error, interruption) from None
                yield Reply(response, interruption)
                keep = _is_finished(response)
        finally:
            with self._lock:
                keep = keep and len(self._idle[server]) < _IDLE_PER_SERVER
                if keep:
                    self._idle[server].append(connection)
            if not keep:
                connection.close()

    def retry(self, attempt: Callable[[], T], interruption: Interruption) -> T:
        """Calls `attempt` until it returns, or fails for good, or has failed too often."""
        for delay in self._policy.retry_delays_seconds:
            try:
                return attempt()
            except TransferError as error:
                if not error.transient:
                    raise
            interruption.pause(delay)
        return attempt()

    def close(self) -> None:
        """Closes the idle connections."""
        with self._lock:
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _send(
        self,
        server: Server,
        target: str,
        request: Request,
        interruption: Interruption,
    ) -> http.client.HTTPConnection:
        interruption.check()
        connection = self._take_idle(server) or self._connect(server, interruption)
        sock = connection.sock
        try:
            with interruption.calling(lambda: _unblock(sock)):
                connection.request(
                    request.method,
                    target,
                    body=None if request.body is None else request.body(),
                    headers=dict(request.headers),
                )
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses a large content may answer and close before it has read all.
            return connection
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _transfer_error(error, interruption) from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _take_idle(self, server: Server) -> http.client.HTTPConnection | None:
        while True:
            with self._lock:
                idle = self._idle[server]
                connection = idle.pop() if idle else None
            if connection is None or not _is_stale(connection):
                return connection
            connection.close()

    def _connect(self, server: Server, interruption: Interruption) -> http.client.HTTPConnection:
        import http.client

        scheme, host, port = server
        timeout = self._policy.connect_timeout_seconds
        connection = (
            http.client.HTTPSConnection(host, port, timeout=timeout, context=self._policy.tls)
            if scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=timeout)
        )
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise _transfer_error(error, interruption) from None
        connection.sock.settimeout(self._policy.silence_timeout_seconds)
        return connection


def _split(url: str) -> tuple[Server, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise TransferError("the URL is not valid") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise TransferError("the URL is not an absolute http or https URL")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # What must not stand in a request line is encoded; what is encoded stays.
    return (parts.scheme, host, port), quote(target, safe="%/:?@!$&'()*+,;=~[]|^`{}\"<>\\")


def _transfer_error(error: Exception, interruption: Interruption) -> TransferError:
    """In words that never quote the URL, as some of the standard library's do."""
    interruption.check()
    if isinstance(error, TimeoutError):
        return TransferError("the server did not answer in time", timed_out=True, transient=True)
    cause = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
    return TransferError(f"the connection failed: {cause}", transient=True)


def _unblock(sock: socket.socket) -> None:
    # Where it is closed already, nobody is blocked on it.
    with suppress(OSError):
        # Not the TLS socket's own shutdown: it takes the session from under the blocked thread.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _is_stale(connection: http.client.HTTPConnection) -> bool:
    """An idle connection with something to read was closed by the server."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _is_finished(response: http.client.HTTPResponse) -> bool:
    """Reads what is left of a small content; whether the connection can serve again."""
    if not response.isclosed():
        try:
            response.read(PIECE_BYTES)
        except (OSError, http.client.HTTPException):
            return False
    return response.isclosed() and not response.will_close
