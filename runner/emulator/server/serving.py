"""Serves HTTP on a socket of ours until it is told to stop.

It must not know what the service answers, nor how a connection works.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from runner.emulator.server.connection import Connection, Shared
from runner.emulator.server.http import Service

KEEP_ALIVE_SECONDS = 600.0
"""Clients keep their connections for minutes; a server that closes first makes them fail."""
GRACE_SECONDS = 1.0
"""What a request in flight gets when the emulator stops; idle connections are closed at once."""


async def serve(
    service: Service,
    listener: socket.socket,
    *,
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    tls: ssl.SSLContext | None = None,
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
) -> None:
    """Serves until `stop` is set; calls `on_ready` once requests are answered."""
    loop = asyncio.get_running_loop()
    shared = Shared(service=service, loop=loop)
    server = await loop.create_server(
        lambda: Connection(shared), sock=listener, ssl=tls, backlog=1024
    )
    sweeping = loop.create_task(_sweep(shared, keep_alive_seconds))
    try:
        on_ready()
        await stop.wait()
    finally:
        sweeping.cancel()
        server.close()
        await _end(shared, sweeping)


async def _sweep(shared: Shared, keep_alive_seconds: float) -> None:
    """Closes connections that nobody has used for so long, or a little longer."""
    while True:
        # One look at all of them from time to time costs less than a timer for each answer.
        await asyncio.sleep(keep_alive_seconds / 10)
        oldest = shared.loop.time() - keep_alive_seconds
        for connection in tuple(shared.connections):
            if connection.is_idle and connection.last_used < oldest:
                connection.shut()


async def _end(shared: Shared, *others: asyncio.Task[None]) -> None:
    """Closes all connections, those with a request in flight once it is answered or late."""
    shared.is_stopping = True
    for connection in tuple(shared.connections):
        connection.shut()
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_wait_until_quiet(shared), GRACE_SECONDS)
    for connection in tuple(shared.connections):
        connection.abort()
    tasks = (*shared.tasks, *others)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _wait_until_quiet(shared: Shared) -> None:
    if shared.connections:
        await shared.emptied.wait()
    if shared.tasks:
        await asyncio.wait(tuple(shared.tasks))
