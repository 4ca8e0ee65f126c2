"""The content of a request as it arrives: taken in by the connection, read by a service.

It must not know what the content is, nor how it comes off the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable


class ClientDisconnectedError(Exception):
    """The client went away before it had sent the whole content."""


class Content(AsyncIterator[bytes]):
    """Pieces that have arrived and nobody has read yet; iterating waits for more.

    `demand` is called whenever the reader has taken all that there was: more may come now.
    """

    __slots__ = ("_demand", "_gone", "_pieces", "_waiter", "ended", "held_bytes")

    def __init__(self, demand: Callable[[], None]) -> None:
        self._demand = demand
        self._pieces: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._gone = False
        self.held_bytes = 0
        """What has arrived and was not read."""
        self.ended = False
        """Whether all of it has arrived."""

    def add(self, piece: bytes) -> None:
        """A piece has arrived."""
        if not self._gone:
            self._pieces.append(piece)
            self.held_bytes += len(piece)
            self._wake()

    def end(self) -> None:
        """It has arrived whole."""
        self.ended = True
        self._wake()

    def lose(self) -> None:
        """No more of it comes, though it is not whole; one that is whole can still be read."""
        if not self.ended:
            self._gone = True
            self._wake()

    def discard(self) -> None:
        """Nobody reads it any more: what is here and what still comes is dropped."""
        self._gone = True
        self._pieces.clear()
        self.held_bytes = 0
        self._wake()

    def whole(self) -> bytes:
        """All that is here, without waiting; it can still be read."""
        pieces = self._pieces
        if not pieces:
            return b""
        if len(pieces) > 1:
            pieces[:] = [b"".join(pieces)]
        return pieces[0]

    async def __anext__(self) -> bytes:
        """The next piece; raises `ClientDisconnectedError` where no more of it comes."""
        while not self._pieces:
            if self._gone:
                raise ClientDisconnectedError
            if self.ended:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            self._demand()
            try:
                await self._waiter
            finally:
                self._waiter = None
        taken = self.whole()
        self._pieces.clear()
        self.held_bytes = 0
        self._demand()
        return taken

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
