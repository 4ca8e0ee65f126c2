"""What a run needs of the two services, in our own words: Protocols and the values they trade.

It knows nothing of the SDKs; `remote` implements the Protocols for Azure and the emulator alike,
and tests give hand-written ones. Every method may raise `ServiceError` (or a narrower kind): the
caller retries nothing, since the implementation has already been patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Protocol

from runner.plan.model import CommandLine, StoredBlob, TaskId, TaskRange
from runner.spec.pool import FixedNodes, Image, NewPool
from runner.spec.step import JobAction, Step, UploadCondition
from runner.spec.terms import RunAs, SecretName
from runner.spec.workload import Job, Schedule


class Permission(Enum):
    """What a SAS may be used for."""

    READ = "read"
    """Read blobs and list the container: what a task needs of its inputs."""
    WRITE = "write"
    """Create and replace blobs: what a task needs to leave its outputs."""


class BlobMissingError(Exception):
    """The blob or its container does not exist; an answer, for the caller to judge."""


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

    def upload_file(self, container: str, blob: str, source: Path) -> None:
        """Brings a file up with its MD5, replacing the blob; `TransferError` names the file."""
        ...

    def upload_text(self, container: str, blob: str, text: str) -> None:
        """Brings a text up as UTF-8."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRequest:
    """A file (`url`), or with `container_url` all blobs of a container that start with `prefix`.

    A URL into our storage has a SAS; never log it.
    """

    url: str | None = None
    container_url: str | None = None
    prefix: str = ""
    path: str = ""
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRequest:
    """An upload that the node makes when the task has ended; an empty `path` is left out."""

    pattern: str
    container_url: str
    path: str
    when: UploadCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCommandRequest:
    """A start task, a job preparation or a job release."""

    command: CommandLine
    resources: tuple[ResourceRequest, ...]
    run_as: RunAs
    retries: int
    timeout: timedelta | None
    wait_for_success: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRequest:
    """A pool as the spec describes it, with what only a run knows."""

    pool: NewPool
    node_agent: str
    start_task: NodeCommandRequest | None
    runs_containers: bool
    """Whether tasks run in container images, so that nodes need the means."""
    secrets: Mapping[SecretName, str] = field(repr=False)
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoPool:
    """A pool that the service makes with a job and takes away with it, unless `keep`."""

    id_prefix: str
    """At most 20 characters; the service adds a GUID."""
    request: PoolRequest
    keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """A job with its own pool, or in that of an id. It ends itself at `duration`."""

    id: str
    pool: AutoPool | str
    duration: timedelta
    settings: Job
    environment: Mapping[str, str]
    preparation: NodeCommandRequest | None
    release: NodeCommandRequest | None
    uses_dependencies: bool
    heeds_exits: bool
    """Whether the ends of tasks may end the job (REST: `onTaskFailure`)."""
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """A task, ready to be sent; `step` has what all tasks of a step share."""

    id: TaskId
    display_name: str
    step: Step
    command: CommandLine
    coordination: CommandLine | None
    resources: tuple[ResourceRequest, ...]
    shared_resources: tuple[ResourceRequest, ...]
    outputs: tuple[OutputRequest, ...]
    needs: tuple[TaskRange, ...]
    container_image: str | None
    job_action: JobAction | None
    """What an end without a rule does to the job; None where the job heeds no ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """A job that the service makes again and again; its one task is the job's manager.

    When the manager ends, so does the job (REST: `killJobOnCompletion`).
    """

    id: str
    schedule: Schedule
    job: JobRequest
    manager: TaskRequest


class JobState(Enum):
    """The job's states; `GONE` where the service no longer has it."""

    ACTIVE = "active"
    DISABLING = "disabling"
    DISABLED = "disabled"
    ENABLING = "enabling"
    TERMINATING = "terminating"
    COMPLETED = "completed"
    DELETING = "deleting"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """The job now. `problem` is the scheduling error, in the service's words."""

    state: JobState
    pool_id: str | None
    terminate_reason: str | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """The pool now; `resize_errors` in the service's words."""

    state: str
    allocation_state: str
    dedicated_nodes: int
    spot_nodes: int
    target_dedicated_nodes: int
    target_spot_nodes: int
    resize_errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """A node now; `state` is the service's word in lower case (`idle`, `starttaskfailed`)."""

    id: str
    state: str
    start_task_exit_code: int | None
    start_task_failure: str | None


class NodeCommandKind(Enum):
    """Which of a job's commands for nodes."""

    PREPARATION = "preparation"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCommandStatus:
    """How a job's preparation or release goes on a node; `succeeded` is None while it runs.

    A preparation that failed keeps the job's tasks from the node.
    """

    node_id: str
    kind: NodeCommandKind
    succeeded: bool | None
    exit_code: int | None
    failure: TaskFailure | None


class TaskState(Enum):
    """The task's states."""

    ACTIVE = "active"
    PREPARING = "preparing"
    RUNNING = "running"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailure:
    """`failureInfo`: a code such as `FailureExitCode`, and the service's words."""

    code: str
    category: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """A task now. `succeeded` is None until it has completed; `exit_code` is None if none ran."""

    id: TaskId
    state: TaskState
    changed: datetime
    node_id: str | None
    started: datetime | None
    ended: datetime | None
    exit_code: int | None
    succeeded: bool | None
    retry_count: int
    failure: TaskFailure | None


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
        request. `ServiceRefusedError` where a pool of this id is not ours.
        """
        ...

    def expire_pool(self, pool_id: str, size: FixedNodes, at: datetime) -> None:
        """Lets the pool keep its nodes until a time, and give them all up then, without us."""
        ...

    def create_schedule(self, request: ScheduleRequest) -> None:
        """Creates a job schedule; `ServiceRefusedError` (`JobScheduleExists`) where it exists."""
        ...

    def add_tasks(self, job_id: str, requests: Sequence[TaskRequest]) -> None:
        """Adds any number of tasks, in collections; every result is read.

        A task that exists already counts as added: its id is ours, an earlier answer was lost.
        """
        ...

    def finish_adding(self, job_id: str) -> None:
        """No more tasks will come: with the last one the job ends itself, and its pool goes."""
        ...

    def task_changes(self, job_id: str, since: datetime | None) -> Iterator[TaskStatus]:
        """Tasks that run or have ended, of those whose state changed at or after `since`."""
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

    def read_start_task_log(self, pool_id: str, node_id: str, limit_bytes: int) -> bytes:
        """The end of the start task's stderr; empty where the node is gone."""
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

    def find_pools(self, prefix: str, run_id: str) -> tuple[str, ...]:
        """Pools whose id starts with `prefix` and whose metadata name the run."""
        ...

    def close(self) -> None:
        """Gives the connections back."""
        ...
