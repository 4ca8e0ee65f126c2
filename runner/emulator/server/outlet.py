"""Sends answers on one connection, at the pace of its client.

It must not know what is answered, nor what else becomes of the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from runner.emulator.server.sending import LAST_CHUNK, Framing, Head, frame, write_whole

# A larger body is written by itself: to copy it behind its head costs more than a second write.
_JOINED_BYTES = 64 * 1024


class Outlet:
    """The way out of one connection."""

    __slots__ = ("_loop", "_transport", "drained", "has_begun", "is_lost")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self.drained: asyncio.Future[None] | None = None
        """There while the client takes in less than is sent; done once it has caught up."""
        self.is_lost = False
        """Whether the client has gone: what is sent is dropped."""
        self.has_begun = False
        """Whether any was sent of the answer that comes piece by piece just now."""

    def pause(self) -> None:
        """The client takes in less than is sent."""
        self.drained = self._loop.create_future()

    def resume(self) -> None:
        """It has caught up."""
        drained, self.drained = self.drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def lose(self) -> None:
        """The client has gone."""
        self.is_lost = True
        self.resume()

    def send(self, head: Head, body: bytes) -> None:
        """Sends an answer that is there as a whole, without waiting."""
        if not self.is_lost:
            self._write(head.content, write_whole(body, head.framing))

    async def send_pieces(self, head: Head, pieces: AsyncIterator[bytes]) -> None:
        """Sends an answer piece by piece, and stops where the client goes.

        Its head goes with the first piece. Raises `ValueError` where the body is not as long as
        its head says.
        """
        framing, left, first = head.framing, head.length_bytes, head.content
        if framing is not Framing.NONE:
            async for piece in pieces:
                if self.is_lost:
                    return
                if not piece:
                    continue
                left -= len(piece)
                if framing is Framing.LENGTH and left < 0:
                    raise ValueError("the body is longer than its head says")
                self._write(first, frame(piece, framing))
                self.has_begun, first = True, b""
                if self.drained is not None:
                    await self.drained
        if self.is_lost:
            return
        if framing is Framing.LENGTH and left:
            raise ValueError(f"the body ends {left} bytes before its head says")
        self._transport.write(first + (LAST_CHUNK if framing is Framing.CHUNKS else b""))

    def _write(self, head: bytes, body: bytes) -> None:
        if len(body) <= _JOINED_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
