"""Takes away what the run has made, and says what is left by asking the services.

It knows nothing of why the run ended but the little that decides what a container is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from enum import Enum
from functools import partial
from itertools import islice

from typing_extensions import assert_never

from runner.errors import ServiceError
from runner.plan.model import LOGS, SECRETS, Plan
from runner.run.events import CleanupFinished, LeftBehind
from runner.run.pools.making import Lease
from runner.run.removal.items import (
    Item,
    Removal,
    after,
    has_pool,
    once,
    refuse,
    remove,
    remove_if_ours,
    stay,
)
from runner.run.removal.taking import STILL_LISTED, left_behind, remove_traces
from runner.run.removal.traces import CONTAINER_RUN, Trace, list_traces
from runner.run.services import Batch, Blobs, JobState
from runner.run.silence import say_nothing
from runner.run.submit import Submission
from runner.spec.model.terms import Role
from runner.spec.model.workload import Delete, ExistingContainer

_CONNECTIONS = 8
_NOT_OURS = "it was there before, made by something else"
_TAKEN_OVER = "a client on another machine has taken the run over: the rest is left to it"


def _always() -> bool:
    """Where nobody else can drive the run."""
    return True


class Keep(Enum):
    """What an option can ask to leave: `--keep pool|job|storage`."""

    POOL = "pool"
    JOB = "job"
    STORAGE = "storage"


class Ending(Enum):
    """How a run ended, as far as it decides what to keep."""

    SUCCEEDED = "succeeded"
    FAILED_WITH_RESULTS = "failed with results"
    """Tasks have ended, but not all of them well, and no more of them will."""
    CUT_SHORT = "cut short"
    """Tasks have ended, and the run may be taken up again for the others."""
    NOTHING_DONE = "nothing done"
    """Interrupted, or stopped before any task had ended."""


class Cleanup:
    """Knows what a run may have made, from its first creation on."""

    def __init__(
        self,
        plan: Plan,
        submission: Submission,
        *,
        batch: Batch,
        blobs: Blobs,
        keep: frozenset[Keep],
        may_keep: bool = True,
        made: Collection[str] = (),
        lease: Lease | None = None,
        now: Callable[[], datetime],
        is_ours: Callable[[], bool] = _always,
        tell: Callable[[str], None] = say_nothing,
        begin: Callable[[str], None] = say_nothing,
    ) -> None:
        """`may_keep` is false where the services end with the run: then nothing can be kept.

        What we have `made` ourselves is known to be ours; of the rest the services are asked.

        `lease` is of a pool that outlasts the run. `is_ours` is asked before each thing goes: a
        machine that sleeps in the middle of it may wake when another client drives the run. It may
        raise `ServiceError`: what it cannot say, is not deleted. `tell` takes a line for people,
        and `begin` each step as it begins.
        """
        self._begin = begin
        self._now = now
        self._is_ours = is_ours
        self._tell = tell
        self._may_keep = may_keep
        self._made = made
        self._lease = lease
        self._plan = plan
        self._submission = submission
        self._batch = batch
        self._blobs = blobs
        self._keep = keep if may_keep else frozenset()

    def clean_up(self, *, pool_id: str | None, ending: Ending) -> CleanupFinished:
        """Deletes the job, then its pool, and beside them the containers; waits until all are gone.

        A refusal stops nothing else: what could not be deleted is among what is left.
        """
        logs = self._plan.container_name(LOGS)
        containers = tuple(self._containers(ending))
        remove_item = partial(remove_if_ours, is_ours=self._is_ours)

        def take(item: Item) -> Removal:
            if not item.is_kept:
                self._begin(f"deleting {item.kind} {item.name}")
            return remove_item(item)

        take_first = partial(remove_if_ours, is_ours=once(self._is_ours))
        with ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="cleanup") as pool:
            others = [pool.submit(take_first, each) for each in containers if each.name != logs]
            # The job, then the pool: hours may lie between them.
            compute = self._compute_items(pool_id)
            self._begin("ending the job")
            results = [*map(take_first, islice(compute, 1)), *map(take, compute)]
            self._begin("deleting containers")
            results.extend(each.result() for each in others)
        # It has the record by which we hold the run, and others find it.
        results.extend(take(each) for each in containers if each.name == logs)
        deleted = [f"{each.item.kind} {each.item.name}" for each in results if each.is_gone]
        left = [each.left for each in results if each.left is not None]
        if not all(each.is_ours for each in results):
            self._tell(_TAKEN_OVER)
            return CleanupFinished(deleted=tuple(deleted), left=tuple(left))
        return self._checked(deleted, left, has_record=f"container {logs}" not in deleted)

    def _checked(
        self, deleted: list[str], left: list[LeftBehind], *, has_record: bool
    ) -> CleanupFinished:
        """What the services list in the end counts, whatever we remember to have made.

        Without its record nobody else takes the run up.
        """
        self._begin("looking at what is left")
        try:
            forgotten = self._unknown(left)
            if forgotten:
                gone, stayed = remove_traces(
                    forgotten,
                    batch=self._batch,
                    blobs=self._blobs,
                    why_not=self._why_not if has_record else None,
                )
                deleted.extend(f"{trace.kind.value} {trace.name}" for trace in gone)
                left.extend(stayed)
                left.extend(left_behind(trace, STILL_LISTED) for trace in self._unknown(left))
        except ServiceError as error:
            if all(each.kept for each in left):
                why = f"it could not be checked what is left: {error.message}"
                left.append(LeftBehind(kind="run", name=self._plan.run_id, why=why, kept=False))
            return CleanupFinished(deleted=tuple(deleted), left=tuple(left))
        return CleanupFinished(deleted=tuple(deleted), left=tuple(left), checked_at=self._now())

    def _why_not(self, _: Trace) -> str | None:
        """Why a thing is not to go now; raises `ServiceError` where that cannot be told."""
        return None if self._is_ours() else _TAKEN_OVER

    def _unknown(self, left: list[LeftBehind]) -> tuple[Trace, ...]:
        """What the services list of this run although nothing says that it stays."""
        known = {(each.kind, each.name) for each in left}
        return tuple(
            trace
            for trace in list_traces(self._batch, self._blobs, self._plan.run_id)
            if (trace.kind.value, trace.name) not in known and not trace.for_others
        )

    def leave(self, *, pool_id: str | None, why: str) -> CleanupFinished:
        """Deletes nothing, and says what is there: the work goes on, or may, without us.

        A pool that outlasts the run gets the time that the job may take, and no more.
        """
        left = [
            LeftBehind(kind=item.kind, name=item.name, why=why, kept=True)
            for item in (*self._compute_items(pool_id), *self._containers(Ending.NOTHING_DONE))
            if item.kind != "pool" or self._lease is None or Keep.POOL in self._keep
        ]
        if self._lease is not None and Keep.POOL not in self._keep:
            left_pool = remove(self._lease_item(self._lease, self._lease.last))
            left.extend([left_pool] if left_pool is not None else [])
        return CleanupFinished(deleted=(), left=tuple(left))

    def leave_schedule(self, *, why: str, certain: bool) -> CleanupFinished:
        """Deletes nothing, since the jobs that the service will make need it all.

        `why` is of the schedule itself; not `certain` where we do not know whether it exists.
        """
        schedule = LeftBehind(
            kind="job schedule", name=self._submission.job_id, why=why, kept=certain
        )
        return CleanupFinished(
            deleted=(),
            left=(
                schedule,
                *(
                    LeftBehind(
                        kind=item.kind, name=item.name, why="the schedule's jobs use it", kept=True
                    )
                    for item in self._containers(Ending.NOTHING_DONE)
                ),
            ),
        )

    def _containers(self, ending: Ending) -> Iterator[Item]:
        for role, name in self._submission.containers:
            why = self._why_keep(role, ending)
            yield self._container_item(name, why, partial(self._remove_container, name))
        for role, name in self._submission.reused:
            why = self._why_keep_reused(role, ending)
            delete = partial(after, None, self._blobs.delete_container, name)
            yield self._container_item(name, why, delete)

    def _compute_items(self, pool_id: str | None) -> Iterator[Item]:
        """The job, then the pool: also where the answer that would have named it never came."""
        batch, job_id = self._batch, self._submission.job_id
        yield Item(
            kind="job",
            name=job_id,
            remove=self._remove_job,
            exists=lambda: batch.job_status(job_id).state is not JobState.GONE,
        )
        if self._submission.used_pool is not None:
            return
        why_kept = "--keep pool" if Keep.POOL in self._keep else None
        if self._lease is not None and why_kept is None:
            yield self._lease_item(self._lease, self._lease.end())
            return
        prefix, run_id = self._submission.pool_prefix, self._plan.run_id
        try:
            kept_pool = self._submission.kept_pool
            if kept_pool is not None:
                # Never deleted: it is other runs' as well, and gives up its nodes by itself.
                why_kept = why_kept or "it is kept for other runs"
            known = pool_id or kept_pool
            pools = (known,) if known is not None else batch.find_pools(prefix, run_id)
        except ServiceError as error:
            yield Item(
                kind="pool",
                name=f"{prefix}*",
                remove=partial(refuse, error),
                exists=lambda: True,
            )
            return
        for name in pools:
            yield Item(
                kind="pool",
                name=name,
                remove=partial(after, None, batch.delete_pool, name)
                if why_kept is None
                else partial(stay, why_kept),
                exists=partial(has_pool, batch, name),
                is_kept=why_kept is not None,
            )

    def _remove_job(self) -> str | None:
        batch, job_id = self._batch, self._submission.job_id
        if job_id not in self._made:
            found = batch.job_status(job_id)
            if found.state is JobState.GONE:
                return None
            if found.run != self._plan.run_id:
                return _NOT_OURS
        if Keep.JOB in self._keep:
            batch.terminate_job(job_id)
            return "--keep job"
        batch.delete_job(job_id)
        return None

    def _remove_container(self, name: str) -> str | None:
        """Another may have made it before we came to it: then it is not ours to delete."""
        if name not in self._made:
            metadata = self._blobs.container_metadata(name)
            if metadata is not None and metadata.get(CONTAINER_RUN) != self._plan.run_id:
                return _NOT_OURS
        self._blobs.delete_container(name)
        return None

    def _lease_item(self, lease: Lease, until: datetime) -> Item:
        name = lease.kept.id
        return Item(
            kind="pool",
            name=name,
            remove=partial(lease.close, until),
            exists=partial(has_pool, self._batch, name),
        )

    def _container_item(
        self, name: str, kept_because: str | None, remove: Callable[[], str | None]
    ) -> Item:
        return Item(
            kind="container",
            name=name,
            remove=partial(stay, kept_because) if kept_because else remove,
            exists=partial(self._blobs.has_container, name),
            is_kept=kept_because is not None,
        )

    def _delete(self, role: Role) -> Delete:
        container = self._plan.workload.container(role)
        return Delete.NEVER if isinstance(container, ExistingContainer) else container.delete

    def _why_keep(self, role: Role, ending: Ending) -> str | None:
        if not self._may_keep or role == SECRETS:
            return None
        if Keep.STORAGE in self._keep:
            return "--keep storage"
        logs = role == LOGS
        delete = Delete.AFTER_SUCCESS if logs else self._delete(role)
        match delete:
            case Delete.NEVER:
                return "delete: never"
            case Delete.AFTER_RUN:
                return None
            case Delete.AFTER_SUCCESS:
                failed = ending in {Ending.FAILED_WITH_RESULTS, Ending.CUT_SHORT}
                return "delete: after-success, and the run failed" if failed else None
            case _:
                assert_never(delete)

    def _why_keep_reused(self, role: Role, ending: Ending) -> str | None:
        """A container that was there before goes only where the spec says so and its time came.

        What a run may go on with it does not make again.
        """
        if Keep.STORAGE in self._keep:
            return "--keep storage"
        match self._delete(role):
            case Delete.AFTER_RUN if ending in {Ending.SUCCEEDED, Ending.FAILED_WITH_RESULTS}:
                return None
            case Delete.AFTER_SUCCESS if ending is Ending.SUCCEEDED:
                return None
            case _:
                return "it was there before the run"
