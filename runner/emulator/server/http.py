"""The request and the response as both services see them, free of any server library.

It must not know which service answers, nor how bytes reach the socket (`server.connection` does).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from runner.emulator.server.addresses import Address, find_address


# Not frozen, nor is `Response`: one is made for every request, and a frozen one takes three times
# as long. Nobody changes them; `dataclasses.replace` makes another.
@dataclass(slots=True, kw_only=True, eq=False)
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
    content: bytes | None = None
    """The whole content where it was there when the service was asked, as it is where it is small
    and the client did not wait to be told to send it; `body` and `read` give it too."""
    spelling: Mapping[str, str] = field(default_factory=dict)
    """Names of headers of metadata (`x-ms-meta-...`) as sent, by their names in `headers`; those
    that were sent in lower case may be missing."""
    _address: Address | None = field(default=None, init=False, repr=False)

    @property
    def address(self) -> Address:
        """By which address it came; raises `HostError` where the `Host` header is none."""
        address = self._address
        if address is None:
            address = find_address(self.scheme, self.headers.get("host", ""), self.raw_path)
            self._address = address
        return address

    async def read(self, *, limit_bytes: int) -> bytes:
        """The whole content; raises `ContentTooLargeError` beyond the limit.

        Nothing is waited for where `content` is there.
        """
        content = self.content
        if content is not None:
            if len(content) > limit_bytes:
                raise ContentTooLargeError
            return content
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


@dataclass(slots=True, kw_only=True)
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
    """Batch or Blob: answers a request to one of its accounts.

    What stands before a service and has nothing to do may give back the service's own coroutine:
    each that waits for another costs every request. No asyncio task runs until an answer has to
    wait, so that `asyncio.current_task` is None before (and `asyncio.timeout` fails).
    """

    def handle(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Answers every request, with the service's own error forms where it refuses."""
        ...
