"""Worlds of tests: a folder, and streams that can be read again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import Buffer, override

from runner.cli.world import World
from runner.run.clock import Clock
from tests.fakes.services import NOW


class Memory(io.RawIOBase):
    """A stream that keeps what is written to it."""

    def __init__(self) -> None:
        self.content = b""

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Buffer, /) -> int:
        piece = bytes(data)
        self.content += piece
        return len(piece)


class Terminal(io.StringIO):
    """A stream that somebody sits at."""

    @override
    def isatty(self) -> bool:
        return True

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Keeps what is seen: nothing here shows what is typed."""
        yield


def make_world(folder: Path) -> tuple[World, Memory, io.StringIO]:
    """A world in `folder` with an empty environment, and its two streams."""
    stdout, stderr = Memory(), io.StringIO()
    world = World(
        environ={},
        working_directory=folder,
        stdout=stdout,
        stderr=stderr,
        clock=Clock(now=lambda: NOW, monotonic=lambda: 0.0, wait=lambda stop, seconds: None),
    )
    return world, stdout, stderr


def make_terminal(folder: Path, typed: str) -> tuple[World, Terminal]:
    """A world in which somebody types, and what they see."""
    world, _, _ = make_world(folder)
    world.stderr = screen = Terminal()
    world.stdin = Terminal(typed)
    return world, screen
