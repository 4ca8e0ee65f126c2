"""The body of one answer, by its length, in chunks or up to the end of its connection.

It must not know what it holds. What breaks off is an error of azure-core, as its own transports
raise it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from azure.core.exceptions import (
    DecodeError,
    IncompleteReadError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from runner.remote.connections.heads import Head, HeadError
from runner.remote.connections.line import Line

_PIECE_BYTES = 1_048_576
_NO_BODY = frozenset({204, 304})
_MOST_DIGITS = 18
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")


class AnswerBody:
    """What is still to come of an answer; used by one thread at a time."""

    def __init__(
        self,
        line: Line,
        head: Head,
        method: str,
        release: Callable[[Line, bool], None],
        *,
        keeps: bool = True,
    ) -> None:
        """`release` is called once with the line, and whether another request may go over it.

        That is never so without `keeps`, as where the request itself was not sent to its end.
        """
        self._line = line
        self._release: Callable[[Line, bool], None] | None = release
        self._keeps = keeps and head.version == "HTTP/1.1"
        if "close" in head.headers.get("Connection", "").lower():
            self._keeps = False
        self._chunked = False
        self._left: int | None = 0
        """Bytes of the body, or of its chunk; None up to the end of the connection."""
        self._frame(head, method)
        if self._left == 0 and not self._chunked:
            self._end()

    def _frame(self, head: Head, method: str) -> None:
        """RFC 9112, section 6.3."""
        if method == "HEAD" or head.status in _NO_BODY:
            return
        coding, length = head.headers.get("Transfer-Encoding"), head.headers.get("Content-Length")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise HeadError(f"an answer of unknown length, encoded as {coding[:80]!r}")
            self._chunked = True
        elif length is None:
            self._left, self._keeps = None, False
        elif length.isdecimal() and len(length) <= _MOST_DIGITS:
            self._left = int(length)
        else:
            raise HeadError(f"an answer of the length {length[:80]!r}")

    @property
    def is_over(self) -> bool:
        """Whether all of it has come."""
        return self._release is None

    def take(self, limit: int) -> bytes:
        """The next bytes, as they come, at most so many; none at the end."""
        try:
            if self._release is None or not self._begin_piece():
                return b""
            piece = self._line.take(limit if self._left is None else min(limit, self._left))
            self._count(len(piece))
        except (OSError, HeadError) as error:
            raise self._broken(error) from error
        return piece

    def fill(self, view: memoryview) -> int:
        """Fills a buffer as far as the body goes, and says how far that is."""
        filled = 0
        try:
            while filled < len(view) and self._release is not None and self._begin_piece():
                room = len(view) if self._left is None else min(len(view), filled + self._left)
                count = self._line.fill(view[filled:room])
                self._count(count)
                filled += count
        except (OSError, HeadError) as error:
            raise self._broken(error) from error
        return filled

    def read(self) -> bytes:
        """All that is still to come."""
        pieces = []
        while piece := self.take(_PIECE_BYTES):
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Gives up what has not come: its connection cannot be used for anything else."""
        if self._release is not None:
            self._keeps = False
            self._end()

    def __del__(self) -> None:
        """The SDKs drop answers that they have not read."""
        if getattr(self, "_release", None) is not None:
            self.close()

    def _begin_piece(self) -> bool:
        """Goes on to the next chunk where one has ended; false at the end of the body."""
        if self._left != 0:
            return True
        size = self._line.read_line().partition(b";")[0].strip(b" \t")
        if not _CHUNK_SIZE.fullmatch(size):
            raise HeadError(f"a chunk of the size {size[:80]!r}")
        self._left = int(size, 16)
        if self._left > 0:
            return True
        while self._line.read_line():
            """Fields behind the body: nobody asks for them."""
        self._end()
        return False

    def _count(self, count: int) -> None:
        if count == 0:
            if self._left is not None:
                self.close()
                raise IncompleteReadError(f"the answer ended {self._left} bytes short")
            self._end()
        elif self._left is not None:
            self._left -= count
            if self._left == 0:
                if self._chunked:
                    if end := self._line.read_line():
                        raise HeadError(f"a chunk that goes on with {end[:80]!r}")
                else:
                    self._end()

    def _end(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release(self._line, self._keeps)

    def _broken(self, error: OSError | HeadError) -> ServiceResponseError | IncompleteReadError:
        self.close()
        if isinstance(error, TimeoutError):
            return ServiceResponseTimeoutError(str(error), error=error)
        if isinstance(error, HeadError):
            return IncompleteReadError(str(error), error=error)
        return ServiceResponseError(str(error), error=error)


class Unpacking:
    """Unpacks a body that the service has packed by gzip, as it was allowed to."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._has_begun = False

    def unpack(self, piece: bytes) -> bytes:
        """What has become readable with another piece."""
        self._has_begun |= bool(piece)
        try:
            return self._decoder.decompress(piece)
        except zlib.error as error:
            raise DecodeError(f"a packed answer cannot be unpacked: {error}") from error

    def end(self) -> None:
        """Raises `DecodeError` where what was packed goes on behind what has come of it."""
        if self._has_begun and not self._decoder.eof:
            raise DecodeError("a packed answer ends too early")
