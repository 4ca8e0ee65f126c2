"""One connection of a client: its requests are answered one after the other, in their order.

It must not know what is asked and answered, nor how bytes are parsed (`reading`) and written
(`sending`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from runner.emulator.server.breaking import BrokenOffError, NoAnswerError, cut
from runner.emulator.server.content import ClientDisconnectedError
from runner.emulator.server.http import Request, Response, Service
from runner.emulator.server.outlet import Outlet
from runner.emulator.server.queries import parse_query
from runner.emulator.server.reading import SMALL_BYTES, BadRequestError, Incoming, Reader
from runner.emulator.server.resuming import resume
from runner.emulator.server.sending import Head, write_head
from runner.emulator.storage.database import StorageError

logger = logging.getLogger(__name__)

_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)
_NOT_KEPT = Response(
    status=500,
    headers=_TEXT,
    body=b"The emulator cannot write its state to disk; its log says why.\n",
)
_FAULT_TEXT = b"The emulator failed to answer; its log has the traceback.\n"
_FAULT = Response(status=500, headers=_TEXT, body=_FAULT_TEXT)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# How long a client is listened to that still sends what nobody wants: were the connection closed
# with that unread, the answer would be lost on its way (RFC 9112, 9.6).
_LINGER_SECONDS = 2.0


@dataclass(slots=True, kw_only=True, eq=False)
class Shared:
    """What all connections of a server have in common."""

    service: Service
    loop: asyncio.AbstractEventLoop
    # One for all: what arrives is taken in before the loop reads from another socket. A buffer
    # for each read, as asyncio makes them otherwise, costs more than all else of a small request.
    buffer: memoryview = field(default_factory=lambda: memoryview(bytearray(SMALL_BYTES)))
    connections: set[Connection] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    is_stopping: bool = False
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it stops and the last connection has gone."""


