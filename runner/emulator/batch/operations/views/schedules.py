"""How job schedules are shown.

It must not know how a list or a single one is wrapped.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core.ids import ScheduleId
from runner.emulator.batch.core.schedule import JobSchedule, ScheduleState
from runner.emulator.batch.operations.views.entities import job_url
from runner.emulator.batch.operations.wire import etag_of, format_moment


def schedule_url(endpoint: str, schedule: ScheduleId) -> str:
    """Where a job schedule is found."""
    return f"{endpoint}/jobschedules/{schedule}"


def show_schedule(endpoint: str, schedule: JobSchedule) -> dict[str, Any]:
    """A job schedule."""
    document = schedule.document
    shown: dict[str, Any] = {"id": schedule.id}
    if "displayName" in document:
        shown["displayName"] = document["displayName"]
    shown |= {
        "url": schedule_url(endpoint, schedule.id),
        "eTag": etag_of(schedule.modified),
        "lastModified": format_moment(schedule.modified),
        "creationTime": format_moment(schedule.created),
        "state": schedule.state.value,
        "stateTransitionTime": format_moment(schedule.state_time),
    }
    if schedule.previous_state is not None and schedule.previous_state_time is not None:
        shown["previousState"] = schedule.previous_state.value
        shown["previousStateTransitionTime"] = format_moment(schedule.previous_state_time)
    shown["schedule"] = document["schedule"]
    shown["jobSpecification"] = document["jobSpecification"]
    shown["executionInfo"] = _execution(endpoint, schedule)
    if "metadata" in document:
        shown["metadata"] = document["metadata"]
    return shown


def _execution(endpoint: str, schedule: JobSchedule) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    due = schedule.next_due
    if due is not None and schedule.state is ScheduleState.ACTIVE:
        shown["nextRunTime"] = format_moment(due)
    if schedule.recent_job is not None:
        url = job_url(endpoint, schedule.recent_job)
        shown["recentJob"] = {"url": url, "id": schedule.recent_job}
    if schedule.ended is not None:
        shown["endTime"] = format_moment(schedule.ended)
    return shown
