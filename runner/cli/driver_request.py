"""Asks the process that drives a run to end it, where it is one that can be asked.

It must not know what ending a run takes.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import InterruptedRunError, UsageError, describe_os_error
from runner.run.records.driving import LOCK, Driver, find_driver
from runner.run.records.following import Following
from runner.run.records.record import RunRecord
from runner.run.stop import Stop

_LOOK_SECONDS = 0.1
_LAST_WORDS_SECONDS = 10.0


def ask_to_end(
    driver: Driver, directory: Path, record: RunRecord, world: World, interruptions: Interruptions
) -> bool:
    """Has the process that drives the run end it, and waits until it has; false if interrupted."""
    _check_is_here(driver, directory, record)
    try:
        # Not SIGINT, which a shell has programs in its background ignore.
        os.kill(driver.pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    except OSError as error:
        reason = describe_os_error(error)
        raise UsageError(f"process {driver.pid}, which drives the run: {reason}") from error
    world.say(f"process {driver.pid}, which drives run {record.run}, has been asked to end it")
    stop = Stop()
    interruptions.stop = stop.request
    try:
        for _ in Following(directory).follow(world.clock, stop):
            pass
        # What it has printed may still be waited for, by whoever reads that.
        deadline = world.clock.monotonic() + _LAST_WORDS_SECONDS
        while find_driver(directory) is not None and world.clock.monotonic() < deadline:
            stop.check()
            world.clock.wait(stop, _LOOK_SECONDS)
    except InterruptedRunError:
        world.say(
            f"run {record.run} is still being ended; `batch-run attach {record.run}` shows it"
        )
        return False
    return True


def _check_is_here(driver: Driver, directory: Path, record: RunRecord) -> None:
    """Raises `UsageError` where the process cannot be asked, or is none that drives the run."""
    hint = f"end it there with Ctrl-C, or wait for it with `batch-run attach {record.run}`"
    if driver.host != socket.gethostname():
        raise UsageError(
            f"process {driver.pid} of `{driver.host}` drives run `{record.run}`", hint=hint
        )
    if sys.platform == "win32":
        raise UsageError(
            f"process {driver.pid} drives run `{record.run}`, and Windows can only kill it",
            hint=hint,
        )
    # A number says little: by now it may be that of another process.
    if _has_open(driver.pid, (directory / LOCK).resolve()) is False:
        raise UsageError(
            f"who drives run `{record.run}` is not known: process {driver.pid} does not",
            hint="try again in a moment",
        )


def _has_open(pid: int, path: Path) -> bool | None:
    """Whether a process has a file open; None where that cannot be known (there is no /proc)."""
    if not Path("/proc/self/fd").is_dir():
        return None
    try:
        for each in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if each.readlink() == path:
                    return True
            except FileNotFoundError:
                continue
    except PermissionError:
        return None
    except OSError:
        return False
    return False
