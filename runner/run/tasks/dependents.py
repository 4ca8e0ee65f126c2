"""Which tasks wait for which, and which of them will never run.

The service blocks a task that needs one which failed, for good and without a word, so a run has to
find out by itself. Numbers are those that the tasks' ids are; a task needs only lower ones. It must
not know why a task lets others run, nor what is said of those that never do.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterator

from runner.frozen import dataclass
from runner.plan.model import TaskPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A task that will never run: it needs `need`, and `culprit` is the task that failed.

    The two are one where the needed task itself failed.
    """

    number: int
    need: int
    culprit: int


class Dependents:
    """What the tasks of one run wait for, in some bytes each.

    `note` may be called from another thread than the rest.
    """

    def __init__(self, total: int) -> None:
        self._lock = threading.Lock()
        # Three columns of one table, in the order of the tasks: whose need, and its first and last.
        self._owners = array("L")
        self._firsts = array("L")
        self._lasts = array("L")
        self._judged = 0
        self._dead = bytearray(total + 1)
        self._culprits = array("L")
        self._lowest_new: int | None = None

    def note(self, task: TaskPlan) -> None:
        """Remembers what a task needs; tasks come in the order of their numbers."""
        if not task.needs:
            return
        with self._lock:
            for needed in task.needs:
                self._owners.append(int(task.id))
                self._firsts.append(needed.first)
                self._lasts.append(needed.last)

    def fail(self, number: int) -> None:
        """A task has ended in a way that lets no task run that needs it."""
        if not self._culprits:
            self._culprits = array("L", bytes(len(self._dead) * self._culprits.itemsize))
        self._dead[number] = 1
        if self._lowest_new is None or number < self._lowest_new:
            self._lowest_new = number

    def is_blocked(self, number: int) -> bool:
        """Whether the task was found to be blocked."""
        return bool(self._culprits) and self._culprits[number] != 0

    def judge(self) -> tuple[Blocked, ...]:
        """The tasks that are newly known to never run, in the order of their numbers."""
        if not self._culprits:
            return ()
        with self._lock:
            noted = len(self._owners)
        start = self._judged
        if self._lowest_new is not None:
            start = min(start, bisect_right(self._owners, self._lowest_new, 0, noted))
        self._judged, self._lowest_new = noted, None
        return tuple(self._blocked(start, noted))

    def _blocked(self, start: int, end: int) -> Iterator[Blocked]:
        """One pass is enough, since needs only point to lower numbers."""
        dead, culprits = self._dead, self._culprits
        seen, found = (0, 0), -1
        for index in range(start, end):
            number = self._owners[index]
            if dead[number]:
                continue
            needed = (self._firsts[index], self._lasts[index])
            if needed != seen:
                # Tasks of one step often need the same: all of another.
                seen, found = needed, dead.find(1, needed[0], needed[1] + 1)
            if found < 0:
                continue
            culprit = culprits[found] or found
            dead[number], culprits[number] = 1, culprit
            yield Blocked(number=number, need=found, culprit=culprit)
