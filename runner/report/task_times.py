"""How long tasks ran and how often they were begun, where a task may be told to have ended twice.

It must not know what the tasks do; it remembers two numbers a task.
"""

from __future__ import annotations

from array import array
from datetime import datetime

from runner.run.events import TaskRetried


class TaskTimes:
    """Sums over all tasks that have ended, and over the attempts before; the last word counts."""

    def __init__(self) -> None:
        self.attempts = 0
        """How often tasks that have ended were begun; those that were skipped were not."""
        self._retried_seconds = 0.0
        self._seconds = array("d")
        self._attempts = array("L")

    @property
    def seconds(self) -> float:
        """How long attempts took together, of all that told when they began and ended."""
        return self._retried_seconds + sum(self._seconds)

    def add_attempt(self, attempt: TaskRetried) -> None:
        """An attempt has ended that is followed by another."""
        self._retried_seconds += seconds_between(attempt.started, attempt.at)

    def add_end(self, number: int, *, attempts: int, seconds: float) -> None:
        """A task has ended, for the first time or again; one that did not run has no attempts."""
        missing = number + 1 - len(self._seconds)
        if missing > 0:
            for numbers in (self._seconds, self._attempts):
                numbers.frombytes(bytes(numbers.itemsize * missing))
        self.attempts += attempts - self._attempts[number]
        self._attempts[number] = attempts
        self._seconds[number] = seconds


def seconds_between(began: datetime | None, ended: datetime | None) -> float:
    """How long it took, in seconds; 0 where that is not known."""
    if began is None or ended is None:
        return 0.0
    return max(0.0, (ended - began).total_seconds())
