"""A job schedule as the emulator remembers it.

It must not know how it is shown, nor jobs.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, PoolId, ScheduleId
from runner.emulator.batch.core.job import JobDraft
from runner.emulator.storage.record import record


class ScheduleState(Enum):
    """`state` of a job schedule."""

    ACTIVE = "active"
    COMPLETED = "completed"
    DISABLED = "disabled"
    TERMINATING = "terminating"
    DELETING = "deleting"


@record(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When jobs are made: None is at once, never too late, and once."""

    not_until: datetime | None
    not_after: datetime | None
    window: timedelta | None
    interval: timedelta | None


@record(frozen=True, slots=True, kw_only=True)
class JobSchedule:
    """One schedule; `last_due` is the latest time for which a job was made, or was not."""

    id: ScheduleId
    document: Document
    recurrence: Recurrence
    job: JobDraft
    created: datetime
    modified: datetime
    state: ScheduleState
    state_time: datetime
    previous_state: ScheduleState | None = None
    previous_state_time: datetime | None = None
    last_due: datetime | None = None
    jobs_made: int = 0
    recent_job: JobId | None = None
    pool: PoolId | None = None
    """The auto-pool that all jobs of the schedule share, once there is one."""
    ended: datetime | None = None

    @property
    def next_due(self) -> datetime | None:
        """When the next job is to be made; None where there will be none."""
        first = self.created
        if self.last_due is not None:
            if self.recurrence.interval is None:
                return None
            first = self.last_due + self.recurrence.interval
        due = max(first, self.recurrence.not_until or first)
        over = self.recurrence.not_after is not None and due > self.recurrence.not_after
        return None if over else due
