"""Answers that fail on purpose: none at all, or one that breaks off, and how connections are cut.

It must not know why an answer fails.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from datetime import timedelta

# Closing with time 0 sends RST in place of FIN (socket(7), SO_LINGER).
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class NoAnswerError(Exception):
    """The client gets no answer: its connection is reset once `silence` is over.

    None waits for the client to give up; `faults` is what records say of it.
    """

    def __init__(self, faults: tuple[str, ...], *, silence: timedelta | None) -> None:
        super().__init__("no answer is given")
        self.faults = faults
        self.silence = silence


class BrokenOffError(Exception):
    """Raised among the pieces of a body: no more of it comes, and the connection is reset."""


def cut(transport: asyncio.Transport) -> None:
    """Resets a connection; whatever is under way to the client may be lost."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


async def break_off(body: bytes | AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """The first `size` bytes of a body, then `BrokenOffError`."""
    left = size
    if isinstance(body, bytes):
        yield body[:left]
        raise BrokenOffError
    async for piece in body:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            break
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()
    raise BrokenOffError
