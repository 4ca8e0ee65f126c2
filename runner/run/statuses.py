"""What the services answer: how jobs, pools, nodes and tasks are now.

It knows nothing of how an answer looks on the wire, nor of what is made of it.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from runner.frozen import dataclass
from runner.plan.model import TaskId
from runner.spec.model.pool import FixedNodes


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
    created: datetime | None = None
    """When the service made it: its wall time counts from then."""
    run: str | None = None
    """The run that made it, as its metadata say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """How many nodes a pool keeps until a time, at which the service takes them all away."""

    size: FixedNodes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """The pool now; `resize_errors` and `formula_error` in the service's words.

    `expiry` is what `expire_pool` gave it last, None where something else says its size.
    """

    state: str
    allocation_state: str
    dedicated_nodes: int
    spot_nodes: int
    target_dedicated_nodes: int
    target_spot_nodes: int
    resize_errors: tuple[str, ...]
    expiry: Expiry | None = None
    formula_error: str | None = None
    vm_size: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """A node now; `state` is the service's word in lower case (`idle`, `starttaskfailed`).

    `errors` are what is wrong with it, in the service's words.
    """

    id: str
    state: str
    start_task_exit_code: int | None
    start_task_failure: str | None
    is_dedicated: bool | None = None
    """False for a spot node, None where the service does not say."""
    errors: tuple[str, ...] = ()
    allocated: datetime | None = None
    """When the node came to the pool."""
    start_task_ended: bool = False
    """Whether it is known how its start task has ended."""


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
    directory: str | None = None
    """Where the node keeps its `stderr.txt`, below the node's root."""


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
    """A task now. `succeeded` is None until it has completed; `exit_code` is None if none ran.

    `retry_count` and `requeue_count` are the service's own: the first starts anew when the task is
    reactivated, the second tells how often the task was put back into the queue.
    """

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
    retried: datetime | None = None
    """When the service last ran it again after an exit code."""
    requeue_count: int = 0
    requeued: datetime | None = None
    """When it was last put back into the queue."""
    attempts: int = 1
    """How often it was begun, as far as a run has seen; the service does not count that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCounts:
    """A job's tasks by state; those that are being prepared count as running."""

    active: int
    running: int
    succeeded: int
    failed: int
