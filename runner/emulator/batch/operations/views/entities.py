"""How pools, jobs and tasks are shown.

It must not know how a list or a single one is wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, TaskId
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.nodetable import NodeTable
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.tasktable import TaskCounts
from runner.emulator.batch.operations.views.executions import show_scheduling_error
from runner.emulator.batch.operations.views.scaling import show_auto_scale_run
from runner.emulator.batch.operations.wire import etag_of, format_moment

Properties = Iterator[tuple[str, Any]]


def pool_url(endpoint: str, pool: PoolId) -> str:
    """Where a pool is found."""
    return f"{endpoint}/pools/{pool}"


def node_url(endpoint: str, pool: PoolId, node: NodeId) -> str:
    """Where a node is found."""
    return f"{endpoint}/pools/{pool}/nodes/{node}"


def job_url(endpoint: str, job: JobId) -> str:
    """Where a job is found."""
    return f"{endpoint}/jobs/{job}"


def task_url(endpoint: str, job: JobId, task: TaskId) -> str:
    """Where a task is found."""
    return f"{endpoint}/jobs/{job}/tasks/{task}"


def _declared(document: Document, *names: str) -> Properties:
    for name in names:
        if name in document:
            yield name, document[name]


def _rest(document: Document, *shown: str) -> Properties:
    for name, value in document.items():
        if name not in shown:
            yield name, value


def show_pool(endpoint: str, pool: Pool, nodes: NodeTable) -> dict[str, Any]:
    """A pool with the number of nodes that it has now."""
    return dict(_pool_properties(endpoint, pool, nodes))


def _pool_properties(endpoint: str, pool: Pool, nodes: NodeTable) -> Properties:
    document = pool.document
    dedicated, spot = nodes.kinds()
    yield "id", pool.id
    yield from _declared(document, "displayName")
    yield "url", pool_url(endpoint, pool.id)
    yield "eTag", etag_of(pool.modified)
    yield "lastModified", format_moment(pool.modified)
    yield "creationTime", format_moment(pool.created)
    yield "state", pool.state.value
    yield "stateTransitionTime", format_moment(pool.state_time)
    yield "allocationState", pool.allocation.value
    yield "allocationStateTransitionTime", format_moment(pool.allocation_time)
    yield from _declared(document, "vmSize", "resizeTimeout")
    yield "currentDedicatedNodes", dedicated
    yield "targetDedicatedNodes", pool.target_dedicated
    yield "currentLowPriorityNodes", spot
    yield "targetLowPriorityNodes", pool.target_spot
    if pool.resize_errors:
        errors = ({"code": e.code, "message": e.message} for e in pool.resize_errors)
        yield "resizeErrors", list(errors)
    for name, value in _rest(document, "displayName", "vmSize", "resizeTimeout"):
        yield name, value
        if name == "autoScaleEvaluationInterval" and pool.autoscale and pool.autoscale.run:
            yield "autoScaleRun", show_auto_scale_run(pool.autoscale.run)
    if pool.nodes_made:
        wanted = document.get("targetNodeCommunicationMode")
        yield "currentNodeCommunicationMode", "simplified" if wanted == "simplified" else "classic"


def show_job(endpoint: str, job: Job) -> dict[str, Any]:
    """A job."""
    return dict(_job_properties(endpoint, job))


_JOB_TAIL = ("onAllTasksComplete", "onTaskFailure", "networkConfiguration", "metadata")
_JOB_HEAD = ("priority", "maxParallelTasks", "usesTaskDependencies", "allowTaskPreemption")


def _job_properties(endpoint: str, job: Job) -> Properties:
    document = job.document
    yield "id", job.id
    yield from _declared(document, "displayName")
    yield "url", job_url(endpoint, job.id)
    yield "eTag", etag_of(job.modified)
    yield "lastModified", format_moment(job.modified)
    yield "creationTime", format_moment(job.created)
    yield "state", job.state.value
    yield "stateTransitionTime", format_moment(job.state_time)
    if job.previous_state is not None and job.previous_state_time is not None:
        yield "previousState", job.previous_state.value
        yield "previousStateTransitionTime", format_moment(job.previous_state_time)
    yield from _declared(document, *_JOB_HEAD)
    yield from _rest(document, "displayName", *_JOB_HEAD, *_JOB_TAIL)
    execution: dict[str, Any] = {"startTime": format_moment(job.started), "poolId": job.pool}
    if job.ended is not None:
        execution["endTime"] = format_moment(job.ended)
    if job.terminate_reason is not None:
        execution["terminateReason"] = job.terminate_reason
    if job.scheduling_error is not None:
        execution["schedulingError"] = show_scheduling_error(job.scheduling_error)
    yield "executionInfo", execution
    yield from _declared(document, *_JOB_TAIL)


def show_counts(counts: TaskCounts) -> dict[str, int]:
    """`taskCounts` or `taskSlotCounts`."""
    return {
        "active": counts.active,
        "running": counts.running,
        "completed": counts.completed,
        "succeeded": counts.succeeded,
        "failed": counts.failed,
    }
