"""Everything that is seen in a run, as one closed list of values.

Whatever is shown is a fold over these; they know nothing of how they are kept or shown.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import ClassVar

from runner.frozen import dataclass
from runner.plan.prices.node_price import NodePrice

VERSION = 1

DEPENDENCY_FAILED = "DependencyFailed"
"""The cause of a task's failure where it never ran, since one that it needs failed."""
JOB_ENDED = "JobEnded"
"""The cause where a task was ended because its job was."""
HALTED = "Halted"
"""The cause where a task never ran, since the run stopped early."""
TRANSFER_FAILED = "TransferFailed"
"""The cause where what a task left could not be brought home."""
OUTPUT_MISSING = "OutputMissing"
"""The cause where a task succeeded and did not leave what it declares."""

GONE = "gone"
"""The state of a node that is no longer in its pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The plan stands and the services have answered; `files` are those to bring up."""

    type: ClassVar[str] = "run.started"
    workload: str
    target: str
    tasks: int
    files: int
    bytes: int
    resumed: bool = False
    """The run had begun before, and goes on; what follows adds to what was seen then."""
    left_out: int = 0
    """Tasks that nobody asked for: they are neither run nor done."""
    price: NodePrice | None = None
    """What an hour of the pool's nodes costs, where somebody asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFinished:
    """An input file is in its container; `skipped` where it was there already, unchanged.

    `md5` is that of what was sent, in hexadecimal digits.
    """

    type: ClassVar[str] = "upload.finished"
    role: str
    blob: str
    bytes: int
    skipped: bool = False
    md5: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolChanged:
    """The pool's allocation or its numbers of nodes changed; `errors` in the service's words."""

    type: ClassVar[str] = "pool.changed"
    pool: str
    allocation: str
    dedicated: int
    spot: int
    target_dedicated: int
    target_spot: int
    errors: tuple[str, ...]
    vm_size: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChanged:
    """A node has another state; `previous` is None when it is first seen.

    The state is the service's, or `gone` where the pool no longer has the node.
    """

    type: ClassVar[str] = "node.changed"
    node: str
    state: str
    previous: str | None
    dedicated: bool | None = None
    """False for a spot node, None where the service does not say."""
    allocated: datetime | None = None
    """When the node came to the pool: it is paid for from then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCreated:
    """The job exists, and with it its pool."""

    type: ClassVar[str] = "job.created"
    job: str
    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAdded:
    """The service has taken the task."""

    type: ClassVar[str] = "task.added"
    task: str
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted:
    """An attempt of the task runs on a node."""

    type: ClassVar[str] = "task.started"
    task: str
    node: str | None
    at: datetime | None
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished:
    """The task has ended. `cause` and `message` are the service's for a failure.

    `stdout` and `stderr` are paths in the run's directory, None where they were not brought home.
    Where a task is told finished twice, as a run that is resumed may do, the last word counts.
    """

    type: ClassVar[str] = "task.finished"
    task: str
    item: str
    node: str | None
    succeeded: bool
    exit_code: int | None
    started: datetime | None
    ended: datetime | None
    retries: int
    cause: str | None
    message: str | None
    stdout: str | None
    stderr: str | None
    stderr_tail: str | None
    skipped: bool = False
    """It was not run: what it would have done is there from an earlier run."""
    attempts: int = 1
    """How often it was begun, as far as the service tells: `retries` and preemptions, and one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRetried:
    """An attempt of a task has ended, and the task is run again: at once by the service, or by us.

    What the service does not tell is None; it overwrites the attempt before with each new one.
    """

    type: ClassVar[str] = "task.retried"
    task: str
    retries: int
    """How often the task was run again so far; that it lost its node does not count."""
    attempt: int = 1
    """The number of the attempt that has ended, from 1."""
    cause: str | None = None
    """`exit_code`, `resource_download`, `output_upload`, `timeout`, `preemption` or `requeue`."""
    exit_code: int | None = None
    message: str | None = None
    """The service's words for the failure."""
    node: str | None = None
    started: datetime | None = None
    at: datetime | None = None
    """When the attempt ended, or where the service tells no more, when it was queued again."""
    due: datetime | None = None
    """When we run it again; None where the service does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDownloaded:
    """A blob is whole in the output directory; `md5` is the file's, in hexadecimal digits."""

    type: ClassVar[str] = "output.downloaded"
    task: str
    role: str
    blob: str
    path: str
    bytes: int
    md5: str | None = None
    modified: datetime | None = None
    """When it was whole in its container, by the storage's clock and cut to whole seconds: the
    task's command was over at the end of that second.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTaskFailed:
    """A node cannot take tasks because its start task, or the job's preparation there, failed."""

    type: ClassVar[str] = "start_task.failed"
    node: str
    exit_code: int | None
    message: str | None
    stderr_tail: str
    command: str = "start task"
    """Which of the two it was: this or `job preparation`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """Something of ours that still exists, and why."""

    kind: str
    name: str
    why: str
    kept: bool
    """On purpose: the spec or an option says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupFinished:
    """What was deleted, and what is left, checked by asking the services.

    `checked_at` is when they had listed all that the run has; None where they were not asked, or
    could not say.
    """

    type: ClassVar[str] = "cleanup.finished"
    deleted: tuple[str, ...]
    left: tuple[LeftBehind, ...]
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The run has ended with this exit code; `error` is why we could not go on."""

    type: ClassVar[str] = "run.finished"
    exit_code: int
    succeeded: int
    failed: int
    unfinished: int
    error: str | None
    halted: bool = False
    """The run stopped early: what is unfinished never ran."""
    untouched: bool = False
    """The run had begun before, and whoever wanted to go on with it has done nothing to it."""
    hint: str | None = None
    """What to do about the error."""
    code: str | None = None
    """The service's code for it, where a service said no."""
    place: str | None = None
    """Where in the spec the reason is: `file:line:col`."""


Event = (
    RunStarted
    | UploadFinished
    | PoolChanged
    | NodeChanged
    | JobCreated
    | TaskAdded
    | TaskStarted
    | TaskFinished
    | TaskRetried
    | OutputDownloaded
    | StartTaskFailed
    | CleanupFinished
    | RunFinished
)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: `2026-01-31T12:00:00.000000Z`."""
    if moment.tzinfo is not timezone.utc:
        moment = moment.astimezone(timezone.utc)
    # Without its zone: what is cut off from the end need not be looked for.
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def format_moment(moment: datetime) -> str:
    """RFC 3339 in UTC to the second, for people and services: `2026-01-31T12:00:00Z`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
