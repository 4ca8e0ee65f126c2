"""One connection: what is sent over it, and what comes, of which nothing is lost or read twice.

It must not know what the bytes mean, nor who shares the connection. Errors are those of the system.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable
from http.client import HTTPConnection
from typing import IO, Any

from runner.remote.connections.heads import MOST_HEAD_BYTES, Head, HeadError, read_head

# What is sent at once; each piece has the whole time-out for itself.
_PIECE_BYTES = 262_144
# A body up to this size goes with its head: one call of the system, one packet if it fits.
_SMALL_BYTES = 65_536
_RECEIVED_BYTES = 65_536

Content = bytes | bytearray | memoryview
Body = Content | IO[bytes] | Iterable[bytes]


class Line:
    """A connection that is open; used by one thread at a time."""

    def __init__(self, connection: HTTPConnection) -> None:
        """`connection` is open. It opens connections through proxies, and is heard by auditors."""
        self._connection = connection
        self._socket: Any = connection.sock
        self._seconds: float | None = None
        self._data = b""
        """What has come and was not asked for yet begins at `_at`."""
        self._at = 0
        # What TLS has taken from the system and nobody has read, the system does not tell of.
        self._has_pending: Callable[[], int] = getattr(self._socket, "pending", _nothing)
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(self._socket, select.POLLIN)

    def is_stale(self) -> bool:
        """Whether the other side has closed it, or says what nobody asked."""
        if self._at < len(self._data) or self._has_pending():
            return True
        if self._poll is not None:
            return bool(self._poll.poll(0))
        return bool(select.select([self._socket], [], [], 0)[0])

    def limit(self, seconds: float) -> None:
        """How long one wait for the other side may take."""
        if seconds != self._seconds:
            self._socket.settimeout(seconds)
            self._seconds = seconds

    def send(self, head: bytes, body: Body | None, *, chunked: bool) -> None:
        """Sends a request; what has no length of its own is sent in chunks."""
        send = self._connection.send
        if body is None:
            send(head)
        elif isinstance(body, (bytes, bytearray, memoryview)):
            if len(body) <= _SMALL_BYTES:
                send(b"".join((head, body)))
                return
            send(head)
            with memoryview(body) as view:
                for start in range(0, len(view), _PIECE_BYTES):
                    send(view[start : start + _PIECE_BYTES])
        else:
            send(head)
            for piece in _pieces(body):
                # An empty chunk would be the last one.
                if piece:
                    send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                send(b"0\r\n\r\n")

    def read_head(self) -> Head:
        """The next head; `HeadError` where none comes."""
        data, searched = self._data[self._at :], 0
        while (end := data.find(b"\r\n\r\n", searched)) < 0:
            if len(data) > MOST_HEAD_BYTES:
                raise HeadError(f"a head of more than {MOST_HEAD_BYTES} bytes")
            searched = max(len(data) - 3, 0)
            more = self._socket.recv(_RECEIVED_BYTES)
            if not more:
                raise HeadError(
                    "the connection was closed before an answer"
                    if not data
                    else "the connection was closed within the head of an answer"
                )
            data = data + more if data else more
        self._data, self._at = data, end + 4
        return read_head(data[:end])

    def read_line(self) -> bytes:
        """The next line of what frames chunks, without its end; `HeadError` where none comes."""
        while (end := self._data.find(b"\r\n", self._at)) < 0:
            more = self._socket.recv(_RECEIVED_BYTES)
            if not more or len(self._data) - self._at > MOST_HEAD_BYTES:
                raise HeadError("a chunk without an end")
            self._data, self._at = self._data[self._at :] + more, 0
        line, self._at = self._data[self._at : end], end + 2
        return line

    def take(self, limit: int) -> bytes:
        """The next bytes, at least one of them and at most so many; none where there is an end."""
        if self._at < len(self._data):
            piece = self._data[self._at : self._at + limit]
            self._at += len(piece)
            return piece
        return bytes(self._socket.recv(limit))

    def fill(self, view: memoryview) -> int:
        """Writes the next bytes into a buffer, and says how many; 0 where there is an end."""
        if self._at < len(self._data):
            piece = self.take(len(view))
            view[: len(piece)] = piece
            return len(piece)
        return int(self._socket.recv_into(view))

    def close(self) -> None:
        """Closes it."""
        self._connection.close()


def _nothing() -> int:
    return 0


def _pieces(body: IO[bytes] | Iterable[bytes]) -> Iterable[bytes]:
    if not hasattr(body, "read"):
        return body
    return iter(lambda: body.read(_PIECE_BYTES), b"")
