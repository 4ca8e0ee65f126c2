"""One log that grows, of a task or a node: how much of it was shown, and what is new.

It must not know where logs are, nor how they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runner.cli.log_output import LogOutput

PIECE_BYTES = 1024 * 1024


class GrowingLog:
    """One stream of a task or a node."""

    def __init__(self, name: str, stream: str, output: LogOutput) -> None:
        """`name` is of the task or the node."""
        self.stream = stream
        self._name = name
        self._output = output
        self.shown = 0
        """Up to here it was shown, in bytes."""

    def read(self, size: int, read: Callable[[int, int], bytes | None]) -> None:
        """Shows what is new of a file that has `size` bytes now; `read` takes start and length."""
        if size < self.shown:
            # It was begun anew.
            self.shown = 0
        while self.shown < size:
            piece = read(self.shown, min(PIECE_BYTES, size - self.shown))
            if not piece:
                break
            self.show((piece,))

    def show(self, pieces: Iterable[bytes]) -> None:
        """What follows that which was shown."""
        for piece in pieces:
            self._output.show(self._name, "", self.stream, self.shown, piece)
            self.shown += len(piece)
