"""A task as the emulator remembers it.

It must not know how it is shown or launched: command line and files stay in its document.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, RunId, TaskId
from runner.emulator.batch.core.registries import RegistryPassword
from runner.emulator.batch.node.launch import Failure
from runner.emulator.storage.record import record


class TaskState(Enum):
    """`state` of a task."""

    ACTIVE = "active"
    PREPARING = "preparing"
    RUNNING = "running"
    COMPLETED = "completed"


class JobAction(Enum):
    """What a task's exit does to its job."""

    NONE = "none"
    DISABLE = "disable"
    TERMINATE = "terminate"


@record(frozen=True, slots=True, kw_only=True)
class ExitAction:
    """The answer to one way of ending."""

    job: JobAction
    satisfies_dependents: bool


@record(frozen=True, slots=True, kw_only=True)
class ExitRules:
    """`exitConditions`, decoded: the first that fits decides."""

    codes: tuple[tuple[int, ExitAction], ...]
    ranges: tuple[tuple[int, int, ExitAction], ...]
    pre_processing: ExitAction | None
    file_upload: ExitAction | None
    default: ExitAction | None


@record(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """`dependsOn`: task ids, and inclusive ranges of ids that are integers."""

    ids: tuple[TaskId, ...]
    ranges: tuple[tuple[int, int], ...]


@record(frozen=True, slots=True, kw_only=True)
class TaskDraft:
    """A task that is asked for; `max_retry_count` None takes the job's."""

    id: TaskId
    document: Document
    slots: int
    max_retry_count: int | None
    exits: ExitRules | None
    declares_job_action: bool
    depends_on: Dependencies | None
    retention: timedelta | None = None
    """How long the files stay once the task has completed; None is for ever."""
    instances: int = 0
    """How many nodes a multi-instance task needs; 0 for any other."""
    affinity: NodeId | None = None
    registry_passwords: tuple[RegistryPassword, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the task runs or ran last."""

    pool: PoolId
    node: NodeId


@lru_cache(maxsize=4096)
def placement_on(pool: PoolId, node: NodeId) -> Placement:
    """The placement on a node: the tasks of a node share it."""
    return Placement(pool=pool, node=node)


@record(frozen=True, slots=True, kw_only=True)
class Subtask:
    """One instance of a multi-instance task beside its primary; `number` counts from 1.

    It holds its node until the whole task ends: `run` is set as long. Its own work, which is to
    coordinate, is over when it has completed.
    """

    number: int
    run: RunId | None
    placement: Placement
    state: TaskState
    state_time: datetime
    previous_state: TaskState | None = None
    previous_state_time: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    failure: Failure | None = None


@record(frozen=True, slots=True, kw_only=True)
class Task:
    """One task; `run` names the execution in progress, and `ended` is set once completed."""

    job: JobId
    id: TaskId
    number: int
    document: Document
    created: datetime
    modified: datetime
    state: TaskState
    state_time: datetime
    slots: int
    max_retry_count: int
    previous_state: TaskState | None = None
    previous_state_time: datetime | None = None
    exits: ExitRules | None = None
    depends_on: Dependencies | None = None
    retention: timedelta | None = None
    instances: int = 0
    affinity: NodeId | None = None
    """The node that it would rather have."""
    subtasks: tuple[Subtask, ...] = ()
    coordinated: bool = False
    """Whether the primary of a multi-instance task has coordinated."""
    cleaned_up: bool = False
    """Whether the files were removed because their time was over."""
    run: RunId | None = None
    placement: Placement | None = None
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    failure: Failure | None = None
    retry_count: int = 0
    last_retry: datetime | None = None
    requeue_count: int = 0
    last_requeue: datetime | None = None
    registry_passwords: tuple[RegistryPassword, ...] = ()

    @property
    def places(self) -> tuple[Placement, ...]:
        """All nodes on which it runs or ran last."""
        own = () if self.placement is None else (self.placement,)
        if not self.subtasks:
            return own
        return (*own, *(subtask.placement for subtask in self.subtasks))

    def is_run_by(self, run: RunId) -> bool:
        """Whether an execution is the task's present one, or that of a subtask."""
        return self.run == run or any(subtask.run == run for subtask in self.subtasks)

    @property
    def succeeded(self) -> bool:
        """Completed, and without a failure."""
        return self.state is TaskState.COMPLETED and self.failure is None


@record(frozen=True, slots=True, kw_only=True)
class SatisfiedTask:
    """A task that others need not wait for any more, whatever has become of it since."""

    job: JobId
    task: TaskId
