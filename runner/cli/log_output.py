"""How pieces of logs are shown: as they are, with titles, line by line with prefixes, or as JSON.

It must not know where logs are, nor when there is more of them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Protocol

from runner.cli.world import World
from runner.report.as_text import printable
from runner.run.events import VERSION

_MARKS = {"stdout": "|", "stderr": "!"}
# A line without an end, or one that never ends, is shown in parts.
_LONGEST_LINE = 64 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")


class LogOutput(Protocol):
    """Is given what is new of each log, in the order in which it comes."""

    def show(self, name: str, item: str, stream: str, offset: int, piece: bytes) -> None:
        """A piece of a stream; `name` is of a task or a node, `offset` where it begins in bytes.

        0 again means that it is printed anew.
        """
        ...

    def finish(self, name: str) -> None:
        """Nothing more will come of this one."""
        ...


class Plain:
    """One log after another; with titles, a line above each. A terminal gets no control codes."""

    def __init__(self, world: World, *, titled: bool, what: str = "task") -> None:
        self._world = world
        self._what = what if titled else None
        self._current: tuple[str, str] | None = None
        self._decoders = _Decoders()
        self._is_terminal = world.stdout.isatty()

    def show(self, name: str, item: str, stream: str, offset: int, piece: bytes) -> None:
        """The title where another log begins, and the piece."""
        if self._what is not None and (offset == 0 or self._current != (name, stream)):
            of = f" ({printable(item)})" if item else ""
            self._world.print(f"==> {self._what} {name}{of}: {stream} <==")
        self._current = (name, stream)
        if not self._is_terminal:
            self._world.write(piece)
            return
        text = self._decoders.text(name, stream, offset, piece)
        self._world.write("\n".join(map(printable, _lines(text))).encode())

    def finish(self, name: str) -> None:
        """Nothing is held back."""


class Prefixed:
    """Lines of several logs as they come, each behind the name that it is of."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._decoders = _Decoders()
        self._rests: dict[tuple[str, str], str] = {}

    def show(self, name: str, item: str, stream: str, offset: int, piece: bytes) -> None:
        """Every line that is whole."""
        del item
        if offset == 0:
            self._flush(name, stream)
        *whole, rest = _lines(
            self._rests.pop((name, stream), "") + self._decoders.text(name, stream, offset, piece)
        )
        if len(rest) > _LONGEST_LINE:
            whole, rest = [*whole, rest], ""
        for line in whole:
            self._print(name, stream, line)
        if rest:
            self._rests[name, stream] = rest

    def finish(self, name: str) -> None:
        """What has no end of its line."""
        for stream in _MARKS:
            self._flush(name, stream)

    def _flush(self, name: str, stream: str) -> None:
        rest = self._rests.pop((name, stream), "")
        if rest:
            self._print(name, stream, rest)

    def _print(self, name: str, stream: str, line: str) -> None:
        self._world.print(f"{name} {_MARKS[stream]} {printable(line)}")


class Json:
    """An object a piece."""

    def __init__(self, world: World, run: str, *, what: str = "task") -> None:
        self._world = world
        self._run = run
        self._what = what
        self._decoders = _Decoders()

    def show(self, name: str, item: str, stream: str, offset: int, piece: bytes) -> None:
        """One line."""
        del item
        value = {
            "v": VERSION,
            "run": self._run,
            self._what: name,
            "stream": stream,
            "offset": offset,
            "text": self._decoders.text(name, stream, offset, piece),
        }
        self._world.print(json.dumps(value, ensure_ascii=False))

    def finish(self, name: str) -> None:
        """Nothing is held back."""


class _Decoders:
    """Text of pieces that may end within a character; bytes that are no text become `\\xff`."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], codecs.IncrementalDecoder] = {}

    def text(self, name: str, stream: str, offset: int, piece: bytes) -> str:
        """The characters that are whole."""
        if offset == 0 or (name, stream) not in self._open:
            self._open[name, stream] = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        return self._open[name, stream].decode(piece)


def _lines(text: str) -> Iterator[str]:
    """Its lines, and what follows the last end of a line; a line written over counts as one."""
    return iter(_LINE_END.split(text))
