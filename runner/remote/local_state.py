"""The directory of a local emulator's state: who works on it, and where another program finds it.

Its files are those that docs/emulator-reference.md tells of, and one of our own. It must not know
how an emulator is started, nor what it is asked.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Any

from runner.errors import DiskFullError, ServiceError, describe_os_error
from runner.frozen import dataclass
from runner.json_text import read_json
from runner.remote.settings import BATCH_KEY, STORAGE_KEY, Account, AzureSettings

# The emulator's: one that runs holds the first; clients hold the second, which has it go on.
_LOCK = "lock"
_CLIENTS = "clients"
_KEYS = "accounts.json"
PAGE = "dashboard"
"""The emulator's: the address of its page, as long as it runs."""
PLACE = "services.json"
"""Ours: where the services are, without their keys."""
JOIN_SECONDS = 30.0
"""How long an emulator that is about to end may take until it has."""
_LEAVE_SECONDS = 5.0
_LOOK_SECONDS = 0.05
# Less than one request of ours may bring; what was begun and had no room is taken back.
_ROOM_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an emulator listens, and which process it is."""

    settings: AzureSettings = field(repr=False)
    pid: int
    outlives: bool
    """Whether it goes on without the program that started it."""


class Hold:
    """Keeps an emulator from ending by itself until it is released, or this process is gone."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    def release(self) -> None:
        """From now on it may end; to be called again does no harm."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def take_hold(state: Path) -> Hold | None:
    """None where the emulator has begun to end; `ServiceError` where the file is not ours."""
    import fcntl

    path = state / _CLIENTS
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ServiceError(f"cannot write `{path}`: {describe_os_error(error)}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return Hold(file)


def is_in_use(state: Path) -> bool:
    """Whether an emulator works on the state.

    It takes the lock for a moment, which would refuse one that starts: for who drives the run only.
    """
    import fcntl

    try:
        file = os.open(state / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ServiceError(f"cannot open `{state / _LOCK}`: {describe_os_error(error)}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def check_room(state: Path) -> None:
    """Raises `DiskFullError` where an emulator that is in trouble has no room for its state.

    What it has could be read all the same: it is to be asked once it has failed to answer.
    """
    try:
        disk = os.statvfs(state)
    except OSError:
        return  # what it has answered says more
    # Some file systems count no files (f_files is 0), and have room for any number.
    if disk.f_bavail * disk.f_frsize < _ROOM_BYTES or (disk.f_files and not disk.f_favail):
        raise DiskFullError(
            f"no space left on device: the local services cannot write to `{state}`",
            hint="make room",
        )


def write_place(state: Path, place: Place) -> None:
    """Writes it whole, for its owner alone; `ServiceError` where that cannot be done."""
    settings = place.settings
    document = {
        "batch": {"endpoint": settings.batch.endpoint, "account": settings.batch.name},
        "storage": {"endpoint": settings.storage.endpoint, "account": settings.storage.name},
        "pid": place.pid,
        "outlives": place.outlives,
    }
    path = state / PLACE
    partial = path.with_name(f".{PLACE}.partial")
    try:
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            json.dump(document, stream)
        partial.replace(path)
    except OSError as error:
        raise ServiceError(f"cannot write `{path}`: {describe_os_error(error)}") from error


def forget_place(state: Path) -> None:
    """What an earlier emulator left says nothing of the next one."""
    with suppress(FileNotFoundError):
        (state / PLACE).unlink()


def read_place(state: Path) -> Place | None:
    """Where the emulator listens that was ready last; None where nothing says so."""
    try:
        document = read_json((state / PLACE).read_bytes())
        keys = read_json((state / _KEYS).read_bytes())
        return Place(
            settings=AzureSettings(
                batch=_account(document["batch"], keys, BATCH_KEY),
                storage=_account(document["storage"], keys, STORAGE_KEY),
            ),
            pid=document["pid"],
            outlives=document["outlives"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _account(document: Any, keys: Any, variable: str) -> Account:
    name = document["account"]
    return Account(endpoint=document["endpoint"], name=name, key=keys[name], key_variable=variable)


class JoinedEmulator:
    """An emulator that goes on by itself, which this process has joined."""

    def __init__(self, state: Path, place: Place, hold: Hold) -> None:
        self.settings = place.settings
        self._state = state
        self._hold = hold
        self._left = False

    def ended(self) -> str | None:
        """That it has ended, in words; None while it runs."""
        if is_in_use(self._state):
            return None
        return "the local emulator has ended"

    def leave(self) -> None:
        """It goes on without us for as long as its jobs have anything to run."""
        self._left = True

    def stop(self, limit_seconds: float = _LEAVE_SECONDS) -> None:
        """Lets it end, as it does where no job is left; waits for that, but not for long.

        One that was left is not waited for.
        """
        self._hold.release()
        if self._left:
            return
        _wait_until(lambda: not is_in_use(self._state), limit_seconds)


def join_emulator(state: Path, *, limit_seconds: float = JOIN_SECONDS) -> JoinedEmulator | None:
    """The emulator that works on the state and goes on by itself; None where none works on it.

    One that is about to end is waited for: `ServiceError` where it does not.
    """
    found: list[JoinedEmulator] = []

    def is_clear() -> bool:
        hold = take_hold(state)
        if hold is None:
            return False
        try:
            if not is_in_use(state):
                return True
            place = read_place(state)
            if place is not None and place.outlives:
                found.append(JoinedEmulator(state, place, hold))
                return True
        finally:
            if not found:
                hold.release()
        return False

    if not (state / _LOCK).exists():
        return None
    if not _wait_until(is_clear, limit_seconds):
        place = read_place(state)
        who = "a local emulator" if place is None else f"the local emulator, process {place.pid},"
        raise ServiceError(
            f"{who} still works on `{state}`",
            hint="it ends by itself once the program that started it has ended",
        )
    return found[0] if found else None


def _wait_until(is_so: Callable[[], bool], limit_seconds: float) -> bool:
    """Whether it was so before the limit had passed."""
    deadline = time.monotonic() + limit_seconds
    pause = threading.Event()
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        pause.wait(_LOOK_SECONDS)
    return True
