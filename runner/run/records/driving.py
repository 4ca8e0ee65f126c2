"""Who drives a run: one process at a time on this machine, by a lock that dies with it.

It must not know what driving is; a client on another machine is kept away by the service.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from runner.errors import UsageError, describe_os_error
from runner.frozen import dataclass
from runner.json_text import read_json

LOCK = "driver.lock"
# Windows keeps others from reading what is locked: a byte that nothing is written to.
_LOCKED_BYTE = 1 << 30
# Whoever only asks who drives has the lock for a moment.
_TRIES = 10
_PAUSE_SECONDS = 0.05


class DriverPresentError(UsageError):
    """Another process of this machine drives the run; `driver` is what it says of itself."""

    def __init__(self, run: str, driver: Driver | None) -> None:
        who = "another process" if driver is None else f"process {driver.pid}"
        super().__init__(
            f"{who} drives run `{run}`",
            hint=f"`batch-run attach {run}` shows how it goes, `batch-run cancel {run}` ends it",
        )
        self.driver = driver


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """The process that drives a run, or that drove it last.

    `lease` is what the service knows it by, the same for all drivers of one run's directory, and
    of no copy of it: `file` is which one of its machine's files the lock is.
    """

    pid: int
    host: str
    lease: str
    file: str = ""


@contextmanager
def drive(directory: Path) -> Iterator[Driver]:
    """Within it, this process is the one that drives the run of a directory.

    Raises `DriverPresentError` where another one does, and `UsageError` where nobody could tell.
    """
    path = directory / LOCK
    try:
        # Never replaced or removed: a lock is on the file, not on its name.
        file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {describe_os_error(error)}") from error
    try:
        if not _lock_soon(file, path):
            raise DriverPresentError(directory.name, _read(path))
        before, host, which = _read(path), socket.gethostname(), _identity(file)
        is_same = before is not None and (before.host, before.file) == (host, which)
        driver = Driver(
            pid=os.getpid(),
            host=host,
            lease=before.lease if before is not None and is_same else str(uuid.uuid4()),
            file=which,
        )
        _write(file, driver, path)
        yield driver
    finally:
        os.close(file)  # and with it the lock goes


def find_driver(directory: Path) -> Driver | None:
    """The process of this machine that drives the run now; None where none does."""
    path = directory / LOCK
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:  # never driven, or not ours to look at
        return None
    try:
        return None if _lock(file, path, to_look=True) else _read(path)
    finally:
        os.close(file)


def _lock_soon(file: int, path: Path) -> bool:
    pause = threading.Event()
    for _ in range(_TRIES - 1):
        if _lock(file, path):
            return True
        pause.wait(_PAUSE_SECONDS)
    return _lock(file, path)


def _identity(file: int) -> str:
    stat = os.fstat(file)
    return f"{stat.st_dev}:{stat.st_ino}"


def _write(file: int, driver: Driver, path: Path) -> None:
    text = json.dumps(asdict(driver)).encode() + b"\n"
    try:
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, text)
        os.ftruncate(file, len(text))
        os.fsync(file)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {describe_os_error(error)}") from error


def _read(path: Path) -> Driver | None:
    """What the last driver wrote; None where it died before it had."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Driver(**read_json(path.read_bytes()))
    return None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, path: Path, *, to_look: bool = False) -> bool:
        """Whether the file is ours alone from here on, until it is closed."""
        del path, to_look
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: int, path: Path, *, to_look: bool = False) -> bool:
        """Whether the file is nobody else's from here on, until it is closed.

        Who only looks shares it with others who do: none of them takes another for a driver.
        """
        how = fcntl.LOCK_SH if to_look else fcntl.LOCK_EX
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise UsageError(
                f"cannot lock `{path}`: {describe_os_error(error)}",
                hint="run in a folder of a file system that has locks",
            ) from error
        return True
