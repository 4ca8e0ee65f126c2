"""What is due, and when: the moments at which something changes by itself.

It must not know what happens then; an entry whose cause is gone by then does no harm.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, ScheduleId, TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolDue:
    """Look at the pool: a transient state of it is over."""

    pool: PoolId


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDue:
    """Look at the node: a transient state of it is over."""

    pool: PoolId
    node: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDue:
    """Look at the job: a transient state of it or its wall time is over."""

    job: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDue:
    """Look at the task: the time for which its files are kept is over."""

    job: JobId
    task: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDue:
    """Take a sample of the pool that was created then."""

    pool: PoolId
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleDue:
    """Evaluate the formula that the pool has since then."""

    pool: PoolId
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDue:
    """Give the pool's nodes work."""

    pool: PoolId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDue:
    """Look at the job schedule: a job of it may be due, or it may be over."""

    schedule: ScheduleId


Due: TypeAlias = PoolDue | NodeDue | JobDue | TaskDue | SampleDue | ScaleDue | WorkDue | ScheduleDue


class Agenda:
    """A queue by time; entries of one moment come in the order of their making."""

    def __init__(self) -> None:
        self._entries: list[tuple[datetime, int, Due]] = []
        self._made = 0

    def add(self, when: datetime, due: Due) -> None:
        """Notes that something is due."""
        self._made += 1
        heapq.heappush(self._entries, (when, self._made, due))

    def pop(self, now: datetime) -> Due | None:
        """The next entry that is due by now."""
        if self._entries and self._entries[0][0] <= now:
            return heapq.heappop(self._entries)[2]
        return None

    def next_moment(self) -> datetime | None:
        """When the next entry is due."""
        return self._entries[0][0] if self._entries else None
