"""Reads the events of a run that another process drives, as they come.

It must not know what is made of them, and leaves the run's directory as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runner.errors import UsageError, describe_os_error
from runner.run.clock import Clock
from runner.run.events import RunFinished
from runner.run.records.driving import LOCK, find_driver
from runner.run.records.reading import EVENTS, read_time
from runner.run.stop import Stop

_PIECE_BYTES = 1024 * 1024
_PAUSE_SECONDS = 0.2
_END = f'"type":"{RunFinished.type}"'.encode()


class Following:
    """The lines of a run's events, from the first one on."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.path = directory / EVENTS
        self._position = 0
        self._last = b""

    def pieces(self) -> Iterator[bytes]:
        """What has come since the last call, many whole lines at a time."""
        path = self.path
        try:
            with path.open("rb") as stream:
                stream.seek(self._position)
                rest = b""
                while piece := stream.read(_PIECE_BYTES):
                    whole, newline, rest = (rest + piece).rpartition(b"\n")
                    if newline:
                        self._position += len(whole) + 1
                        self._last = whole.rpartition(b"\n")[2]
                        yield whole + newline
        except FileNotFoundError:
            return
        except OSError as error:
            raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error

    def lines(self) -> Iterator[bytes]:
        """The same, a line at a time."""
        for piece in self.pieces():
            yield from piece.splitlines(keepends=True)

    def follow(self, clock: Clock, stop: Stop) -> Iterator[bytes]:
        """The lines to the last one that whoever drives the run writes.

        Raises `InterruptedRunError` once `stop` is requested.
        """
        while True:
            # Asked first: what was written before the end is then read below.
            is_driven = find_driver(self._directory) is not None
            yield from self.lines()
            stop.check()
            if not is_driven or self._is_over():
                return
            clock.wait(stop, _PAUSE_SECONDS)

    def _is_over(self) -> bool:
        """Whether who drives the run now has told its end, and only has something left to say."""
        if _END not in self._last:
            return False
        try:
            since = datetime.fromtimestamp(
                (self._directory / LOCK).stat().st_mtime, tz=timezone.utc
            )
            line: dict[str, Any] = json.loads(self._last)
            return line["type"] == RunFinished.type and read_time(line["t"]) >= since
        except (OSError, ValueError, KeyError, TypeError):
            return False
