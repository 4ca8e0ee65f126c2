"""What a job did to a node by itself: its preparation and its release there.

It must not know how either is run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from runner.emulator.batch.core.ids import JobId, Key, NodeId, PoolId, RunId, key_of
from runner.emulator.batch.core.node import NodeRun
from runner.emulator.batch.core.ordered import OrderedTable
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class JobNode:
    """A node on which a job's preparation has started; kept when the node has left its pool."""

    job: JobId
    pool: PoolId
    node: NodeId
    waits: bool
    """Whether tasks of the job need the preparation to have succeeded."""
    preparation: NodeRun
    release: NodeRun | None = None
    left: bool = False

    @property
    def runs(self) -> tuple[RunId, ...]:
        """The preparation or the release that is under way."""
        attempts = (self.preparation, self.release)
        runs = (attempt.run for attempt in attempts if attempt is not None)
        return tuple(run for run in runs if run is not None)

    @property
    def bars(self) -> bool:
        """Whether the node gets none of the job's tasks, since its preparation failed."""
        return self.waits and self.preparation.failure is not None


class JobNodes:
    """The records of all jobs, by job and by node."""

    def __init__(self) -> None:
        self._of_job: defaultdict[Key, OrderedTable[JobNode]] = defaultdict(OrderedTable)
        self._jobs: defaultdict[Key, dict[Key, None]] = defaultdict(dict)
        self._barred: defaultdict[Key, dict[Key, None]] = defaultdict(dict)

    def put(self, record: JobNode) -> JobNode | None:
        """Stores a record, new or changed; gives back the one it replaces."""
        job, node = key_of(record.job), key_of(record.node)
        before = self._of_job[job].put(node, record)
        self._jobs[node][job] = None
        if record.bars:
            self._barred[job][node] = None
        else:
            self._barred[job].pop(node, None)
        return before

    def forget(self, record: JobNode) -> None:
        """Drops a record: the node counts as not prepared."""
        job, node = key_of(record.job), key_of(record.node)
        self._of_job[job].delete(node)
        self._jobs[node].pop(job, None)
        self._barred[job].pop(node, None)

    def forget_job(self, job: JobId) -> None:
        """Drops the records of a job."""
        key = key_of(job)
        for prepared in self._of_job.pop(key, OrderedTable[JobNode]()):
            jobs = self._jobs[key_of(prepared.node)]
            jobs.pop(key, None)
            if not jobs:
                del self._jobs[key_of(prepared.node)]
        self._barred.pop(key, None)

    def get(self, job: JobId, node: NodeId) -> JobNode | None:
        """The record, or None where the job's preparation never started there."""
        table = self._of_job.get(key_of(job))
        return None if table is None else table.get(key_of(node))

    def of_job(self, job: JobId) -> OrderedTable[JobNode]:
        """The nodes of a job; for reading."""
        return self._of_job.get(key_of(job)) or OrderedTable()

    def of_node(self, node: NodeId) -> tuple[JobNode, ...]:
        """What jobs did to a node."""
        records = (self._of_job[job].get(key_of(node)) for job in self._jobs.get(key_of(node), ()))
        return tuple(record for record in records if record is not None)

    def barred(self, job: JobId) -> Collection[Key]:
        """The nodes that get none of the job's tasks."""
        return self._barred.get(key_of(job), ())
