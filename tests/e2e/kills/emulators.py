"""An emulator with a data directory that is started, killed, and looked at when it is dead.

It must not know what was asked of it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.kills.asking import Wire

ROOT = Path(__file__).resolve().parents[3]
_VARIABLE = b"AZ_BATCH_NODE_ROOT_DIR="


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine; with when it started, no other has the same."""

    number: int
    started: str


@dataclass(slots=True, kw_only=True)
class Emulator:
    """One life of it."""

    process: subprocess.Popen[bytes]
    announcement: dict[str, dict[str, str]]

    def batch(self) -> Wire:
        """A connection to its Batch account."""
        batch = self.announcement["batch"]
        return Wire(
            endpoint=batch["endpoint"], account=batch["account"], key=batch["key"], batch=True
        )

    def blob(self) -> Wire:
        """A connection to its storage account."""
        storage = self.announcement["storage"]
        return Wire(
            endpoint=storage["blob_endpoint"],
            account=storage["account"],
            key=storage["key"],
            batch=False,
        )

    def kill(self) -> None:
        """Kills it with no chance to do anything, and waits until it is gone."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def stop(self) -> int:
        """Has it end in order; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def spawn(data: Path) -> subprocess.Popen[bytes]:
    """Starts one, without waiting for it."""
    command = [sys.executable, "-m", "runner.emulator", "--json", "--isolation", "none"]
    with (data.parent / "emulator.err").open("ab") as messages:
        return subprocess.Popen(
            [*command, "--data", str(data)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=messages,
        )


def start(data: Path) -> Emulator:
    """Starts one, and returns when it answers."""
    process = spawn(data)
    assert process.stdout is not None
    line = process.stdout.readline()
    messages = (data.parent / "emulator.err").read_text()
    assert line, f"the emulator ended with {process.wait(10)}:\n{messages[-4000:]}"
    return Emulator(process=process, announcement=json.loads(line))


def task_processes(data: Path) -> set[Process]:
    """The processes that belong to nodes of the directory, whoever their parent is."""
    return {process for process in _processes() if _is_of(process, data)}


def alive(process: Process) -> bool:
    """Whether it still runs; one that has ended and was not waited for does not."""
    return process in set(_processes())


def wait_until_gone(processes: set[Process], limit_seconds: float = 5.0) -> set[Process]:
    """Those that are still there after a while."""
    deadline = time.monotonic() + limit_seconds
    while (left := processes & set(_processes())) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def _processes() -> Iterator[Process]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if stat[0] not in "ZX":
                    yield Process(int(entry.name), stat[19])


def _is_of(process: Process, data: Path) -> bool:
    with suppress(OSError):
        variables = Path(f"/proc/{process.number}/environ").read_bytes().split(b"\0")
        return any(v.startswith(_VARIABLE + os.fsencode(data) + b"/") for v in variables)
    return False


def check_databases(data: Path) -> None:
    """Asserts that what is on disk is sound, on a copy: the files stay as the dead left them."""
    with tempfile.TemporaryDirectory() as name:
        for database in data.rglob("state.db"):
            folder = Path(tempfile.mkdtemp(dir=name))
            for part in database.parent.glob("state.db*"):
                shutil.copy(part, folder / part.name)
            with closing(sqlite3.connect(folder / "state.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
