"""The ASGI application: turns what the HTTP server gives into a `Request` and answers it.

It must not know which service answers, nor which server library calls it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from runner.emulator.server.breaking import (
    BrokenOffError,
    NoAnswerError,
    cut,
    spelling,
    stay_silent,
    wait_until_gone,
)
from runner.emulator.server.http import Request, Response, Service
from runner.emulator.storage.database import StorageError

# ASGI's own forms (asgi.readthedocs.io, HTTP connection scope, version 3).
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

logger = logging.getLogger(__name__)

_NOT_KEPT = Response(
    status=500,
    headers=(("Content-Type", "text/plain; charset=utf-8"),),
    body=b"The emulator cannot write its state to disk; its log says why.\n",
)

# Either says where the content ends.
_SIZES = (b"content-length", b"transfer-encoding")

_FAULT = Response(
    status=500,
    headers=(("Content-Type", "text/plain; charset=utf-8"),),
    body=b"The emulator failed to answer; its log has the traceback.\n",
)


class _Spelled(bytes):
    """A header's name that uvicorn, which sends all names in lower case, sends as it is."""

    def lower(self) -> bytes:
        return self


class ClientDisconnectedError(Exception):
    """The client went away before it had sent the whole content."""


class _Content:
    """A request's content, in pieces as they arrive; reading is what lets more arrive."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.started = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces; nothing is read before the first is asked for."""
        self.started = True
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnectedError
            more = message.get("more_body", False)
            piece: bytes = message.get("body", b"")
            if piece:
                yield piece


def answer_with(service: Service) -> Application:
    """An ASGI application that asks `service` for every answer.

    An unexpected exception of the service is logged with its traceback and answered with 500.
    """

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        content = _Content(receive)
        try:
            request = _read_request(scope, content)
            response = await service.handle(request)
        except ClientDisconnectedError:
            return
        except NoAnswerError as error:
            await stay_silent(receive, error.silence)
            await cut(scope, receive)
            return
        except StorageError:
            # Logged once by whoever writes, and not for each request that waits for it.
            response = _NOT_KEPT
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            response = _FAULT
        # A client that waits for "100 Continue" never sends the content of a request that was
        # answered without reading it, so the connection cannot carry another request.
        close = not content.started and any(name == b"expect" for name, _ in scope["headers"])
        try:
            await _send_response(response, receive, send, close=close)
        except BrokenOffError:
            await cut(scope, receive)

    return answer


def _read_request(scope: Message, content: _Content) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    raw_query = scope["query_string"].decode("latin-1")
    client = scope["client"]
    return Request(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        raw_query=raw_query,
        query=tuple(parse_qsl(raw_query, keep_blank_values=True)) if raw_query else (),
        headers=headers,
        scheme=scope["scheme"],
        client_address=client[0] if client else "",
        body=content.pieces(),
        spelling={
            name.decode("latin-1"): sent.decode("latin-1") for name, sent in spelling(scope).items()
        },
    )


async def _send_response(response: Response, receive: Receive, send: Send, *, close: bool) -> None:
    body = response.body
    headers = [(_spell(k), v.encode("latin-1")) for k, v in response.headers]
    if isinstance(body, bytes) and not any(k.lower() in _SIZES for k, _ in headers):
        headers.append((b"content-length", str(len(body)).encode("ascii")))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body})
    else:
        await _send_pieces(body, receive, send)


def _spell(name: str) -> bytes:
    encoded = name.encode("latin-1")
    return _Spelled(encoded) if name.startswith("x-ms-meta-") else encoded


async def _send_pieces(pieces: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Sends piece by piece, at the client's pace, and stops reading when the client has gone."""
    gone = asyncio.create_task(wait_until_gone(receive))
    try:
        async for piece in pieces:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
