"""Data on its way to standard output, on a thread of its own.

A reader that pauses (`| less`) must not keep the run from watching, nor from its cleanup.
It knows nothing of what is printed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from runner.cli.world import World

_LOOK_SECONDS = 0.1

Pieces = Callable[[], Iterable[bytes]]
"""Makes the data when its turn has come, a piece at a time."""


class Printer:
    """Writes in the order of `put`, from whatever thread that comes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: SimpleQueue[Pieces | None] = SimpleQueue()
        self._dropped = False
        self._thread = threading.Thread(target=self._write, name="printer", daemon=True)
        self._thread.start()

    def put(self, pieces: Pieces) -> None:
        """Will be written; returns at once."""
        self._waiting.put(pieces)

    def finish(self, is_stopped: Callable[[], bool]) -> None:
        """Returns when all is written; what is left is dropped once `is_stopped`."""
        self._waiting.put(None)
        while self._thread.is_alive():
            self._thread.join(_LOOK_SECONDS)
            if is_stopped():
                self._dropped = True
                self._thread.join(_LOOK_SECONDS)
                return

    def _write(self) -> None:
        while (pieces := self._waiting.get()) is not None:
            for piece in () if self._dropped else pieces():
                if not self._dropped:
                    self._world.write(piece)
