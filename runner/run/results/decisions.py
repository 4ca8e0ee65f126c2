"""What a run does with each task of its plan, and why, in a few bytes for each.

It must not know how that was found out.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from enum import Enum


class Action(Enum):
    """What a run does with a task."""

    RUN = "run"
    SKIP = "skip"
    """What it would do is done, and there."""
    LEAVE = "leave"
    """It was not asked for."""


_ACTIONS = (Action.RUN, Action.SKIP, Action.LEAVE)
_RUN, _SKIP, _LEAVE = range(3)
NEVER_RAN = "it has not run before"


class Decisions:
    """An action and a reason for each task, by their numbers from 1; at first all are to run."""

    def __init__(self, total: int) -> None:
        self._actions = bytearray(total + 1)
        self._reasons = array("L", bytes((total + 1) * array("L").itemsize))
        self._texts = [NEVER_RAN]
        self._numbers = {NEVER_RAN: 0}

    def decide(self, number: int, action: Action, reason: str) -> None:
        """What becomes of a task; the last word counts."""
        self._actions[number] = _ACTIONS.index(action)
        known = self._numbers.get(reason)
        if known is None:
            known = self._numbers[reason] = len(self._texts)
            self._texts.append(reason)
        self._reasons[number] = known

    def __len__(self) -> int:
        """How many tasks there are."""
        return len(self._actions) - 1

    def action(self, number: int) -> Action:
        """What becomes of a task."""
        return _ACTIONS[self._actions[number]]

    def reason(self, number: int) -> str:
        """Why."""
        return self._texts[self._reasons[number]]

    def count(self, action: Action) -> int:
        """How many tasks have this action."""
        return self._actions.count(_ACTIONS.index(action), 1)

    def with_action(self, action: Action) -> Iterator[int]:
        """The tasks that have this action, in order."""
        code = _ACTIONS.index(action)
        number = self._actions.find(code, 1)
        while number >= 0:
            yield number
            number = self._actions.find(code, number + 1)

    def first_to_run(self, first: int, last: int) -> int | None:
        """The first task that runs, of those from `first` to `last`."""
        found = self._actions.find(_RUN, first, last + 1)
        return None if found < 0 else found

    def skipped(self, first: int, last: int) -> Iterator[int]:
        """The tasks from `first` to `last` that are skipped."""
        number = self._actions.find(_SKIP, first, last + 1)
        while number >= 0:
            yield number
            number = self._actions.find(_SKIP, number + 1, last + 1)

    def by_reason(self, action: Action) -> list[tuple[str, int]]:
        """The reasons of an action and how many tasks have each, the most frequent first."""
        code = _ACTIONS.index(action)
        counts: dict[int, int] = {}
        for number in range(1, len(self._actions)):
            if self._actions[number] == code:
                reason = self._reasons[number]
                counts[reason] = counts.get(reason, 0) + 1
        ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        return [(self._texts[reason], count) for reason, count in ordered]
