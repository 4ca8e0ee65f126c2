"""What runs of ours have in the services, found by listing: by metadata and naming, not by memory.

It must not know what is to be done with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from enum import Enum
from typing import Protocol

from runner.frozen import dataclass
from runner.plan.model import RunId

RUN = "batch-run"
"""The name of the metadata of jobs, job schedules and pools whose value is the run's id."""
CONTAINER_RUN = "batchrun"
"""The same of containers, whose metadata are named as a C# identifier is (REST)."""
KEPT = "batch-run-keep"
"""The name of the metadata that says why a job or a pool is to stay after its run."""
CONTAINER_KEPT = "batchrunkeep"
"""The same of containers."""
POOL = "pool"
"""The name of the metadata of pools that are kept for other runs: what tells them apart."""
WORKLOAD = "workload"
_RUN_ID = re.compile(r"(?P<workload>[a-z0-9][a-z0-9-]*)-\d{8}t\d{6}z-[a-z2-7]{4}", re.ASCII)
_AUTO_POOL = re.compile(r"[0-9A-Fa-f-]{36}", re.ASCII)
_PREFIX_LIMIT_CHARACTERS = 20


class Kind(Enum):
    """What there can be, in the order in which it is to go."""

    SCHEDULE = "job schedule"
    JOB = "job"
    POOL = "pool"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One thing of a run in a service, as a list tells of it."""

    kind: Kind
    name: str
    run: RunId
    state: str = ""
    """The service's word in lower case; empty for a container."""
    made: datetime | None = None
    """Of a container: when it or its metadata last changed."""
    kept_because: str | None = None
    """Why it stays on purpose; None where it was to go with the run."""
    for_others: bool = False
    """Whether it is a pool that stays for the next run that would make the same."""
    nodes: int = 0
    """Of a pool: how many it has, or is about to get."""

    @property
    def is_active(self) -> bool:
        """Whether it is a job or a schedule that may still run something."""
        return self.kind in (Kind.JOB, Kind.SCHEDULE) and self.state not in _OVER


_OVER = frozenset({"completed", "deleting", "terminating"})


class BatchTraces(Protocol):
    """Azure Batch, as far as what runs have left there is looked for."""

    def list_traces(self, run: RunId | None) -> tuple[Trace, ...]:
        """Jobs, job schedules and pools of one run, or of all; `ServiceError` where it fails."""
        ...


class BlobTraces(Protocol):
    """Blob Storage, as far as what runs have left there is looked for."""

    def list_traces(self, run: RunId | None) -> tuple[Trace, ...]:
        """Containers that were made for one run, or for any; `ServiceError` where it fails."""
        ...


def list_traces(
    batch: BatchTraces, blobs: BlobTraces, run: RunId | None = None
) -> tuple[Trace, ...]:
    """All that one run, or every run, has in both services now; raises `ServiceError`."""
    with ThreadPoolExecutor(1, thread_name_prefix="list") as pool:
        stored = pool.submit(blobs.list_traces, run)
        return (*batch.list_traces(run), *stored.result())


def is_run_id(text: str) -> bool:
    """Whether it is an id as runs have."""
    return _RUN_ID.fullmatch(text) is not None


def auto_pool_prefix(workload: str) -> str:
    """How the ids of the pools begin that are made with jobs (REST: `autoPoolIdPrefix`)."""
    return workload[: _PREFIX_LIMIT_CHARACTERS - 1] + "-"


def run_of_job(name: str, metadata: Mapping[str, str]) -> RunId | None:
    """The run that made a job of this id, itself or by its schedule; None where none did."""
    run = metadata.get(RUN, "")
    is_ours = is_run_id(run) and (name == run or name.startswith(f"{run}:"))
    return RunId(run) if is_ours else None


def run_of_schedule(name: str, metadata: Mapping[str, str]) -> RunId | None:
    """The run that made a job schedule of this id; None where none did."""
    return RunId(name) if is_run_id(name) and metadata.get(RUN) == name else None


def run_of_pool(name: str, metadata: Mapping[str, str]) -> RunId | None:
    """The run that made a pool of this id, for itself or for others too; None where none did."""
    run, workload = metadata.get(RUN, ""), metadata.get(WORKLOAD, "")
    found = _RUN_ID.fullmatch(run)
    if found is None or found["workload"] != workload:
        return None
    if POOL in metadata:
        is_ours = name == f"{workload}-{metadata[POOL]}"
    else:
        prefix = auto_pool_prefix(workload)
        rest = name[len(prefix) :]
        is_ours = name.startswith(prefix) and _AUTO_POOL.fullmatch(rest) is not None
    return RunId(run) if is_ours else None


def run_of_container(name: str, metadata: Mapping[str, str]) -> RunId | None:
    """The run that a container was made for; None for another's, and for one of a user's naming."""
    run = metadata.get(CONTAINER_RUN, "")
    return RunId(run) if is_run_id(run) and name.startswith(f"{run}-") else None


def by_run(traces: Iterable[Trace]) -> dict[RunId, tuple[Trace, ...]]:
    """The traces of each run, in the order in which they are to go; the oldest run first."""
    order = tuple(Kind)
    found: dict[RunId, list[Trace]] = {}
    for trace in sorted(traces, key=lambda each: (order.index(each.kind), each.name)):
        found.setdefault(trace.run, []).append(trace)
    return {run: tuple(found[run]) for run in sorted(found, key=_when)}


def _when(run: RunId) -> tuple[str, str]:
    """Ids end with the time and four characters of chance."""
    return run.rsplit("-", 2)[1], run
