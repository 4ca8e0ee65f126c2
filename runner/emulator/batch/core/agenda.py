"""What is due, and when: the moments at which something changes by itself.

It must not know what happens then; an entry whose cause is gone by then does no harm.
"""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, ScheduleId, TaskId
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class PoolDue:
    """Look at the pool: a transient state of it is over."""

    pool: PoolId


@record(frozen=True, slots=True, kw_only=True)
class NodeDue:
    """Look at the node: a transient state of it is over."""

    pool: PoolId
    node: NodeId


@record(frozen=True, slots=True, kw_only=True)
class JobDue:
    """Look at the job: a transient state of it or its wall time is over."""

    job: JobId


@record(frozen=True, slots=True, kw_only=True)
class TaskDue:
    """Look at the task: the time for which its files are kept is over."""

    job: JobId
    task: TaskId


@record(frozen=True, slots=True, kw_only=True)
class SampleDue:
    """Take a sample of the pool that was created then."""

    pool: PoolId
    created: datetime


@record(frozen=True, slots=True, kw_only=True)
class ScaleDue:
    """Evaluate the formula that the pool has since then."""

    pool: PoolId
    since: datetime


@record(frozen=True, slots=True, kw_only=True)
class WorkDue:
    """Give the pool's nodes work."""

    pool: PoolId


@record(frozen=True, slots=True, kw_only=True)
class ScheduleDue:
    """Look at the job schedule: a job of it may be due, or it may be over."""

    schedule: ScheduleId


Due: TypeAlias = PoolDue | NodeDue | JobDue | TaskDue | SampleDue | ScaleDue | WorkDue | ScheduleDue


_LONG_RETENTION = timedelta(hours=1)
_TOGETHER = timedelta(seconds=30)
_SOME_MOMENT = datetime(2000, 1, 1, tzinfo=timezone.utc)


class _Crowd:
    """Tasks whose files go at one moment: the names of the job and of the task, in turns."""

    __slots__ = ("names",)

    def __init__(self) -> None:
        self.names: list[str] = []


class Agenda:
    """A queue by time; entries of one moment come in the order of their making."""

    def __init__(self) -> None:
        self._entries: list[tuple[datetime, int, Due | _Crowd]] = []
        self._crowds: dict[datetime, _Crowd] = {}
        self._made = 0

    def add(self, when: datetime, due: Due) -> None:
        """Notes that something is due."""
        self._made += 1
        heapq.heappush(self._entries, (when, self._made, due))

    def add_retention(self, ended: datetime, retention: timedelta, due: TaskDue) -> None:
        """Notes when the files of a task that ended have been kept for long enough.

        There is one such entry for every task, and nobody waits for it: where the time is long,
        those of about the same moment are kept together.
        """
        when = ended + retention
        if retention < _LONG_RETENTION:
            self.add(when, due)
            return
        when += _TOGETHER - (when - _SOME_MOMENT) % _TOGETHER
        crowd = self._crowds.get(when)
        if crowd is None:
            crowd = self._crowds[when] = _Crowd()
            self._made += 1
            heapq.heappush(self._entries, (when, self._made, crowd))
        crowd.names += (due.job, due.task)

    def pop(self, now: datetime) -> Due | None:
        """The next entry that is due by now."""
        while self._entries and self._entries[0][0] <= now:
            due = self._entries[0][2]
            if not isinstance(due, _Crowd):
                heapq.heappop(self._entries)
                return due
            if due.names:
                task, job = due.names.pop(), due.names.pop()
                return TaskDue(job=JobId(job), task=TaskId(task))
            del self._crowds[heapq.heappop(self._entries)[0]]
        return None

    def next_moment(self) -> datetime | None:
        """When the next entry is due."""
        return self._entries[0][0] if self._entries else None
