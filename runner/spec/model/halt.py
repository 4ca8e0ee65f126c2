"""When a run stops early: the spec's `halt`, as values.

It knows nothing of how failures are seen or told apart.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from math import ceil

from runner.frozen import dataclass


class HaltWhen(Enum):
    """What becomes of the tasks that run when a run stops early."""

    SOON = "soon"
    """They go on to their end, and come home."""
    NOW = "now"
    """They are ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of all tasks, as the spec writes it: `10%`."""

    text: str

    def of(self, total: int) -> int:
        """The least whole number of tasks that is this much of them: 10% of 101 are 11."""
        return max(1, ceil(Fraction(self.text.rstrip("%")) * total / 100))


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """`after` failed tasks, `same_failure` ones of a kind, or one of the first `canary` ones.

    `after` None means: however many fail. `same_failure` 0 means the same, and None that the run
    decides: by a number of its own, and only as long as nothing has succeeded.
    """

    after: int | Share | None = None
    when: HaltWhen = HaltWhen.SOON
    same_failure: int | None = None
    canary: int = 0

    def most_failures(self, total: int) -> int | None:
        """How many failures of `total` tasks stop the run, None where no number does."""
        return self.after.of(total) if isinstance(self.after, Share) else self.after
