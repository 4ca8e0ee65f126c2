"""Which tasks of a job still wait for others: kept up as tasks end, never searched.

It must not know why an end satisfies (`exits` does), nor the states of tasks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from runner.emulator.batch.core.ids import Key, key_of
from runner.emulator.batch.core.stabbing import Bounds, StabbingIndex
from runner.emulator.batch.core.task import Dependencies


@dataclass(slots=True, kw_only=True)
class _OpenRange:
    """A range of ids of which some are missing, for all tasks that wait for the whole of it."""

    missing: int
    dependents: dict[Key, None] = field(default_factory=dict)


class DependencyIndex:
    """The open dependencies of one job's tasks.

    In ranges an id counts by its value: leading zeros do not matter, and the first task with that
    value to satisfy does so for all of them (REST reference, `taskIdRanges`).
    """

    def __init__(self) -> None:
        self._satisfied: set[Key] = set()
        self._numbers: list[int] = []
        """The values of the ids that are satisfied, in their order."""
        self._open: dict[Key, int] = {}
        """How many ids and ranges a task waits for."""
        self._by_id: dict[Key, dict[Key, None]] = {}
        self._by_range: dict[Bounds, _OpenRange] = {}
        self._ranges = StabbingIndex()

    def blocks(self, key: Key) -> bool:
        """Whether the task still waits for another."""
        return key in self._open

    def add(self, key: Key, depends_on: Dependencies) -> None:
        """Notes what a new task waits for."""
        ids = {key_of(identifier) for identifier in depends_on.ids} - self._satisfied
        for other in ids:
            self._by_id.setdefault(other, {})[key] = None
        waiting = len(ids)
        for bounds in set(depends_on.ranges):
            opened = self._by_range.get(bounds) or self._open_range(bounds)
            if opened is not None:
                opened.dependents[key] = None
                waiting += 1
        if waiting:
            self._open[key] = waiting

    def _open_range(self, bounds: Bounds) -> _OpenRange | None:
        """None where nothing of it is missing."""
        start, end = bounds
        there = bisect_right(self._numbers, end) - bisect_left(self._numbers, start)
        missing = end - start + 1 - there
        if missing <= 0:
            return None
        opened = self._by_range[bounds] = _OpenRange(missing=missing)
        self._ranges.add(bounds)
        return opened

    def satisfy(self, key: Key) -> tuple[Key, ...]:
        """Notes a task that lets others run; gives those that wait for nothing more."""
        if key in self._satisfied:
            return ()
        self._satisfied.add(key)
        freed: list[Key] = []
        self._release(self._by_id.pop(key, {}), freed)
        number = _number(key)
        if number is not None and not self._has(number):
            insort(self._numbers, number)
            for bounds in self._ranges.around(number):
                opened = self._by_range[bounds]
                opened.missing -= 1
                if not opened.missing:
                    self._close_range(bounds)
                    self._release(opened.dependents, freed)
        return tuple(freed)

    def remove(self, key: Key, depends_on: Dependencies) -> None:
        """Forgets a deleted task as a waiting one; what it satisfied stays so."""
        if self._open.pop(key, None) is None:
            return
        for other in {key_of(identifier) for identifier in depends_on.ids}:
            dependents = self._by_id.get(other)
            if dependents is not None:
                dependents.pop(key, None)
                if not dependents:
                    del self._by_id[other]
        for bounds in set(depends_on.ranges):
            opened = self._by_range.get(bounds)
            if opened is not None:
                opened.dependents.pop(key, None)
                if not opened.dependents:
                    self._close_range(bounds)

    def _close_range(self, bounds: Bounds) -> None:
        del self._by_range[bounds]
        self._ranges.remove(bounds)

    def _release(self, dependents: dict[Key, None], freed: list[Key]) -> None:
        for dependent in dependents:
            left = self._open[dependent] - 1
            if left:
                self._open[dependent] = left
            else:
                del self._open[dependent]
                freed.append(dependent)

    def _has(self, number: int) -> bool:
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number


def _number(key: Key) -> int | None:
    return int(key) if key.isascii() and key.isdigit() else None
