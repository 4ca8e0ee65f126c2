"""The pool of a run: one of the job's own, one that stays for the next run, or one of the user's.

It must not know the job, nor who watches the nodes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TypeGuard

from runner.errors import ServiceError, TransferError, describe_os_error
from runner.frozen import dataclass
from runner.plan.model import BlobResource, FolderResource, InputFile, Plan, WebResource
from runner.run.clock import Clock
from runner.run.events import format_moment
from runner.run.services import Batch, Expiry, PoolRequest, PoolStatus
from runner.run.stop import Stop
from runner.spec.document import Document
from runner.spec.duration import write_duration
from runner.spec.model.pool import CustomImage, ExistingPool, FixedNodes, NewPool
from runner.spec.problem import Problem, SpecError

GRACE = timedelta(minutes=30)
"""How long a run's new pool keeps its nodes without a task: they start while inputs go up."""
IDLE = timedelta(minutes=10)
"""How long it keeps them behind its last task: another may follow, or the same again."""
# What is not the pool's nature: how many nodes there are and how long they stay can change, the
# start task counts as it is rendered, and where something was written counts for nothing.
_NOT_NATURE = frozenset({"pointer", "keep", "size", "start_task", "node_retries"})
_FINGERPRINT_CHARACTERS = 16
# Nodes are kept for the next run only once this one has gone on for some time: the service lets a
# formula be changed every 30 seconds only (REST: Pool - Enable Auto Scale).
_FIRST_GUARD_SECONDS = 60.0
_SHORTEST_GUARD_SECONDS = 60.0
_NEXT_TRY_SECONDS = 2.0
# A pool that is resized takes no end; the service gives up a resize after 15 minutes.
_PATIENCE = timedelta(minutes=20)
# An end that the pool has already is as good as one that differs by no more.
_NEAR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPool:
    """A pool that stays for the next run that would make the same; its id says what it is."""

    id: str
    fingerprint: str
    keep: timedelta
    pool: NewPool


def find_vm_size(batch: Batch, pool_id: str) -> str | None:
    """The VM size of the user's pool; None where there is no such pool."""
    found = batch.pool_status(pool_id)
    return None if found is None else found.vm_size


def check_existing_pool(plan: Plan, pool: ExistingPool, batch: Batch) -> None:
    """Raises `SpecError` where the user's pool is not there, or is being deleted."""
    problem = find_pool_problem(plan.workload.document, pool, batch.pool_status(pool.id))
    if problem is not None:
        raise SpecError([problem])


def find_pool_problem(
    document: Document, pool: ExistingPool, status: PoolStatus | None
) -> Problem | None:
    """What is wrong with the user's pool as it is now; None where it can be used."""
    if status is not None and status.state != "deleting":
        return None
    message = f"there is no pool `{pool.id}`"
    if status is not None:
        message = f"pool `{pool.id}` is being deleted"
    return document.problem(
        pool.pointer,
        code="pool-missing",
        message=message,
        hint="`az batch pool list --query [].id` shows those that there are",
    )


def find_node_agent(plan: Plan, pool: NewPool, batch: Batch) -> str:
    """The node agent that fits the pool's image; `UsageError` where the service has none."""
    if isinstance(pool.image, CustomImage):
        return pool.image.node_agent
    return batch.find_node_agent(pool.image, containers=plan.workload.runs_containers)


def plan_kept_pool(plan: Plan, pool: NewPool, *, node_agent: str, keep: timedelta) -> KeptPool:
    """The pool that this plan shares with others that would make just the same one.

    Raises `TransferError` where a file of the start task cannot be read.
    """
    nature = {
        "pool": _nature(pool),
        "node_agent": node_agent,
        "runs_containers": plan.workload.runs_containers,
        "start_task": _start_task(plan),
    }
    text = json.dumps(nature, sort_keys=True)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    fingerprint = base64.b32encode(digest).decode().lower()[:_FINGERPRINT_CHARACTERS]
    return KeptPool(
        id=f"{plan.workload.name}-{fingerprint}", fingerprint=fingerprint, keep=keep, pool=pool
    )


