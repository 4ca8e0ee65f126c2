"""Shows all accounts at once: pools by their nodes' states, jobs by their tasks', containers.

It must not know how any of them is looked at more closely.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.store import Store
from runner.emulator.batch.operations.views.entities import show_counts
from runner.emulator.batch.operations.wire import format_moment
from runner.emulator.dashboard.hiding import show_name
from runner.emulator.dashboard.sources import BatchSource, BlobSource, Sources

MOST_SHOWN = 200
"""So many pools, and so many jobs, of one account; the newest."""


async def show_overview(sources: Sources) -> dict[str, Any]:
    """`overview`."""
    return {
        "batch": [_show_batch(source) for source in sources.batch],
        "blob": [_show_blob(source) for source in sources.blob],
        "faults": sum(1 for _ in sources.faults),
    }


def _show_batch(source: BatchSource) -> dict[str, Any]:
    store = source.shared.state.store
    pools = sorted(store.pools, key=lambda pool: pool.created, reverse=True)
    jobs = sorted(store.jobs, key=lambda job: job.created, reverse=True)
    return {
        "account": source.name,
        "endpoint": source.endpoint,
        "auto_storage": source.storage,
        "pools": [show_pool_line(store, pool) for pool in pools[:MOST_SHOWN]],
        "pools_total": len(pools),
        "jobs": [show_job_line(store, job) for job in jobs[:MOST_SHOWN]],
        "jobs_total": len(jobs),
    }


def _show_blob(source: BlobSource) -> dict[str, Any]:
    return {
        "account": source.name,
        "endpoint": source.endpoint,
        "containers": len(source.state.catalogue.container_names()),
    }


def show_pool_line(store: Store, pool: Pool) -> dict[str, Any]:
    """A pool in a line: what it is to be, and how many nodes are in which state."""
    nodes = store.nodes(pool.id)
    dedicated, spot = nodes.kinds()
    states: dict[str, int] = {}
    for (state, _), count in nodes.tally().items():
        if count:
            states[state.value] = states.get(state.value, 0) + count
    return {
        "id": pool.id,
        "name": show_name(pool.document),
        "state": pool.state.value,
        "allocation": pool.allocation.value,
        "vm_size": pool.vm_size,
        "slots_per_node": pool.slots_per_node,
        "dedicated": {"current": dedicated, "target": pool.target_dedicated},
        "spot": {"current": spot, "target": pool.target_spot},
        "scales_itself": pool.autoscale is not None,
        "node_states": states,
        "resize_errors": [{"code": e.code, "message": e.message} for e in pool.resize_errors],
        "created": format_moment(pool.created),
    }


def show_job_line(store: Store, job: Job) -> dict[str, Any]:
    """A job in a line, with how many of its tasks are in which state."""
    error = job.scheduling_error
    return {
        "id": job.id,
        "name": show_name(job.document),
        "state": job.state.value,
        "pool": job.pool or None,
        "tasks": show_counts(store.tasks(job.id).counts()),
        "created": format_moment(job.created),
        "ended": None if job.ended is None else format_moment(job.ended),
        "terminate_reason": job.terminate_reason,
        "error": None if error is None else {"code": error.code, "message": error.message},
    }
