"""What is still to come of all jobs if nobody asks for anything more.

It must not know who may ask, nor what follows from the answer.
"""

from __future__ import annotations

from enum import Enum

from runner.emulator.batch.core.job import JobState
from runner.emulator.batch.core.schedule import ScheduleState
from runner.emulator.batch.core.state import State


class Outlook(Enum):
    """Of all jobs together, the first that holds of: at work, at rest, ended, empty."""

    AT_WORK = "at work"
    """Something runs, will run, or changes by itself."""
    AT_REST = "at rest"
    """A job has not ended, and nothing will become of it by itself before its time is over."""
    ENDED = "ended"
    """There are jobs, and all of them have ended."""
    EMPTY = "empty"
    """There is no job."""


_CHANGING = frozenset(
    {JobState.DISABLING, JobState.ENABLING, JobState.TERMINATING, JobState.DELETING}
)
_BUSY_SCHEDULES = frozenset({ScheduleState.TERMINATING, ScheduleState.DELETING})


def find_outlook(state: State) -> Outlook:
    """The outlook now; takes time by the number of jobs, and not of their tasks."""
    if any(run.job is not None for run in state.runs.values()):
        return Outlook.AT_WORK
    outlook = Outlook.EMPTY
    for schedule in state.store.schedules:
        is_due = schedule.state is ScheduleState.ACTIVE and schedule.next_due is not None
        if is_due or schedule.state in _BUSY_SCHEDULES:
            return Outlook.AT_WORK
    for job in state.store.jobs:
        is_active = job.state is JobState.ACTIVE
        if job.state in _CHANGING or (is_active and state.store.tasks(job.id).any_ready):
            return Outlook.AT_WORK
        if job.state is not JobState.COMPLETED:
            outlook = Outlook.AT_REST
        elif outlook is Outlook.EMPTY:
            outlook = Outlook.ENDED
    return outlook
