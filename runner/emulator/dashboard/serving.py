"""Serves the page on a port of its own, while the accounts are served.

What it shows is loaded when somebody looks at it: most emulators are never looked at. It must not
know what is shown.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from runner.emulator.control.gate import Resource
from runner.emulator.dashboard.gate import DashboardGate, Data
from runner.emulator.faults.choose import Faults
from runner.emulator.lingering import Attendance
from runner.emulator.privacy import open_private_file
from runner.emulator.server.accounts import Account, Accounts
from runner.emulator.server.http import Service
from runner.emulator.server.serving import serve
from runner.emulator.storage.error import DataError
from runner.emulator.storage.record import record

ADDRESS_FILE = "dashboard"
"""In the data directory: the page's address with its token, as long as it is served."""


@record(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the page is to show: `origin` is where the accounts are served."""

    origin: str
    accounts: Accounts
    services: Mapping[Account, Service]
    attendance: Attendance
    faults: Faults
    resources: Mapping[str, Resource]
    now: Callable[[], datetime]
    clock: Callable[[], datetime]


@asynccontextmanager
async def serving_page(
    listener: socket.socket, token: str, watched: Watched, stop: asyncio.Event
) -> AsyncIterator[None]:
    """The page is served while the block runs; `stop` is set at its end."""
    gate = DashboardGate(token, lambda: _open_data(watched))
    serving = asyncio.create_task(serve(gate, listener, on_ready=_do_nothing, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await serving


@contextmanager
def noting_address(directory: Path, address: str | None) -> Iterator[None]:
    """The address is in a file of the directory while the block runs, for its owner alone.

    One that an emulator has left that was killed goes, also where there is no other (None). Raises
    `DataError`.
    """
    path = directory / ADDRESS_FILE
    try:
        # What is left there may be open to others, or a link to somewhere else.
        path.unlink(missing_ok=True)
        if address is not None:
            with os.fdopen(open_private_file(path), "w", encoding="ascii") as stream:
                stream.write(f"{address}\n")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        # The directory may have been removed meanwhile, or be of a disk that has gone.
        with suppress(OSError):
            path.unlink()


def _do_nothing() -> None:
    """Nobody waits for the page."""


def _open_data(watched: Watched) -> Data:
    # Imported here, when somebody looks.
    from runner.emulator.dashboard.api import Api
    from runner.emulator.dashboard.sources import Sources, find_batch, find_blob

    return Api(
        Sources(
            batch=find_batch(watched.accounts, watched.services, watched.origin),
            blob=find_blob(watched.accounts, watched.services, watched.origin),
            attendance=watched.attendance,
            faults=watched.faults,
            resources=watched.resources,
            now=watched.now,
            clock=watched.clock,
            monotonic=asyncio.get_running_loop().time,
        )
    )
