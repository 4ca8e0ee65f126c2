"""The world as the commands see it: streams, environment, folder, clock.

Only `main` makes one from the process; tests make their own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from runner.errors import BatchRunError
from runner.run.clock import Clock


@dataclass(slots=True, kw_only=True)
class World:
    """Data goes to `stdout` as bytes, words for people to `stderr`."""

    environ: Mapping[str, str]
    working_directory: Path
    stdout: BinaryIO
    stderr: TextIO
    clock: Clock
    _closed: bool = field(default=False, init=False)

    def write(self, data: bytes) -> None:
        """Writes data; a reader that has gone away (`| head`) stops no run."""
        if self._closed:
            return
        try:
            self.stdout.write(data)
            self.stdout.flush()
        except BrokenPipeError:
            self._closed = True
            # The interpreter flushes once more at exit, and would complain then.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())

    def print(self, text: str) -> None:
        """Writes one line of data."""
        self.write(f"{text}\n".encode("utf-8", "backslashreplace"))

    def say(self, text: str) -> None:
        """One line for people; a terminal that has gone away stops no run."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.stderr.write(f"{text}\n")
            self.stderr.flush()

    def show_error(self, error: BatchRunError) -> None:
        """The error's line, and what to do about it."""
        self.say(f"batch-run: {error.message}")
        if error.hint is not None:
            self.say(f"  hint: {error.hint}")