def recall_lease(
    plan: Plan,
    pool_id: str | None,
    *,
    batch: Batch,
    clock: Clock,
    tell: Callable[[str], None],
    job_time: timedelta | None = None,
) -> Lease | None:
    """The lease of a run that is taken up again: of the pool that it had, whatever has changed.

    `pool_id` is of the pool that the run had to itself or shared, None where it had none to keep.
    `job_time` bounds a job that is made now, where earlier nodes have cost a part.
    """
    pool = plan.workload.pool
    if pool_id is None or not isinstance(pool, NewPool) or pool.keep is None:
        return None
    fingerprint = pool_id.removeprefix(f"{plan.workload.name}-")
    kept = KeptPool(id=pool_id, fingerprint=fingerprint, keep=pool.keep, pool=pool)
    longest = plan.workload.limits.duration
    duration = longest if job_time is None else min(longest, job_time)
    return Lease(kept, duration=duration, batch=batch, clock=clock, tell=tell)


class Lease:
    """A kept pool while a run uses it; its nodes go by themselves, whatever becomes of the run."""

    def __init__(
        self,
        kept: KeptPool,
        *,
        duration: timedelta,
        batch: Batch,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        """`duration` is the longest that the job can take; the nodes are gone by `last`.

        `tell` takes a line for people. The pool may be there already; it gets no nodes but by
        `open`.
        """
        self.kept = kept
        self._is_open = False
        self._tell = tell
        self._batch = batch
        self._clock = clock
        self._longest = duration + kept.keep
        self.last = clock.now() + self._longest
        self._next_guard = clock.monotonic() + _FIRST_GUARD_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether this client has asked for its nodes."""
        return self._is_open

    def open(self, request: PoolRequest) -> bool:
        """Makes the pool, or finds it and brings it to its size; false where it was there.

        The job is made next: its time counts from then.
        """
        is_new = self._batch.create_pool(self.kept.id, request)
        self._is_open = True
        self.last = self._clock.now() + self._longest
        return is_new

    def guard(self, status: PoolStatus | None) -> None:
        """Now and then, so that a client that dies leaves no nodes for ever, nor another run's end
        takes them from this one.
        """
        size, now = self.kept.pool.size, self._clock.monotonic()
        if status is None or now < self._next_guard or not isinstance(size, FixedNodes):
            return
        if not self._is_open:
            # Nothing runs there any more: only results are brought home.
            return
        if status.expiry is None and status.allocation_state != "steady":
            return
        # What the service does not take yet is asked for again at the next look.
        if self._batch.expire_pool(self.kept.id, Expiry(size=size, at=self.last)):
            pause = max(self.kept.keep.total_seconds() / 2, _SHORTEST_GUARD_SECONDS)
            self._next_guard = now + pause

    def end(self) -> datetime:
        """When the nodes go, if the run ends now."""
        return self._clock.now() + self.kept.keep

    def close(self, until: datetime) -> str | None:
        """Lets the nodes go at that time; tells what stays, or None where there is no such pool.

        Where the service takes no other end yet, one that the pool has already and that is near
        will do; any other is not left to stand, and the wait is told.
        """
        status = self._status()
        deadline = self._clock.monotonic() + _PATIENCE.total_seconds()
        is_told = False
        while status is not None:
            wanted = Expiry(size=self._size(status), at=until)
            if self._is_at_rest(status, wanted) or self._batch.expire_pool(self.kept.id, wanted):
                return self._describe(wanted)
            status = self._status()
            if status is not None and _is_near(status.expiry, wanted):
                return self._describe(status.expiry)
            if self._clock.monotonic() >= deadline:
                raise ServiceError(
                    f"pool `{self.kept.id}` has taken no end of its nodes for"
                    f" {write_duration(_PATIENCE)}"
                )
            if not is_told:
                self._tell(
                    f"waiting for pool {self.kept.id} to take the end of its nodes: the service"
                    " lets it be changed every 30 seconds only, and not while nodes come or go"
                )
                is_told = True
            # Not the run's own: whoever interrupts it wants the nodes to go all the same.
            self._clock.wait(Stop(), _NEXT_TRY_SECONDS)
        return None

    def _status(self) -> PoolStatus | None:
        status = self._batch.pool_status(self.kept.id)
        return None if status is None or status.state == "deleting" else status

    def _describe(self, expiry: Expiry) -> str:
        """What the pool costs until it ends, and how to end it sooner."""
        count: int | None = expiry.size.dedicated + expiry.size.spot
        if count and not isinstance(self.kept.pool.size, FixedNodes):
            count = None
        quota = (
            "the empty pool costs nothing, but counts towards the quota of pools until"
            f" az batch pool delete --pool-id {self.kept.id} removes it"
        )
        if count == 0:
            return f"it has no nodes; {quota}"
        nodes = "its nodes" if count is None else f"{count} node{'' if count == 1 else 's'}"
        price = "" if count is None else f" ({count} node-hour{'' if count == 1 else 's'} an hour)"
        until = format_moment(expiry.at)
        return f"{nodes} of {self.kept.pool.vm_size}{price} until {until}, then none; {quota}"

    def _size(self, status: PoolStatus) -> FixedNodes:
        """What stays until the end: never more than the pool has where we have not asked for it."""
        size = self.kept.pool.size
        dedicated, spot = status.target_dedicated_nodes, status.target_spot_nodes
        if not isinstance(size, FixedNodes):
            # A formula of the user's is replaced: what it last asked for stays until the end.
            return FixedNodes(dedicated=dedicated, spot=spot)
        if not self._is_open:
            return FixedNodes(dedicated=min(size.dedicated, dedicated), spot=min(size.spot, spot))
        return size

    def _is_at_rest(self, status: PoolStatus, wanted: Expiry) -> bool:
        """Whether the pool has no nodes and gets none: its end, if it has one, is over."""
        if self._is_open or wanted.size.dedicated or wanted.size.spot:
            return False
        expiry = status.expiry
        return expiry is not None and expiry.at <= self._clock.now()


def _is_near(expiry: Expiry | None, wanted: Expiry) -> TypeGuard[Expiry]:
    """Whether what a pool has is as good as what is wanted."""
    if expiry is None:
        return False
    return expiry.size == wanted.size and abs(expiry.at - wanted.at) <= _NEAR


def _nature(value: object) -> object:
    """A value as JSON can hold it, without what tells only where it was written or how large."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "is": type(value).__name__,
            **{
                field.name: _nature(getattr(value, field.name))
                for field in fields(value)
                if field.name not in _NOT_NATURE
            },
        }
    match value:
        case Enum():
            return value.value
        case Mapping():
            return {str(key): _nature(each) for key, each in value.items()}
        case tuple() | list():
            return [_nature(each) for each in value]
        case timedelta():
            return value.total_seconds()
        case None | str() | int() | float():
            return value
        case _:
            raise TypeError(f"no nature is known for {type(value).__name__}")


