"""When an emulator ends that outlives whoever started it: once its jobs have nothing left to run.

A client that still wants it holds a shared lock on a file beside its state. It must not know what
jobs are.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from runner.emulator.batch.core.outlook import Outlook
from runner.emulator.server.http import Request, Response, Service
from runner.emulator.storage.error import DataError

CLIENTS = "clients"
"""The file in the data directory on which clients hold a shared lock (flock)."""

_LOOK_SECONDS = 0.2
# Whoever asks how a job has ended must get to hear it.
_ENDED_SECONDS = 2.0
# A job may come, or be given tasks.
_REST_SECONDS = 15.0


class Attendance:
    """Passes requests on, and knows for how long nobody has asked for anything."""

    def __init__(self, service: Service, monotonic: Callable[[], float]) -> None:
        self._service = service
        self._monotonic = monotonic
        self._under_way = 0
        self._last = monotonic()

    @property
    def quiet_seconds(self) -> float:
        """Since the last request was answered; 0 while one is."""
        return 0.0 if self._under_way else self._monotonic() - self._last

    async def handle(self, request: Request) -> Response:
        """The answer of the service behind."""
        self._under_way += 1
        try:
            return await self._service.handle(request)
        finally:
            self._under_way -= 1
            self._last = self._monotonic()


class Lingering:
    """Looks again and again whether the time has come, and then says `stop`."""

    def __init__(
        self,
        directory: Path,
        *,
        outlook: Callable[[], Outlook],
        attendance: Attendance,
        stop: asyncio.Event,
    ) -> None:
        """Raises `DataError` where the file of the clients cannot be opened."""
        self._outlook = outlook
        self._attendance = attendance
        self._stop = stop
        self._had_jobs = False
        path = directory / CLIENTS
        try:
            # Open to the end of the process: what is locked then stays so until it is gone.
            self._clients = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataError(f"{path} cannot be used: {error.strerror}") from error

    async def watch(self) -> None:
        """Returns once it is to stop, for whatever reason."""
        while not self._stop.is_set():
            if self._is_over():
                self._stop.set()
                return
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _LOOK_SECONDS)

    def _is_over(self) -> bool:
        outlook = self._outlook()
        self._had_jobs = self._had_jobs or outlook is not Outlook.EMPTY
        match outlook:
            case Outlook.AT_WORK:
                return False
            case Outlook.AT_REST:
                patience = _REST_SECONDS
            case Outlook.ENDED:
                patience = _ENDED_SECONDS
            case Outlook.EMPTY:
                # Who takes the last job away has no more to ask.
                patience = 0.0 if self._had_jobs else _REST_SECONDS
        return self._attendance.quiet_seconds >= patience and self._lock_out_clients()

    def _lock_out_clients(self) -> bool:
        """False while somebody holds the lock; whoever comes later finds it held."""
        # Imported here: Windows has no fcntl, and nothing else of this module needs it.
        import fcntl

        try:
            fcntl.flock(self._clients, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@asynccontextmanager
async def watching(lingering: Lingering) -> AsyncIterator[None]:
    """It watches while the block runs."""
    watch = asyncio.create_task(lingering.watch())
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
