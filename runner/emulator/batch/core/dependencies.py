"""Which tasks of a job still wait for others: kept up as tasks end, never searched.

It must not know why an end satisfies (`exits` does), nor the states of tasks.
"""

from __future__ import annotations

from collections import defaultdict

from runner.emulator.batch.core.ids import Key, key_of
from runner.emulator.batch.core.task import Dependencies


class DependencyIndex:
    """The open dependencies of one job's tasks.

    In ranges an id counts by its value: leading zeros do not matter, and the first task with that
    value to satisfy does so for all of them (REST reference, `taskIdRanges`).
    """

    def __init__(self) -> None:
        self._satisfied: set[Key] = set()
        self._satisfied_numbers: set[int] = set()
        self._open: dict[Key, int] = {}
        self._by_id: defaultdict[Key, list[Key]] = defaultdict(list)
        self._ranges: list[tuple[int, int, Key]] = []

    def blocks(self, key: Key) -> bool:
        """Whether the task still waits for another."""
        return key in self._open

    def add(self, key: Key, depends_on: Dependencies) -> None:
        """Notes what a new task waits for."""
        ids = {key_of(identifier) for identifier in depends_on.ids} - self._satisfied
        for other in ids:
            self._by_id[other].append(key)
        waiting = len(ids)
        for start, end in depends_on.ranges:
            missing = end - start + 1 - self._satisfied_within(start, end)
            if missing:
                self._ranges.append((start, end, key))
                waiting += missing
        if waiting:
            self._open[key] = waiting

    def satisfy(self, key: Key) -> tuple[Key, ...]:
        """Notes a task that lets others run; gives those that wait for nothing more."""
        freed: list[Key] = []
        if key not in self._satisfied:
            self._satisfied.add(key)
            for dependent in self._by_id.pop(key, ()):
                self._release(dependent, freed)
        number = _number(key)
        if number is not None and number not in self._satisfied_numbers:
            self._satisfied_numbers.add(number)
            for start, end, dependent in tuple(self._ranges):
                if start <= number <= end:
                    self._release(dependent, freed)
        if freed:
            gone = set(freed)
            self._ranges = [entry for entry in self._ranges if entry[2] not in gone]
        return tuple(freed)

    def remove(self, key: Key) -> None:
        """Forgets a deleted task as a waiting one; what it satisfied stays so."""
        if self._open.pop(key, None) is not None:
            self._ranges = [entry for entry in self._ranges if entry[2] != key]
            for dependents in self._by_id.values():
                if key in dependents:
                    dependents.remove(key)

    def _release(self, dependent: Key, freed: list[Key]) -> None:
        left = self._open.get(dependent)
        if left is None:
            return
        if left > 1:
            self._open[dependent] = left - 1
        else:
            del self._open[dependent]
            freed.append(dependent)

    def _satisfied_within(self, start: int, end: int) -> int:
        if end - start < len(self._satisfied_numbers):
            return sum(n in self._satisfied_numbers for n in range(start, end + 1))
        return sum(start <= n <= end for n in self._satisfied_numbers)


def _number(key: Key) -> int | None:
    return int(key) if key.isascii() and key.isdigit() else None
