"""The operations on jobs: decode, ask the core, encode.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from collections.abc import Callable

from runner.emulator.batch.core import jobs as core
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import PoolId
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.applications import with_checked_packages
from runner.emulator.batch.operations.bodies.job import (
    decode_disable,
    decode_job,
    decode_terminate,
    job_rules,
    patch_job,
)
from runner.emulator.batch.operations.bodies.job import replace_job as replace_document
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.conditions import check_read, check_write
from runner.emulator.batch.operations.expansion import expand_job
from runner.emulator.batch.operations.filters.properties import JOB_NODES, JOBS
from runner.emulator.batch.operations.paging import Listing, list_page, select
from runner.emulator.batch.operations.replies import Reply, changed, element, metadata
from runner.emulator.batch.operations.views.entities import show_counts
from runner.emulator.batch.operations.views.jobnodes import show_job_node

Change = Callable[[object, Document, Limits], tuple[Document, PoolId | None, bool | None]]


def create_job(call: Call) -> Reply:
    """`POST /jobs`."""
    identifier, draft = decode_job(call.body, call.state.limits)
    draft = with_checked_packages(call.account.applications, draft)
    job = core.create_job(call.state, call.now, identifier, draft)
    # On record: the service names a new job so here, whatever its id.
    url = f"{call.endpoint}/jobs/job-1"
    return Reply(status=201, modified=job.modified, service_id=url, location=url)


def list_jobs(call: Call) -> Reply:
    """`GET /jobs`."""
    listing = Listing(
        name="jobs",
        after=call.state.store.jobs.after,
        show=lambda job: expand_job(call, job),
        properties=JOBS,
    )
    return list_page(call, listing)


def get_job(call: Call) -> Reply:
    """`GET /jobs/{jobId}`."""
    job = call.state.store.job(call.job)
    check_read(call.headers, job.modified)
    shown = select(call, expand_job(call, job))
    return element(call.endpoint, "jobs", shown, job.modified)


def update_job(call: Call) -> Reply:
    """`PATCH /jobs/{jobId}`."""
    return _update(call, patch_job)


def replace_job(call: Call) -> Reply:
    """`PUT /jobs/{jobId}`."""
    return _update(call, replace_document)


def delete_job(call: Call) -> Reply:
    """`DELETE /jobs/{jobId}`."""
    call.flag("force")
    core.delete_job(call.state, call.now, _written(call).id)
    return Reply(status=202)


def terminate_job(call: Call) -> Reply:
    """`POST /jobs/{jobId}/terminate`."""
    call.flag("force")
    job = _written(call)
    job = core.terminate_job(call.state, call.now, job.id, decode_terminate(call.body))
    return changed(call.url, 202, job.modified)


def disable_job(call: Call) -> Reply:
    """`POST /jobs/{jobId}/disable`."""
    job = _written(call)
    job = core.disable_job(call.state, call.now, job.id, decode_disable(call.body))
    return changed(call.url, 202, job.modified)


def enable_job(call: Call) -> Reply:
    """`POST /jobs/{jobId}/enable`."""
    job = core.enable_job(call.state, call.now, _written(call).id)
    return changed(call.url, 202, job.modified)


def get_job_task_counts(call: Call) -> Reply:
    """`GET /jobs/{jobId}/taskcounts`."""
    tasks = call.state.store.tasks(call.state.store.job(call.job).id)
    counts, slots = show_counts(tasks.counts()), show_counts(tasks.slot_counts())
    head = metadata(call.endpoint, "taskcounts/@Element")
    return Reply(status=200, json={**head, "taskCounts": counts, "taskSlotCounts": slots})


def list_job_preparation_and_release_task_status(call: Call) -> Reply:
    """`GET /jobs/{jobId}/jobpreparationandreleasetaskstatus`."""
    job = call.state.store.job(call.job)
    if job.rules.preparation is None and job.rules.release is None:
        raise RefusedError(Reason.JOB_NODES_UNPREPARED)
    listing = Listing(
        name="jobpreparationandreleasetaskstatuslist",
        after=call.state.store.job_nodes.of_job(job.id).after,
        show=lambda record: show_job_node(call.endpoint, job, record),
        properties=JOB_NODES,
    )
    return list_page(call, listing)


def _update(call: Call, change: Change) -> Reply:
    job = _written(call)
    document, pool, keep_pool = change(call.body, job.document, call.state.limits)
    job = core.update_job(
        call.state,
        call.now,
        job.id,
        document=document,
        rules=job_rules(document),
        pool=pool,
        keep_pool=keep_pool,
    )
    return changed(call.url, 200, job.modified)


def _written(call: Call) -> Job:
    job = call.state.store.job(call.job)
    check_write(call.headers, job.modified)
    return job
