"""Reads the events of a run that another process drives, as they come.

It must not know what is made of them, and leaves the run's directory as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runner.errors import UsageError, describe_os_error
from runner.json_text import read_json
from runner.run.clock import Clock
from runner.run.events import CleanupFinished, Event, RunFinished
from runner.run.records.driving import LOCK, find_driver
from runner.run.records.reading import EVENTS, event_from_line, read_time
from runner.run.stop import Stop

_PIECE_BYTES = 1024 * 1024
_PAUSE_SECONDS = 0.2
_END = f'"type":"{RunFinished.type}"'.encode()
_LEFT = f'"type":"{CleanupFinished.type}"'.encode()
"""The last that a driver tells who leaves the run to go on by itself."""


class Following:
    """The lines of a run's events, from the first one on."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.path = directory / EVENTS
        self._position = 0
        self._lines = 0
        self._last = b""

    def pieces(self) -> Iterator[bytes]:
        """What has come since the last call, many whole lines at a time.

        Lines at the end that are no events are kept back: whoever takes the run up cuts them off.
        """
        path = self.path
        try:
            with path.open("rb") as stream:
                stream.seek(self._position)
                rest = b""
                while piece := stream.read(_PIECE_BYTES):
                    whole, rest = _split(rest + piece)
                    if whole:
                        self._position += len(whole)
                        self._lines += whole.count(b"\n")
                        self._last = whole[:-1].rpartition(b"\n")[2]
                        yield whole
        except FileNotFoundError:
            return
        except OSError as error:
            raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error

    def lines(self) -> Iterator[bytes]:
        """The same, a line at a time."""
        for piece in self.pieces():
            yield from piece.splitlines(keepends=True)

    def events(self, *marks: bytes) -> Iterator[tuple[datetime, Event]]:
        """The same as events, each with its time: of lines in which any of the marks stands.

        Types that a later release has added are passed over. Raises `UsageError` where such a line
        is no event.
        """
        for piece in self.pieces():
            first = self._lines - piece.count(b"\n") + 1
            for number, line in enumerate(piece.split(b"\n"), start=first):
                if any(mark in line for mark in marks):
                    found = event_from_line(line, self.path, number)
                    if found is not None:
                        yield found

    def follow(
        self,
        clock: Clock,
        stop: Stop,
        *,
        outlive: Callable[[], None] | None = None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Iterator[bytes]:
        """The lines to the last one that whoever drives the run writes, or while they are wanted.

        With `outlive` a driver that dies before it has told its end is no end: that is called, and
        another one is waited for. Raises `InterruptedRunError` once `stop` is requested.
        """
        was_driven = is_awaited = False
        while is_wanted():
            # Asked first: what was written before the end is then read below.
            is_driven = find_driver(self._directory) is not None
            yield from self.lines()
            stop.check()
            if is_driven:
                was_driven = True
                if self._is_over():
                    return
            elif outlive is None or self._is_end():
                return
            elif was_driven:
                was_driven, is_awaited = False, True
                outlive()
            elif not is_awaited:
                return
            clock.wait(stop, _PAUSE_SECONDS)

    def _is_end(self) -> bool:
        """Whether the last line is of a kind that a driver ends with."""
        return any(end in self._last for end in (_END, _LEFT))

    def _is_over(self) -> bool:
        """Whether who drives the run now has told its end, and only has something left to say."""
        if _END not in self._last:
            return False
        try:
            since = datetime.fromtimestamp(
                (self._directory / LOCK).stat().st_mtime, tz=timezone.utc
            )
            line: dict[str, Any] = read_json(self._last)
            return line["type"] == RunFinished.type and read_time(line["t"]) >= since
        except (OSError, ValueError, KeyError, TypeError):
            return False


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The lines up to the last that can be an event, and what comes behind it."""
    end = data.rfind(b"}\n") + 2
    while end > 1:
        start = data.rfind(b"\n", 0, end - 1) + 1
        if data[start : start + 1] == b"{":
            return data[:end], data[end:]
        end = data.rfind(b"}\n", 0, start) + 2
    return b"", data
