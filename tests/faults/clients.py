"""Clients of one run: the installed command in processes of their own, which may die at any time.

It must not know what they do, nor whether they do it well.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.victim import VARIABLE

COMMAND = Path(sys.executable).parent / "batch-run"
VICTIM = Path(__file__).with_name("victim.py")
ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 240.0
STARTED_SECONDS = 10.0


@dataclass(slots=True, kw_only=True)
class Client:
    """One process, and where what it says goes."""

    process: subprocess.Popen[bytes]
    arguments: tuple[str, ...]
    messages: Path

    def kill(self) -> None:
        """With no chance to do anything."""
        with suppress(ProcessLookupError):
            self.process.kill()

    def send(self, number: signal.Signals) -> None:
        """A signal, unless it has ended."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def wait(self, limit_seconds: float = LIMIT_SECONDS) -> int:
        """Its exit code; negative where a signal ended it. `HangError` where it does not end."""
        try:
            return self.process.wait(limit_seconds)
        except subprocess.TimeoutExpired as error:
            # Its stack says where it hangs to whoever looks at the messages.
            self.kill()
            self.process.wait()
            raise HangError(f"`{' '.join(self.arguments)}` did not end: {self.said()}") from error

    def said(self) -> str:
        """The end of what it said to people."""
        return self.messages.read_text(errors="replace")[-3000:]


class HangError(Exception):
    """A client did not end."""


@dataclass(slots=True, kw_only=True)
class Home:
    """A user's folder, and who starts clients there."""

    folder: Path
    environ: Mapping[str, str]
    logs: Path
    started: list[Client] = field(default_factory=list)

    def start(
        self,
        *arguments: str,
        victim: Mapping[str, Any] | None = None,
        file_bytes: int | None = None,
        folder: Path | None = None,
    ) -> Client:
        """Starts the command; a `victim` kills itself where that says."""
        environ = dict(self.environ)
        command: list[str | Path] = [COMMAND, *arguments]
        if victim is not None:
            command = [sys.executable, VICTIM, *arguments]
            environ[VARIABLE] = json.dumps(dict(victim))
            environ["PYTHONPATH"] = str(ROOT)
        if file_bytes is not None:
            command = ["prlimit", f"--fsize={file_bytes}", *command]
        self.logs.mkdir(exist_ok=True)
        messages = self.logs / f"client-{len(self.started)}.txt"
        with messages.open("wb") as stream:
            process = subprocess.Popen(
                command,
                cwd=folder or self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        client = Client(process=process, arguments=arguments, messages=messages)
        self.started.append(client)
        return client

    def directory(self) -> Path | None:
        """The newest run's; None where none was made."""
        with suppress(OSError):
            name = (self.folder / ".batch-run" / "last").read_text().strip()
            directory = self.folder / ".batch-run" / "runs" / name
            if (directory / "run.json").exists():
                return directory
        return None

    def events(self) -> list[dict[str, Any]]:
        """What the newest run's journal says; a line that is not whole is left out."""
        directory = self.directory()
        if directory is None or not (directory / "events.jsonl").exists():
            return []
        events = []
        for line in (directory / "events.jsonl").read_bytes().splitlines():
            with suppress(ValueError):
                events.append(json.loads(line))
        return events

    def end_all(self) -> None:
        """No client outlives its schedule."""
        for client in self.started:
            client.kill()
            client.process.wait()


def emulator_of(client: Client) -> int | None:
    """The process of a client's own emulator."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == client.process.pid:
                command = (entry / "cmdline").read_bytes()
                if b"runner.emulator" in command:
                    return int(entry.name)
    return None


def kill_process(number: int) -> None:
    """With no chance to do anything."""
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def can_mount() -> bool:
    """Whether a disk of a chosen size can be had here."""
    return sys.platform == "linux" and os.geteuid() == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """The folder is a disk of its own, whose size `resize_disk` sets."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "faults", folder], check=True)
    try:
        yield
    finally:
        for _ in range(50):
            if subprocess.run(["umount", folder], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        else:
            subprocess.run(["umount", "-l", folder], check=False)


def resize_disk(folder: Path, room_bytes: int | None) -> None:
    """Leaves so much room on it; None is plenty."""
    size = 256 * 1024 * 1024
    if room_bytes is not None:
        stat = os.statvfs(folder)
        used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize
        size = used + room_bytes
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)
