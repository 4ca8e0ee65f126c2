"""What a run needs of the two services, in our own words: Protocols and the values they trade.

It knows nothing of the SDKs; `remote` implements the Protocols for Azure and the emulator alike,
and tests give hand-written ones. Every method may raise `ServiceError` (or a narrower kind): the
caller retries nothing, since the implementation has already been patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Protocol

from runner.frozen import dataclass
from runner.plan.model import RunId, StoredBlob, TaskId
from runner.run.removal.traces import Trace
from runner.run.requests import (
    AutoPool,
    JobRequest,
    NodeCommandRequest,
    OutputRequest,
    PoolRequest,
    ResourceRequest,
    ScheduleRequest,
    TaskRequest,
)
from runner.run.statuses import (
    Expiry,
    JobState,
    JobStatus,
    NodeCommandKind,
    NodeCommandStatus,
    NodeStatus,
    PoolStatus,
    TaskCounts,
    TaskFailure,
    TaskState,
    TaskStatus,
)
from runner.spec.model.pool import FixedNodes, Image

__all__ = [
    "AutoPool",
    "Batch",
    "BlobMissingError",
    "Blobs",
    "Downloaded",
    "Expiry",
    "JobRequest",
    "JobState",
    "JobStatus",
    "NodeCommandKind",
    "NodeCommandRequest",
    "NodeCommandStatus",
    "NodeStatus",
    "OutputRequest",
    "Permission",
    "PoolRequest",
    "PoolStatus",
    "ResourceRequest",
    "ScheduleRequest",
    "TaskCounts",
    "TaskFailure",
    "TaskRequest",
    "TaskState",
    "TaskStatus",
]


class Permission(Enum):
    """What a SAS may be used for."""

    READ = "read"
    """Read blobs and list the container: what a task needs of its inputs."""
    WRITE = "write"
    """Create and replace blobs: what a task needs to leave its outputs."""


class BlobMissingError(Exception):
    """The blob or its container does not exist; an answer, for the caller to judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What came of a blob; the MD5 is of what came, and the blob's own where it has one."""

    size_bytes: int
    md5: bytes
    modified: datetime | None = None
    """When the blob was last written, in whole seconds by the storage's clock, where it says so."""


class Blobs(Protocol):
    """Blob Storage."""

    @property
    def endpoint(self) -> str:
        """The account's URL, without a key or a SAS."""
        ...

    def create_container(self, name: str, metadata: Mapping[str, str]) -> None:
        """Creates it; `ServiceRefusedError` (`ContainerAlreadyExists`) where it exists."""
        ...

    def delete_container(self, name: str) -> None:
        """Deletes it if it is there, and returns once it is gone."""
        ...

    def has_container(self, name: str) -> bool:
        """Whether a container of just this name exists."""
        ...

    def delete_blobs(self, container: str, names: Iterable[str]) -> None:
        """Deletes blobs of a container; those that are gone already are forgiven."""
        ...

    def list_containers(self, prefix: str) -> tuple[str, ...]:
        """The names that start with `prefix`."""
        ...

    def container_metadata(self, name: str) -> Mapping[str, str] | None:
        """The metadata of a container; None where there is no such container."""
        ...

    def list_traces(self, run: RunId | None) -> tuple[Trace, ...]:
        """Containers that were made for one run, or for any."""
        ...

    @property
    def downloads_at_once(self) -> int:
        """So many are worth being under way: where the service is far, more wait for it."""
        ...

    def upload_file(self, container: str, blob: str, source: Path) -> bytes:
        """Brings a file up with its MD5, replacing the blob; `TransferError` names the file.

        Gives the MD5 of what was sent.
        """
        ...

    def upload_text(self, container: str, blob: str, text: str) -> None:
        """Brings a text up as UTF-8."""
        ...

    def download(self, container: str, blob: str, stream: BinaryIO) -> Downloaded:
        """Writes the blob to an open file, of one version from its first byte to its last.

        Length and, where the blob has one, MD5 are checked: `TransferError` where they do not fit,
        or where the blob is written to meanwhile. Raises `BlobMissingError`, and the `OSError` of
        the file.
        """
        ...

    def download_file(self, container: str, blob: str, target: Path) -> int:
        """Writes the blob to `target`, which must not be in use; returns its size in bytes.

        Length and, where the blob has one, MD5 are checked: `TransferError` where they do not fit.
        Raises `BlobMissingError`.
        """
        ...

    def list_blobs(self, container: str, prefix: str) -> Iterator[StoredBlob]:
        """All blobs whose names start with `prefix`, in order."""
        ...

    def hold_blob(self, container: str, blob: str, holder: str, seconds: int) -> bool:
        """Has a blob held for so long (15 to 60), or for as long again; false if another holds it.

        `holder` is a GUID. Raises `BlobMissingError` (REST: Lease Blob).
        """
        ...

    def release_blob(self, container: str, blob: str, holder: str) -> None:
        """Holds it no longer; forgiven where it is gone, or somebody else holds it."""
        ...

    def abandon_transfers(self) -> None:
        """Uploads and downloads end as `TransferError` at their next piece, and none begins."""
        ...

    def container_url(self, container: str, permission: Permission, expires: datetime) -> str:
        """The container's URL with a SAS; never log it."""
        ...

    def blob_url(self, container: str, blob: str, permission: Permission, expires: datetime) -> str:
        """A blob's URL, percent-encoded, with a SAS of its container; never log it."""
        ...

    def close(self) -> None:
        """Gives the connections back."""
        ...


