"""The request and the response as both services see them, free of any server library.

It must not know which service answers, nor how bytes reach the socket (`server.asgi` does).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from runner.emulator.server.addresses import Address, find_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; the path is as sent, since signatures and routes need it undecoded."""

    method: str
    raw_path: str
    """Percent-encoded as sent, with the leading slash, without the query."""
    raw_query: str
    """As sent, without the question mark."""
    query: tuple[tuple[str, str], ...]
    """Decoded pairs in the order sent, names as sent."""
    headers: Mapping[str, str]
    """Names in lower case; a repeated header joined by a comma."""
    scheme: str
    client_address: str
    body: AsyncIterator[bytes]
    """The content in pieces; may be read once."""
    spelling: Mapping[str, str] = field(default_factory=dict)
    """Names of headers of metadata (`x-ms-meta-...`) as sent, by their names in `headers`."""

    @property
    def address(self) -> Address:
        """By which address it came; raises `HostError` where the `Host` header is none."""
        return find_address(self.scheme, self.headers.get("host", ""), self.raw_path)

    async def read(self, *, limit_bytes: int) -> bytes:
        """The whole content; raises `ContentTooLargeError` beyond the limit."""
        pieces: list[bytes] = []
        size = 0
        async for piece in self.body:
            size += len(piece)
            if size > limit_bytes:
                raise ContentTooLargeError
            pieces.append(piece)
        return b"".join(pieces)


class ContentTooLargeError(Exception):
    """A request's content is larger than the operation takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response; give `Content-Length` among the headers where `body` is an iterator.

    A response to HEAD carries the headers of the GET, and no body.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | AsyncIterator[bytes] = b""
    faults: tuple[str, ...] = ()
    """What was done to the answer on purpose, for records; never sent."""


class Service(Protocol):
    """Batch or Blob: answers a request to one of its accounts."""

    async def handle(self, request: Request) -> Response:
        """Answers every request, with the service's own error forms where it refuses."""
        ...