class Connection(asyncio.BufferedProtocol):
    """Asks the service for every answer.

    An unexpected exception of the service is logged with its traceback and answered with 500.
    """

    _transport: asyncio.Transport
    _outlet: Outlet

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._reader = Reader(self._want_more)
        self._current: Incoming | None = None
        """The request that is answered just now."""
        self._refusal: str | None = None
        """What to say, once all requests before are answered, of bytes that are none."""
        self._is_reading = True
        self._is_closing = False
        self._timer: asyncio.TimerHandle | None = None
        self._scheme = "http"
        self._client_address = ""
        self.last_used = shared.loop.time()
        """On the loop's clock."""

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._outlet = Outlet(transport, self._shared.loop)
        self._shared.connections.add(self)
        peer = transport.get_extra_info("peername")
        self._client_address = peer[0] if peer else ""
        if transport.get_extra_info("sslcontext") is not None:
            self._scheme = "https"

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client has gone, or was sent away."""
        self._is_closing = True
        shared = self._shared
        shared.connections.discard(self)
        if shared.is_stopping and not shared.connections:
            shared.emptied.set()
        self._reader.close()
        self._outlet.lose()
        if self._timer is not None:
            self._timer.cancel()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Where to put what arrives."""
        return self._shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes have arrived."""
        if self._is_closing:
            return
        try:
            self._reader.feed(self._shared.buffer[:nbytes])
        except BadRequestError as error:
            self._refusal = str(error)
            self._reader.close()
        self._go_on()

    def pause_writing(self) -> None:
        """The client takes in less than is written."""
        self._outlet.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._outlet.resume()
        self._go_on()

    # What the server asks for.

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self._current is None and self._reader.is_between

    def shut(self) -> None:
        """Closes once the request under way is answered: at once where there is none."""
        if self.is_idle or self._is_closing:
            self._transport.close()

    def abort(self) -> None:
        """Closes, whatever is under way."""
        self._transport.abort()

    # Requests, one after the other.

    def _go_on(self) -> None:
        """Has requests answered, as long as there are any and nothing is to be waited for."""
        queue, outlet = self._reader.queue, self._outlet
        while queue and self._current is None and outlet.drained is None and queue[0].is_ready:
            if self._is_closing:
                return
            self._begin(queue.popleft())
        if self._is_closing:
            return
        if self._refusal is not None and not queue and self._current is None:
            self._refuse(self._refusal)
        self._regulate()

    def _regulate(self) -> None:
        """Reads on only where there is room for what arrives."""
        current = self._current
        if current is not None:
            wanted = current.content.held_bytes < SMALL_BYTES and not self._reader.queue
        else:
            wanted = self._outlet.drained is None or not self._reader.queue
        if wanted is not self._is_reading:
            self._is_reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _want_more(self) -> None:
        """Somebody waits for more of the content of the request that is answered."""
        current = self._current
        if current is not None and current.expects and not current.content.ended:
            current.expects = False
            self._transport.write(_CONTINUE)
        self._regulate()

    def _begin(self, incoming: Incoming) -> None:
        """Has a request answered, in a task where that has to wait for something."""
        self._current = incoming
        content = incoming.content
        request = Request(
            method=incoming.method,
            raw_path=incoming.raw_path,
            raw_query=incoming.raw_query,
            query=parse_query(incoming.raw_query),
            headers=incoming.headers,
            scheme=self._scheme,
            client_address=self._client_address,
            body=content,
            content=content.whole() if content.ended else None,
            spelling=incoming.spelling,
        )
        try:
            coroutine = self._shared.service.handle(request)
            awaited = coroutine.send(None)
        except StopIteration as done:
            outcome: Response | Exception = done.value
        except Exception as error:  # noqa: BLE001 - all of them are answered
            outcome = error
        else:
            self._start(self._wait_for(incoming, coroutine, awaited))
            return
        rest = self._settle(incoming, outcome)
        if rest is not None:
            self._start(self._send_rest(rest))

    async def _wait_for(
        self, incoming: Incoming, coroutine: Coroutine[Any, Any, Response], awaited: Any
    ) -> None:
        try:
            outcome: Response | Exception = await resume(coroutine, awaited)
        except Exception as error:  # noqa: BLE001 - all of them are answered
            outcome = error
        rest = self._settle(incoming, outcome)
        if rest is not None:
            await rest
        self._go_on()

    async def _send_rest(self, rest: Coroutine[Any, Any, None]) -> None:
        await rest
        self._go_on()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._shared.loop.create_task(work)
        self._shared.tasks.add(task)
        task.add_done_callback(self._shared.tasks.discard)

    # Answers.

    def _settle(
        self, incoming: Incoming, outcome: Response | Exception
    ) -> Coroutine[Any, Any, None] | None:
        """Sends an answer, or what there is in place of one; what is left to do is given back."""
        if isinstance(outcome, Exception):
            match outcome:
                case ClientDisconnectedError():
                    self._finish(incoming)
                    return None
                case NoAnswerError():
                    self._stay_silent(incoming, outcome.silence)
                    return None
                case StorageError():
                    # Logged once by whoever writes, and not for each request that waits for it.
                    outcome = _NOT_KEPT
                case _:
                    self._log(incoming, outcome)
                    outcome = _FAULT
        body = outcome.body
        if not isinstance(body, bytes):
            return self._stream(incoming, outcome, body)
        try:
            self._outlet.send(self._write_head(incoming, outcome), body)
        except Exception as error:  # noqa: BLE001 - logged
            self._say_fault(incoming, error)
        self._finish(incoming)
        return None

    async def _stream(
        self, incoming: Incoming, response: Response, pieces: AsyncIterator[bytes]
    ) -> None:
        self._outlet.has_begun = False
        try:
            if not self._outlet.is_lost:
                await self._outlet.send_pieces(self._write_head(incoming, response), pieces)
        except BrokenOffError:
            self._cut()
        except Exception as error:  # noqa: BLE001 - logged
            if self._outlet.has_begun:
                self._log(incoming, error)
                # The client must not take what was sent for the whole.
                self._transport.abort()
            else:
                self._say_fault(incoming, error)
        finally:
            await self._close_pieces(incoming, pieces)
            self._finish(incoming)

    async def _close_pieces(self, incoming: Incoming, pieces: AsyncIterator[bytes]) -> None:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            try:
                await close()
            except Exception as error:  # noqa: BLE001 - logged
                self._log(incoming, error)

    def _write_head(self, incoming: Incoming, response: Response) -> Head:
        # A client that waits for "100 Continue" may never send the content of a request that was
        # answered without reading it, so that nobody knows what it would send next.
        if self._shared.is_stopping or (incoming.expects and not incoming.content.ended):
            incoming.keeps_alive = False
        return write_head(
            response,
            method=incoming.method,
            simple=incoming.simple,
            closes=not incoming.keeps_alive,
        )

    def _say_fault(self, incoming: Incoming, error: Exception) -> None:
        self._log(incoming, error)
        self._outlet.send(self._write_head(incoming, _FAULT), _FAULT_TEXT)

    def _log(self, incoming: Incoming, error: Exception) -> None:
        logger.error("%s %s failed", incoming.method, incoming.raw_path, exc_info=error)

    def _finish(self, incoming: Incoming) -> None:
        """The request under way is done with."""
        self._current = None
        self.last_used = self._shared.loop.time()
        if self._is_closing:
            return
        if not incoming.keeps_alive or self._shared.is_stopping:
            self._close(linger=not incoming.content.ended)
        elif not incoming.content.ended:
            incoming.content.discard()

    # Ends.

    def _refuse(self, text: str) -> None:
        body = text.encode("ascii")
        response = Response(status=400, headers=_TEXT, body=body)
        self._outlet.send(write_head(response, method="", simple=False, closes=True), body)
        self._close(linger=True)

    def _close(self, *, linger: bool) -> None:
        self._is_closing = True
        if linger and not self._shared.is_stopping and self._transport.can_write_eof():
            self._transport.write_eof()
            self._is_reading = True
            self._transport.resume_reading()
            self._timer = self._shared.loop.call_later(_LINGER_SECONDS, self._transport.close)
        else:
            self._transport.close()

    def _stay_silent(self, incoming: Incoming, silence: timedelta | None) -> None:
        """Resets the connection when it has been silent for so long, or waits for the client."""
        self._reader.close()
        self._reader.queue.clear()
        incoming.content.discard()
        self._regulate()
        if silence == timedelta():
            self._cut()
        elif silence is not None and not self._outlet.is_lost:
            self._timer = self._shared.loop.call_later(silence.total_seconds(), self._cut)

    def _cut(self) -> None:
        if not self._outlet.is_lost:
            cut(self._transport)
