"""When an emulator ends that outlives whoever started it: once its jobs have nothing left to run.

A client that still wants it holds a shared lock on a file beside its state. It must not know what
jobs are.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from runner.emulator.batch.core.outlook import Outlook
from runner.emulator.server.breaking import NoAnswerError
from runner.emulator.server.content import ClientDisconnectedError
from runner.emulator.server.http import Request, Response, Service
from runner.emulator.storage.error import DataError

CLIENTS = "clients"
"""The file in the data directory on which clients hold a shared lock (flock)."""

_LOOK_SECONDS = 0.2
# Whoever asks how a job has ended must get to hear it.
_ENDED_SECONDS = 2.0
# A job may come, or be given tasks.
_REST_SECONDS = 15.0
# All of them together are a few hundred kilobytes; nobody may make that much more.
_REMEMBERED = 1000
_LONGEST = 2048


class Passed(NamedTuple):
    """A request that was answered, or that got no answer (`status` 0); times are in seconds."""

    began: float
    ended: float
    method: str
    raw_path: str
    raw_query: str
    status: int
    faults: tuple[str, ...]


class Attendance:
    """Passes requests on, and knows for how long nobody has asked for anything.

    The last of them are remembered, with what is a secret in them.
    """

    def __init__(self, service: Service, monotonic: Callable[[], float]) -> None:
        self._service = service
        self._monotonic = monotonic
        self._under_way = 0
        self._last = monotonic()
        self.passed = 0
        """How many requests there were."""
        self._recent: deque[tuple[float, float, str, str, str, int, tuple[str, ...]]] = deque(
            maxlen=_REMEMBERED
        )

    @property
    def quiet_seconds(self) -> float:
        """Since the last request was answered; 0 while one is."""
        return 0.0 if self._under_way else self._monotonic() - self._last

    async def handle(self, request: Request) -> Response:
        """The answer of the service behind."""
        self._under_way += 1
        began = self._monotonic()
        status = 0
        faults: tuple[str, ...] = ()
        try:
            response = await self._service.handle(request)
            status, faults = response.status, response.faults
        except NoAnswerError as error:
            faults = error.faults
            raise
        except ClientDisconnectedError:
            raise
        except Exception:
            status = 500
            raise
        else:
            return response
        finally:
            self._under_way -= 1
            self._last = ended = self._monotonic()
            self.passed += 1
            path, query = request.raw_path[:_LONGEST], request.raw_query[:_LONGEST]
            # A plain tuple: it takes half as long to make, and few are ever looked at.
            self._recent.append((began, ended, request.method, path, query, status, faults))

    def recent(self) -> tuple[Passed, ...]:
        """The last requests, in the order of their answers."""
        return tuple(Passed(*each) for each in self._recent)


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
