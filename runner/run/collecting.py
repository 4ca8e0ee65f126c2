"""Brings tasks home on threads of its own: several are fetched at a time, and land together.

It must not know what is fetched of a task, nor who waits for it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from runner.run.crew import Hands
from runner.run.homecoming import Homecoming
from runner.run.services import TaskStatus
from runner.run.transfers.outputs import Collector, Haul

# Of files: all that were fetched and have not landed are open, and some systems allow 256.
_TOGETHER = 32
# Behind so many that wait to land, nothing more is fetched.
_MOST_WAITING = 64

Told = Callable[[], int]
"""Tells the ends of tasks that left nothing, and gives how many of them count as failed."""


class Collecting:
    """The collecting of one run; used by one thread, and ended by `close`."""

    def __init__(self, collector: Collector, home: Homecoming, *, hear: Callable[[], None]) -> None:
        """`hear` is called, by any thread, after tasks have come home."""
        self._collector = collector
        self._home = home
        self._hear = hear
        self._hands: Hands[TaskStatus | Told] = Hands(
            collector.at_once, name="collect", work=self._bring
        )
        self._hauls: deque[Haul] = deque()
        self._landing = threading.Lock()

    def collect(self, status: TaskStatus) -> None:
        """Brings a task home that has ended."""
        self._put(status)

    def tell(self, told: Told) -> None:
        """Has the ends of tasks told in their turn."""
        self._put(told)

    def cancel(self) -> None:
        """What is not begun is not expected any more."""
        for _ in range(self._hands.cancel()):
            self._home.miss(None)

    def close(self) -> None:
        """Returns when what is under way has come home, and what is not begun is cancelled."""
        self.cancel()
        self._hands.close()
        self._collector.close()

    def _put(self, wanted: TaskStatus | Told) -> None:
        self._home.expect()
        self._hands.give(wanted)

    def _bring(self, wanted: TaskStatus | Told) -> None:
        if isinstance(wanted, TaskStatus):
            self._fetch(wanted)
        else:
            self._tell(wanted)

    def _tell(self, told: Told) -> None:
        try:
            failed = told()
        except BaseException as error:  # noqa: BLE001 - raised where the run is driven
            self._home.miss(error)
        else:
            self._home.arrive(failed=failed)

    def _fetch(self, status: TaskStatus) -> None:
        try:
            haul = self._collector.collect(status)
        except BaseException as error:  # noqa: BLE001 - raised where the run is driven
            self._home.miss(error)
            return
        self._hauls.append(haul)
        waits = sum(map(_count_files, tuple(self._hauls))) >= _MOST_WAITING
        # One thread lands what others have fetched meanwhile; they go on with the next.
        while self._hauls and self._landing.acquire(blocking=waits):
            try:
                self._land()
            finally:
                self._landing.release()

    def _land(self) -> None:
        hauls: list[Haul] = []
        files = 0
        while self._hauls and files < _TOGETHER:
            haul = self._hauls.popleft()
            hauls.append(haul)
            files += _count_files(haul)
        try:
            outcomes = self._collector.land(hauls)
        except BaseException as error:  # noqa: BLE001 - raised where the run is driven
            for _ in hauls:
                self._home.miss(error)
            return
        for outcome in outcomes:
            if isinstance(outcome, bool):
                self._home.arrive(succeeded=int(outcome), failed=int(not outcome))
            else:
                self._home.miss(outcome)
        self._hear()


def _count_files(haul: Haul) -> int:
    """At least one: a task that has left nothing is told of as well."""
    return max(len(haul.files), 1)
