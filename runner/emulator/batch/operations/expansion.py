"""Jobs and schedules with what `$expand` asks for.

It must not know how they are listed.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.schedule import JobSchedule
from runner.emulator.batch.core.schedules import jobs_of
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.views.entities import show_job
from runner.emulator.batch.operations.views.schedules import show_schedule
from runner.emulator.batch.operations.views.statistics import is_asked_for, show_job_statistics


def expand_job(call: Call, job: Job) -> dict[str, Any]:
    """A job, with its statistics where they are asked for."""
    shown = show_job(call.endpoint, job)
    if is_asked_for(call):
        tables = (call.state.store.tasks(job.id),)
        shown["stats"] = show_job_statistics(shown["url"], job.created, tables, call.now)
    return shown


def expand_schedule(call: Call, schedule: JobSchedule) -> dict[str, Any]:
    """A schedule, with the statistics of the jobs that are there where they are asked for."""
    shown = show_schedule(call.endpoint, schedule)
    if is_asked_for(call):
        jobs = jobs_of(call.state, schedule)
        tables = [call.state.store.tasks(job.id) for job in jobs]
        shown["stats"] = show_job_statistics(shown["url"], schedule.created, tables, call.now)
    return shown
