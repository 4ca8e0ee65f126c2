"""Lists what runs have left in an account: the traces of `run.traces`.

It must not know what is to be done with them. A filter narrows by id; whose a thing is, metadata
say (REST: OData filters know no metadata).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from runner.plan.model import RunId
from runner.remote.account import BatchAccount
from runner.remote.answers import read_pairs, read_time
from runner.remote.storage_sdk import BlobServiceClient
from runner.run.removal.traces import (
    CONTAINER_KEPT,
    KEPT,
    POOL,
    Kind,
    Trace,
    auto_pool_prefix,
    run_of_container,
    run_of_job,
    run_of_pool,
    run_of_schedule,
)

_JOB_PROPERTIES = ["id", "state", "creationTime", "metadata"]
_POOL_PROPERTIES = [
    *_JOB_PROPERTIES,
    "currentDedicatedNodes",
    "currentLowPriorityNodes",
    "targetDedicatedNodes",
    "targetLowPriorityNodes",
]


def batch_traces(account: BatchAccount, run: RunId | None) -> Iterator[Trace]:
    """Job schedules, jobs and pools of one run, or of all; azure-core's errors are raised."""
    named = None if run is None else f"startswith(id,'{run}')"
    pools = None if run is None else f"startswith(id,'{auto_pool_prefix(_workload(run))}')"
    found = (
        *_of(
            Kind.SCHEDULE,
            account.list_all("/jobschedules", filter=named, select=_JOB_PROPERTIES),
            run_of_schedule,
        ),
        *_of(
            Kind.JOB,
            account.list_all("/jobs", filter=named, select=_JOB_PROPERTIES),
            run_of_job,
        ),
        *_of(
            Kind.POOL,
            account.list_all("/pools", filter=pools, select=_POOL_PROPERTIES),
            run_of_pool,
        ),
    )
    return (trace for trace in found if run is None or trace.run == run)


def container_traces(service: BlobServiceClient, run: RunId | None) -> Iterator[Trace]:
    """Containers that were made for one run, or for any; azure-core's errors are raised."""
    prefix = None if run is None else f"{run}-"
    for found in service.list_containers(name_starts_with=prefix, include_metadata=True):
        metadata = dict(found.metadata or {})
        maker = run_of_container(found.name, metadata)
        if maker is not None and run in (None, maker):
            yield Trace(
                kind=Kind.CONTAINER,
                name=found.name,
                run=maker,
                made=found.last_modified,
                kept_because=metadata.get(CONTAINER_KEPT),
            )


def _workload(run: RunId) -> str:
    return run.rsplit("-", 2)[0]


def _of(
    kind: Kind,
    answers: Iterable[Mapping[str, Any]],
    run_of: Callable[[str, Mapping[str, str]], RunId | None],
) -> Iterator[Trace]:
    """Those that a run has made; `run_of` says by id and metadata which."""
    for found in answers:
        metadata = read_pairs(found)
        maker = run_of(found["id"], metadata)
        if maker is not None:
            yield _trace(kind, found, maker, metadata)


def _nodes(found: Mapping[str, Any], which: str) -> int:
    return sum(int(found.get(f"{which}{kind}Nodes") or 0) for kind in ("Dedicated", "LowPriority"))


def _trace(
    kind: Kind,
    found: Mapping[str, Any],
    maker: RunId,
    metadata: Mapping[str, str],
) -> Trace:
    made, state = found.get("creationTime"), found.get("state")
    return Trace(
        kind=kind,
        name=found["id"],
        run=maker,
        state=str(getattr(state, "value", state) or "").lower(),
        made=None if made is None else read_time(str(made)),
        kept_because=metadata.get(KEPT),
        for_others=kind is Kind.POOL and POOL in metadata,
        # What has none does not say so.
        nodes=max(_nodes(found, "current"), _nodes(found, "target")),
    )
