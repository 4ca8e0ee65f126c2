"""The operations on job schedules: decode, ask the core, encode.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from runner.emulator.batch.core import schedules as core
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import Key
from runner.emulator.batch.core.job import Job, JobDraft
from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.registries import with_newer
from runner.emulator.batch.core.schedule import JobSchedule
from runner.emulator.batch.operations.applications import with_checked_packages
from runner.emulator.batch.operations.bodies.registries import registry_passwords, with_passwords
from runner.emulator.batch.operations.bodies.schedule import (
    ScheduleDraft,
    decode_schedule,
    patch_schedule,
)
from runner.emulator.batch.operations.bodies.schedule import replace_schedule as replace_document
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.conditions import check_read, check_write
from runner.emulator.batch.operations.expansion import expand_job, expand_schedule
from runner.emulator.batch.operations.filters.properties import JOBS_OF_SCHEDULE, SCHEDULES
from runner.emulator.batch.operations.paging import Listing, list_page, select
from runner.emulator.batch.operations.replies import Reply, changed, element
from runner.emulator.batch.operations.views.schedules import schedule_url

Change = Callable[[object, Document, Limits], ScheduleDraft]


def create_job_schedule(call: Call) -> Reply:
    """`POST /jobschedules`."""
    identifier, draft = decode_schedule(call.body, call.state.limits)
    schedule = core.create_schedule(
        call.state, call.now, identifier, draft.document, draft.recurrence, _job(call, draft)
    )
    url = schedule_url(call.endpoint, schedule.id)
    return Reply(status=201, modified=schedule.modified, service_id=url, location=url)


def list_job_schedules(call: Call) -> Reply:
    """`GET /jobschedules`."""
    listing = Listing(
        name="jobschedules",
        after=call.state.store.schedules.after,
        show=lambda schedule: expand_schedule(call, schedule),
        properties=SCHEDULES,
    )
    return list_page(call, listing)


def get_job_schedule(call: Call) -> Reply:
    """`GET /jobschedules/{jobScheduleId}`."""
    schedule = _read(call)
    shown = select(call, expand_schedule(call, schedule))
    return element(call.endpoint, "jobschedules", shown, schedule.modified)


def job_schedule_exists(call: Call) -> Reply:
    """`HEAD /jobschedules/{jobScheduleId}`."""
    return Reply(status=200, modified=_read(call).modified)


def update_job_schedule(call: Call) -> Reply:
    """`PATCH /jobschedules/{jobScheduleId}`."""
    return _update(call, patch_schedule)


def replace_job_schedule(call: Call) -> Reply:
    """`PUT /jobschedules/{jobScheduleId}`."""
    return _update(call, replace_document)


def delete_job_schedule(call: Call) -> Reply:
    """`DELETE /jobschedules/{jobScheduleId}`."""
    call.flag("force")
    core.delete_schedule(call.state, call.now, _written(call).id)
    return Reply(status=202)


def disable_job_schedule(call: Call) -> Reply:
    """`POST /jobschedules/{jobScheduleId}/disable`."""
    schedule = core.disable_schedule(call.state, call.now, _written(call).id)
    return changed(call.url, 204, schedule.modified)


def enable_job_schedule(call: Call) -> Reply:
    """`POST /jobschedules/{jobScheduleId}/enable`."""
    schedule = core.enable_schedule(call.state, call.now, _written(call).id)
    return changed(call.url, 204, schedule.modified)


def terminate_job_schedule(call: Call) -> Reply:
    """`POST /jobschedules/{jobScheduleId}/terminate`."""
    call.flag("force")
    schedule = core.terminate_schedule(call.state, call.now, _written(call).id)
    return changed(call.url, 202, schedule.modified)


def list_jobs_from_schedule(call: Call) -> Reply:
    """`GET /jobschedules/{jobScheduleId}/jobs`."""
    schedule = call.state.store.schedule(call.schedule)

    def after(start: Key | None) -> Iterator[tuple[Key, Job]]:
        for key, job in call.state.store.jobs.after(start):
            if job.schedule == schedule.id:
                yield key, job

    listing = Listing(
        name="jobs",
        after=after,
        show=lambda job: expand_job(call, job),
        properties=JOBS_OF_SCHEDULE,
    )
    return list_page(call, listing)


def _update(call: Call, change: Change) -> Reply:
    schedule = _written(call)
    draft = change(call.body, schedule.document, call.state.limits)
    # What is changed may be the times alone.
    passwords = with_newer(schedule.job.registry_passwords, registry_passwords(call.body))
    draft = replace(draft, job=with_passwords(draft.job, passwords))
    schedule = core.update_schedule(
        call.state, call.now, schedule.id, draft.document, draft.recurrence, _job(call, draft)
    )
    return changed(call.url, 200, schedule.modified)


def _job(call: Call, draft: ScheduleDraft) -> JobDraft:
    return with_checked_packages(call.account.applications, draft.job)


def _read(call: Call) -> JobSchedule:
    schedule = call.state.store.schedule(call.schedule)
    check_read(call.headers, schedule.modified)
    return schedule


def _written(call: Call) -> JobSchedule:
    schedule = call.state.store.schedule(call.schedule)
    check_write(call.headers, schedule.modified)
    return schedule
