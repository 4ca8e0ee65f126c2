"""What local runs have left on this machine: the state of their emulators, and such that go on.

It must not know of any service in the cloud.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runner.errors import ServiceError, UsageError, describe_os_error
from runner.frozen import dataclass
from runner.remote.local_state import is_in_use, read_place
from runner.run.records.driving import DriverPresentError, drive
from runner.run.records.places import LOCAL_STATE
from runner.run.records.record import read_record
from runner.run.records.standing import Standing, find_standing
from runner.run.removal.tidying import Scope

KIND = "local state"
# A detached emulator is asked to end its tasks and itself (emulator, 15 s at most).
_END_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_MEMBERS = ("lock", "emulator.err")
"""Files that tell an emulator's data directory from any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalState:
    """The state of one run's emulator; `stays_because` is why it is of use."""

    run: str
    path: Path
    size_bytes: int
    stays_because: str | None
    is_at_work: bool = False
    """An emulator of its own goes on with it."""


def find_state(directory: Path, scope: Scope) -> LocalState | None:
    """The state of a run's emulator by the run's directory; None where there is none.

    Not for a run that this process drives.
    """
    path = directory / LOCAL_STATE
    if sys.platform == "win32" or path.is_symlink() or not path.is_dir():
        return None
    if not any((path / member).exists() for member in _MEMBERS):
        return None
    is_at_work = False
    try:
        # An emulator that starts meanwhile would find its state in use.
        with drive(directory):
            is_at_work = is_in_use(path)
            reason = _why_it_stays(directory, scope, is_at_work=is_at_work)
    except DriverPresentError as error:
        reason = _why_driven(directory, error)
    except (UsageError, ServiceError) as error:
        reason = error.message
    return LocalState(
        run=directory.name,
        path=path,
        size_bytes=sum(_sizes(path)),
        stays_because=reason,
        is_at_work=is_at_work,
    )


def remove_state(directory: Path, state: LocalState) -> None:
    """Ends the emulator that is at work on it, and removes it; nobody can take it up meanwhile.

    Raises `ServiceError` where something stays.
    """
    try:
        with drive(directory):
            if is_in_use(state.path):
                _end_emulator(state.path)
            _open_up(state.path)
            shutil.rmtree(state.path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ServiceError(
            f"cannot remove `{error.filename or state.path}`: {describe_os_error(error)}"
        ) from error
    except DriverPresentError as error:
        raise ServiceError(error.message) from error


def _why_driven(directory: Path, error: DriverPresentError) -> str:
    who = "another process" if error.driver is None else f"process {error.driver.pid}"
    return f"{who} drives the run; `batch-run cancel {directory.name}` ends it"


def _why_it_stays(directory: Path, scope: Scope, *, is_at_work: bool) -> str | None:
    if scope is Scope.NAMED:
        return None
    name = directory.name
    if is_at_work:
        return f"its emulator goes on with the work; `batch-run clean {name}` ends it"
    try:
        standing = find_standing(directory, read_record(directory), driver=None)
    except UsageError:
        # Nothing can be resumed where not even the record can be read.
        return None
    if standing is Standing.LEFT_BEHIND or not standing.is_resumable:
        return None
    return f"`batch-run resume {name}` needs it; `batch-run clean {name}` takes it all the same"


def _end_emulator(state: Path) -> None:
    place = read_place(state)
    if place is None or not place.outlives:
        raise ServiceError(f"an emulator works on `{state}`, and nothing says which process it is")
    with suppress(ProcessLookupError):
        os.kill(place.pid, signal.SIGTERM)
    deadline = time.monotonic() + _END_SECONDS
    pause = threading.Event()
    while is_in_use(state):
        if time.monotonic() >= deadline:
            raise ServiceError(f"the local emulator, process {place.pid}, has not ended")
        pause.wait(_LOOK_SECONDS)


def _open_up(path: Path) -> None:
    """A task may have closed a folder of its own, even to us."""
    path.chmod(0o700)
    for folder, names, _ in os.walk(path):
        for name in names:
            below = Path(folder, name)
            if not below.is_symlink():
                below.chmod(0o700)


def _sizes(path: Path) -> Iterator[int]:
    """Of all files below; what goes meanwhile counts for nothing, and links lead nowhere."""
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                yield os.lstat(Path(folder, name)).st_size
