"""What a run asks of the services, ready to be sent: pools, jobs, tasks and their files.

It knows nothing of how a request looks on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta

from runner.frozen import dataclass
from runner.plan.model import CommandLine, TaskId, TaskRange
from runner.spec.model.pool import NewPool
from runner.spec.model.step import JobAction, Step, UploadCondition
from runner.spec.model.terms import RunAs, SecretName
from runner.spec.model.workload import Job, Schedule


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
    may_expire: bool = False
    """Whether a pool that is there may keep the end that it has, where that is late enough."""
    created: datetime | None = None
    """When a pool of fixed size is made that gives its nodes back once nothing waits for them."""


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
