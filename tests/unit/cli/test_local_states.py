"""The state of a local emulator is looked at only while nobody can begin to drive its run."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.cli.local_states import LocalState, find_state
from runner.run.records.driving import drive, find_driver
from runner.run.removal.tidying import Scope
from tests.fakes.plans import RUN

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no local runs")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Of a run whose emulator has ended."""
    place = tmp_path / RUN
    (place / "emulator").mkdir(parents=True)
    (place / "emulator" / "lock").write_text("12345")
    return place


def found(directory: Path, scope: Scope = Scope.ALL) -> LocalState:
    state = find_state(directory, scope)
    assert state is not None
    return state


_heard: list[tuple[str, list[bool]]] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    """Python calls it for every file that is opened; it cannot be taken back."""
    if event == "open" and _heard:
        path, drivers = _heard[-1]
        if str(arguments[0]) == path:
            drivers.append(find_driver(Path(path).parents[1]) is not None)


sys.addaudithook(_hear)


@contextmanager
def heard(path: Path) -> Iterator[list[bool]]:
    """For each time that a file is opened, whether somebody drove its run then."""
    drivers: list[bool] = []
    _heard.append((str(path), drivers))
    try:
        yield drivers
    finally:
        _heard.pop()


def test_nobody_can_start_an_emulator_meanwhile(directory: Path) -> None:
    with heard(directory / "emulator" / "lock") as drivers:
        state = found(directory)
    assert drivers == [True]
    assert (state.stays_because, state.is_at_work, state.size_bytes) == (None, False, 5)
    assert find_driver(directory) is None


def test_the_state_of_a_run_that_is_driven_is_not_touched(directory: Path) -> None:
    with drive(directory), heard(directory / "emulator" / "lock") as drivers:
        state = found(directory, Scope.NAMED)
    assert drivers == []
    assert state.stays_because == (
        f"process {os.getpid()} drives the run; `batch-run cancel {RUN}` ends it"
    )


def test_one_that_goes_on_by_itself_is_seen(directory: Path) -> None:
    with (directory / "emulator" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = found(directory)
    assert state.is_at_work
    assert state.stays_because == (
        f"its emulator goes on with the work; `batch-run clean {RUN}` ends it"
    )


def test_what_cannot_be_looked_at_stays(directory: Path) -> None:
    lock = directory / "driver.lock"
    lock.mkdir()
    assert found(directory, Scope.NAMED).stays_because == f"cannot write `{lock}`: is a directory"
