"""Answers that fail on purpose: none at all, or one that breaks off, and how connections are cut.

It must not know why an answer fails.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "runner.emulator"
_METADATA = b"x-ms-meta-"
# Closing with time 0 sends RST in place of FIN (socket(7), SO_LINGER).
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


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


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which lets the application cut the connection of a request.

    It also keeps how the names of metadata are spelled.
    """

    def on_message_begin(self) -> None:
        """Makes the scope of a request, with the means to cut its connection."""
        super().on_message_begin()
        self._spelled: dict[bytes, bytes] = {}
        self.scope["extensions"] = {_EXTENSION: {"cut": self._cut, "spelled": self._spelled}}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes in a header; ASGI has its name in lower case, and some names are told back."""
        super().on_header(name, value)
        if name[: len(_METADATA)].lower() == _METADATA:
            self._spelled[name.lower()] = name

    def _cut(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()


def spelling(scope: MutableMapping[str, Any]) -> Mapping[bytes, bytes]:
    """How the headers of metadata were spelled, by their names in lower case."""
    spelled: Mapping[bytes, bytes] = (
        scope.get("extensions", {}).get(_EXTENSION, {}).get("spelled", {})
    )
    return spelled


async def cut(scope: MutableMapping[str, Any], receive: Receive) -> None:
    """Resets the connection of a request; whatever is under way to the client may be lost."""
    scope["extensions"][_EXTENSION]["cut"]()
    await wait_until_gone(receive)


async def stay_silent(receive: Receive, silence: timedelta | None) -> None:
    """Waits until the silence is over or the client has gone."""
    if silence == timedelta():
        return
    seconds = None if silence is None else silence.total_seconds()
    gone = asyncio.ensure_future(wait_until_gone(receive))
    try:
        await asyncio.wait((gone,), timeout=seconds)
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def wait_until_gone(receive: Receive) -> None:
    """Waits for the end of the connection, whatever else arrives on it."""
    while (await receive())["type"] != "http.disconnect":
        pass


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
