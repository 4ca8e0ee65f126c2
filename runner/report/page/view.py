"""All that the page of a run shows, as one value.

It must not know how any of it is found or shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from runner.frozen import dataclass
from runner.report.cost import Cost
from runner.report.fold import Report
from runner.report.lanes import Lane
from runner.report.trace import TaskRow, TaskState, Trace
from runner.run.records.record import RunRecord
from runner.run.records.standing import Standing

MOST_TASKS = 20_000
"""Of a run with more the page has those that failed, others that did not succeed, and the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """A run, as it was seen at `made`."""

    record: RunRecord
    standing: Standing
    report: Report
    trace: Trace
    lanes: Sequence[Lane]
    cost: Cost
    plan: Mapping[str, Any] | None
    """What the plan says of the run as a whole."""
    spec: str | None
    """The text of the spec as it was."""
    scripts: Mapping[str, str]
    """Commands of tasks that failed, by their ids."""
    again: str | None
    """The command line that would make the run once more, None where it is not known."""
    made: datetime

    @property
    def goes_on(self) -> bool:
        """Whether more may become of the run without anybody's doing."""
        return self.standing in _GO_ON


_GO_ON = frozenset({Standing.DRIVEN, Standing.DETACHED, Standing.NOT_AWAITED})


def tasks_shown(trace: Trace, most: int) -> Sequence[TaskRow]:
    """At most so many tasks in the order of their ids: those that failed before any others."""
    if len(trace.tasks) <= most:
        return trace.tasks
    chosen = sorted(trace.tasks, key=_rank)[:most]
    return sorted(chosen, key=lambda row: int(row.id))


def all_hidden_are_fine(trace: Trace, shown: Sequence[TaskRow]) -> bool:
    """Whether all that are not among those shown have succeeded, in this run or an earlier one."""
    # These come last where there is not room for all.
    return sum(not _is_fine(row) for row in trace.tasks) <= len(shown)


def _rank(row: TaskRow) -> int:
    return 0 if row.state is TaskState.FAILED else 1 + _is_fine(row)


def _is_fine(row: TaskRow) -> bool:
    return row.state in _FINE


_FINE = frozenset({TaskState.SUCCEEDED, TaskState.SKIPPED})
