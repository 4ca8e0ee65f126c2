"""What goes on in a run just now: which tasks run where, and how far each phase is.

It knows nothing of how it is shown; the events, and what their report counts, are all there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from runner.frozen import dataclass
from runner.report.fold import Report
from runner.run.events import (
    Event,
    RunStarted,
    TaskFinished,
    TaskRetried,
    TaskStarted,
)

READY = frozenset({"idle", "running"})
"""States of a node that takes tasks."""


class Phase(Enum):
    """The parts of a run, by the words that people see."""

    INPUTS = "inputs up"
    POOL = "pool"
    TASKS = "tasks"
    OUTPUTS = "outputs down"
    CLEANUP = "clean-up"


class Stand(Enum):
    """How a phase stands."""

    TO_COME = "to come"
    NOW = "now"
    DONE = "done"
    BROKEN_OFF = "broken off"
    """It did not come to its end, and will not."""


class Running(NamedTuple):
    """Where an attempt runs, and since when."""

    node: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What runs now, and how many tasks have ended and are not home."""

    running: Mapping[str, Running]
    """By task, those that began last first."""
    busy: Mapping[str, int]
    """How many of them a node has."""
    coming_home: int


class Activity:
    """Of one run. A few words of memory for each task that runs, none for those that have ended."""

    def __init__(self) -> None:
        self.started = 0
        """Attempts that were seen to begin."""
        self._running: dict[str, Running] = {}

    def add(self, event: Event) -> None:
        """Takes one more event in."""
        match event:
            case TaskStarted():
                self.started += 1
                self._running[event.task] = Running(event.node, event.at)
            case TaskFinished() | TaskRetried():
                self._running.pop(event.task, None)
            case RunStarted():
                self._running.clear()
                self.started = 0
            case _:
                pass

    def work(self, *, slots: int | None, coming_home: int = 0) -> Work:
        """What runs now, as far as it is known.

        That a task has ended is told once it is home. Where a node has more than its `slots`, those
        that began first have; `coming_home` is how many have, where somebody counts them.
        """
        told = dict(self._running)
        running: dict[str, Running] = {}
        busy: dict[str, int] = {}
        for task, each in reversed(told.items()):
            if each.node is not None:
                count = busy.get(each.node, 0)
                if slots is not None and count >= slots:
                    continue
                busy[each.node] = count + 1
            running[task] = each
        while running and len(told) - len(running) < coming_home:
            _, oldest = running.popitem()
            if oldest.node is not None:
                busy[oldest.node] -= 1
        return Work(running=running, busy=busy, coming_home=len(told) - len(running))


def find_phases(
    report: Report,
    activity: Activity,
    work: Work,
    *,
    is_fetching: bool = False,
    is_ending: bool = False,
) -> dict[Phase, Stand]:
    """How far each part of a run is.

    `is_fetching` while a file is on its way down, `is_ending` once the run is known to take away
    what it has made.
    """
    done = report.succeeded + len(report.failures)
    total = report.tasks - report.left_out
    is_over = bool(report.has_begun) and done >= total
    is_ending = is_ending or is_over or report.cleaned or report.exit_code is not None
    ready = sum(state in READY for state in tuple(report.nodes.values()))
    stands = {
        Phase.INPUTS: _stand(
            begun=report.has_begun,
            done=has_inputs(report) and (report.job is not None or is_over),
        ),
        Phase.POOL: _stand(begun=report.job is not None, done=_has_nodes(report, ready)),
        Phase.TASKS: _stand(
            begun=activity.started > 0 or done > report.skipped,
            done=is_over or (done + work.coming_home >= total and activity.started > 0),
        ),
        Phase.OUTPUTS: _stand(
            # Tasks may end without leaving anything.
            begun=is_fetching or report.downloaded_files > 0 or (is_over and done > report.skipped),
            done=is_over,
        ),
    }
    if is_ending:
        # What there was of inputs and nodes was enough, where all tasks have ended.
        last = Stand.DONE if is_over else Stand.BROKEN_OFF
        stands = {phase: last if stand is Stand.NOW else stand for phase, stand in stands.items()}
    stands[Phase.CLEANUP] = _stand(begun=is_ending, done=report.exit_code is not None)
    return stands


def has_inputs(report: Report) -> bool:
    """Whether all files are up that somebody wants: those of tasks that do not run stay here."""
    wanted = report.tasks - report.left_out - report.skipped
    is_fed = report.job is not None and wanted > 0 and report.added >= wanted
    return report.files_there >= report.files or is_fed


def _has_nodes(report: Report, ready: int) -> bool:
    pool = report.pool_change
    return pool is not None and ready >= max(1, pool.target_dedicated + pool.target_spot)


def _stand(*, begun: bool, done: bool) -> Stand:
    if done and begun:
        return Stand.DONE
    return Stand.NOW if begun else Stand.TO_COME
