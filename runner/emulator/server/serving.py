"""Runs uvicorn on a socket of ours until it is told to stop.

It must not know what the application answers.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager

from uvicorn.config import Config
from uvicorn.server import Server

from runner.emulator.server.asgi import Application
from runner.emulator.server.breaking import CuttableProtocol

# Clients keep their connections for minutes; a server that closes first makes them fail.
_KEEP_ALIVE_SECONDS = 600
# What a request in flight gets when the emulator stops; idle connections are closed at once.
_GRACE_SECONDS = 1


class _Server(Server):
    """uvicorn's server, whose signals belong to the program and whose start is announced."""

    def __init__(self, config: Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


async def serve(
    application: Application,
    listener: socket.socket,
    *,
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Serves until `stop` is set; calls `on_ready` once requests are answered."""
    config = Config(
        application,
        http=CuttableProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        # The application logs its own faults; what uvicorn adds is about broken connections.
        log_level="critical",
        access_log=False,
        server_header=False,
        # The services date their answers themselves, by the clock that they were given.
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    config.load()
    # uvicorn makes contexts of files alone; ours also chooses certificates by name.
    config.ssl = tls
    server = _Server(config, on_ready)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopping.cancel()
