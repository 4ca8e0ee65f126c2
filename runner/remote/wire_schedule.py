"""The body of a job schedule, as the REST reference (2025-06-01) names things.

A pure function of the request; it must not know the SDK, nor what the service answers.
"""

from __future__ import annotations

from typing import Any

from runner.remote.wire import job_body, task_body
from runner.remote.wire_parts import duration, pairs
from runner.run.events import format_moment
from runner.run.services import ScheduleRequest
from runner.spec.model.workload import Schedule


def schedule_body(request: ScheduleRequest) -> dict[str, Any]:
    """The body of `POST /jobschedules`: a job for each time, which its one task ends."""
    job = job_body(request.job)
    # The service names the jobs itself: `<schedule>:job-1` and so on.
    del job["id"]
    manager = {**task_body(request.manager), "killJobOnCompletion": True}
    return {
        "id": request.id,
        "schedule": _schedule(request.schedule),
        "jobSpecification": {**job, "jobManagerTask": manager},
        "metadata": pairs(request.job.metadata),
    }


def _schedule(schedule: Schedule) -> dict[str, Any]:
    body = {
        "recurrenceInterval": duration(schedule.every),
        "doNotRunAfter": format_moment(schedule.end),
    }
    if schedule.start is not None:
        body["doNotRunUntil"] = format_moment(schedule.start)
    if schedule.window is not None:
        body["startWindow"] = duration(schedule.window)
    return body
