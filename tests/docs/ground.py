"""Somebody who follows a page: saves files, starts the emulator in one terminal, types in another.

It must not know what any page says.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import Block

STARTING_SECONDS = 60.0
TYPING_SECONDS = 150.0
PORT_OF_PAGES = "8080"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A folder with `.venv`, an environment without accounts, and a port in place of the pages'."""

    folder: Path
    environ: Mapping[str, str]
    port: int

    def save(self, block: Block) -> None:
        """Saves a block under the name in its first line."""
        assert block.name is not None, block.text
        (self.folder / block.name).write_text(block.text, encoding="utf-8")

    @contextmanager
    def serving(self, block: Block) -> Iterator[subprocess.Popen[str]]:
        """Has the command of a block run until the end, when Ctrl-C has to end it in order."""
        variables = self.folder / "emulator.env"
        variables.unlink(missing_ok=True)
        process = self.open_shell(block.text)
        try:
            deadline = time.monotonic() + STARTING_SECONDS
            while not (variables.exists() and variables.read_text().endswith("\n")):
                assert process.poll() is None, block.text
                assert time.monotonic() < deadline, block.text
                time.sleep(0.02)
            yield process
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                assert process.wait(timeout=STARTING_SECONDS) == 0
        finally:
            end_group(process)

    def type_in(self, block: Block | str, **more: str) -> str:
        """What the commands of a block print, with the variables of the emulator set."""
        text = self._with_port(block.text if isinstance(block, Block) else block)
        before = ". ./emulator.env\n" if (self.folder / "emulator.env").exists() else ""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", before + text],
            cwd=self.folder,
            env={**self.environ, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TYPING_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def open_shell(self, text: str, **more: str) -> subprocess.Popen[str]:
        """A shell that runs a text, in a group of its own so that Ctrl-C reaches nobody else."""
        return subprocess.Popen(
            ["bash", "-euc", self._with_port(text)],
            cwd=self.folder,
            env={**self.environ, **more},
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _with_port(self, text: str) -> str:
        return text.replace(PORT_OF_PAGES, str(self.port))


def end_group(process: subprocess.Popen[str]) -> None:
    """Kills what is left of a process and of those that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def make_ground(folder: Path) -> Ground:
    """A folder in which `.venv` is the environment of the tests' own Python."""
    programs = Path(sys.executable).parent
    (folder / ".venv").symlink_to(programs.parent)
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "BATCH_RUN_", "PYTEST_", "PYTHONPATH"))
    }
    environ["PATH"] = os.pathsep.join((str(programs), environ["PATH"]))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return Ground(folder=folder, environ=environ, port=port)