class Batch(Protocol):
    """Azure Batch."""

    @property
    def endpoint(self) -> str:
        """The account's URL."""
        ...

    def find_node_agent(self, image: Image, *, containers: bool = False) -> str:
        """The node agent of an image in the service's list; `UsageError` with near ones if none.

        Where tasks run in `containers`, an image that cannot run them is a `UsageError` too.
        """
        ...

    def create_job(self, request: JobRequest) -> str:
        """Creates the job and with it its pool; returns the pool's id."""
        ...

    def create_pool(self, pool_id: str, request: PoolRequest) -> bool:
        """Creates the pool; false where one of this id and the same `pool` metadata exists.

        Such a pool is used as it is, but for its number of nodes, which becomes that of the
        request: one that `may_expire`, and has it for some time yet, keeps its expiry.
        `ServiceRefusedError` where a pool of this id is not ours.
        """
        ...

    def expire_pool(self, pool_id: str, expiry: Expiry) -> bool:
        """Lets the pool keep its nodes until a time, and give them all up then, without us.

        False where the service does not take it yet: it lets this be changed every 30 seconds
        only, and not while the pool is resized (REST: Pool - Enable Auto Scale).
        """
        ...

    def give_size(self, pool_id: str, size: FixedNodes, created: datetime) -> bool:
        """Gives a pool that was made with a job another size, as if it were made at `created`.

        False where the service does not take it yet, as with `expire_pool`; a resize under way is
        stopped then.
        """
        ...

    def remove_nodes(self, pool_id: str, nodes: Sequence[str]) -> bool:
        """Takes at most 100 nodes out of a pool, which then has as many fewer.

        False where the service does not do it yet, since nodes come or go.
        """
        ...

    def create_schedule(self, request: ScheduleRequest) -> None:
        """Creates a job schedule; `ServiceRefusedError` (`JobScheduleExists`) where it exists."""
        ...

    def add_tasks(self, job_id: str, requests: Sequence[TaskRequest]) -> None:
        """Adds any number of tasks, in collections; every result is read.

        A task that exists already counts as added: its id is ours, an earlier answer was lost.
        """
        ...

    def reactivate_task(self, job_id: str, task_id: TaskId) -> bool:
        """Runs a task again that has failed; false where its job is over, so that it cannot be.

        One that runs already, or waits to, is left alone: an earlier answer was lost.
        """
        ...

    def terminate_task(self, job_id: str, task_id: TaskId) -> bool:
        """Ends a task where it runs or waits to; false where it has ended already."""
        ...

    def finish_adding(self, job_id: str) -> None:
        """No more tasks will come: with the last one the job ends itself, and its pool goes."""
        ...

    def task_changes(self, job_id: str, since: datetime | None) -> Iterator[TaskStatus]:
        """Tasks that run or have ended, of those whose state changed at or after `since`."""
        ...

    def task_ids(self, job_id: str) -> Iterator[TaskId]:
        """The ids of all tasks that the job has; none where there is no such job."""
        ...

    def enable_job(self, job_id: str) -> None:
        """Lets a job that was disabled go on; any other stays as it is."""
        ...

    def job_status(self, job_id: str) -> JobStatus:
        """The job now; a job that is not there has the state `GONE`."""
        ...

    def pool_status(self, pool_id: str) -> PoolStatus | None:
        """The pool now, or None where the service no longer has it."""
        ...

    def node_statuses(self, pool_id: str) -> tuple[NodeStatus, ...]:
        """The pool's nodes now."""
        ...

    def node_commands(self, job_id: str) -> tuple[NodeCommandStatus, ...]:
        """The job's preparation and release on each node that ran them; none if it has neither."""
        ...

    def read_node_log(self, pool_id: str, node_id: str, path: str, limit_bytes: int) -> bytes:
        """The end of a file below the node's root; empty where it or the node is gone."""
        ...

    def node_file_size(self, pool_id: str, node_id: str, path: str) -> int | None:
        """How long a file below the node's root is now, in bytes; None where it is gone."""
        ...

    def read_node_file(
        self, pool_id: str, node_id: str, path: str, *, start: int, length: int
    ) -> bytes | None:
        """A piece of a file below the node's root; None where it or the node is gone."""
        ...

    def task_counts(self, job_id: str) -> TaskCounts | None:
        """The job's tasks by state, about as they are now; None where there is no such job."""
        ...

    def task_status(self, job_id: str, task_id: TaskId) -> TaskStatus | None:
        """One task now; None where the job does not have it."""
        ...

    def task_file_size(self, job_id: str, task_id: TaskId, path: str) -> int | None:
        """How long a file of the task is now, in bytes; None where it or its node is not there."""
        ...

    def read_task_file(
        self, job_id: str, task_id: TaskId, path: str, *, start: int, length: int
    ) -> bytes | None:
        """A piece of a file of the task; None where it or its node is not there."""
        ...

    def disable_job(self, job_id: str) -> None:
        """No further task of the job starts; those that run go on to their end.

        Once they have ended it is `DISABLED`. A job that is not active stays as it is.
        """
        ...

    def terminate_job(self, job_id: str) -> None:
        """Ends the job if it has not ended; its running tasks are killed."""
        ...

    def delete_job(self, job_id: str) -> None:
        """Deletes it if it is there, and returns once it is gone."""
        ...

    def delete_pool(self, pool_id: str) -> None:
        """Deletes it if it is there, and returns once it is gone."""
        ...

    def delete_schedule(self, schedule_id: str) -> None:
        """Deletes a job schedule with its jobs if it is there, and returns once it is gone."""
        ...

    def jobs_in(self, pool_id: str) -> tuple[str, ...]:
        """The jobs in a pool, anybody's, that are not over."""
        ...

    def list_traces(self, run: RunId | None) -> tuple[Trace, ...]:
        """Jobs, job schedules and pools of one run, or of all."""
        ...

    def find_pools(self, prefix: str, run_id: str) -> tuple[str, ...]:
        """Pools whose id starts with `prefix` and whose metadata name the run."""
        ...

    def close(self) -> None:
        """Gives the connections back."""
        ...
