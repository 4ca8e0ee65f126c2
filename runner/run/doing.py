"""What a run is at between two events: written by the run, read by whoever shows it.

It must not know who reads it, nor when; nothing follows from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable


def _none() -> int:
    return 0


def _nobody(step: str) -> None:
    """Where nobody listens."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Doing:
    """A run's present step in words, empty while its events say enough."""

    step: str = ""
    is_ending: bool = False
    """The run takes away what it has made, or says what is left."""
    coming_home: Callable[[], int] = _none
    """How many tasks have ended whose end is not told yet."""
    hear: Callable[[str], None] = _nobody
    """Is told each step as it begins."""

    def begin(self, step: str) -> None:
        """The run is at something else now."""
        self.step = step
        self.hear(step)

    def end(self, step: str) -> None:
        """As `begin`, where it is part of the run's end."""
        self.is_ending = True
        self.begin(step)