def _start_task(plan: Plan) -> object:
    """The start task with the content of its files, wherever they are kept for a run."""
    start_task = plan.start_task
    if start_task is None:
        return None
    return {
        "line": start_task.command.line,
        "script": start_task.command.script,
        "environment": dict(start_task.command.environment),
        "run_as": _nature(start_task.run_as),
        "retries": start_task.retries,
        "waits": start_task.wait_for_success,
        "files": [_files(plan, resource) for resource in start_task.resources],
    }


def _files(plan: Plan, resource: BlobResource | FolderResource | WebResource) -> object:
    if isinstance(resource, WebResource):
        return [resource.url, resource.path, resource.mode]
    container = plan.container(resource.role)
    blob = resource.blob if isinstance(resource, BlobResource) else None
    prefix = "" if isinstance(resource, BlobResource) else resource.prefix
    found = [
        [file.blob, _content(container.name, file)]
        for file in container.files
        if (file.blob == blob if blob is not None else file.blob.startswith(prefix))
    ]
    # A blob that no plan knows is in a container of the user's.
    unknown = [[container.name, blob or prefix]]
    return [resource.path, resource.mode, found or unknown]


def _content(container: str, file: InputFile) -> str:
    if file.source is None:
        return f"{container}/{file.blob}: {file.size_bytes}"
    return _hash(file.source)


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            digest = hashlib.sha256()
            while piece := stream.read(1024 * 1024):
                digest.update(piece)
    except OSError as error:
        raise TransferError(f"cannot read `{path}`: {describe_os_error(error)}") from error
    return digest.hexdigest()
