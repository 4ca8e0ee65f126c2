"""A job as the emulator remembers it.

It must not know how it is shown, nor which tasks it has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, PoolId, ScheduleId, TaskId
from runner.emulator.batch.core.pool import PoolDraft
from runner.emulator.batch.core.registries import RegistryPassword
from runner.emulator.batch.core.task import TaskDraft
from runner.emulator.batch.node.launch import FailureCategory
from runner.emulator.storage.record import record, replace


class JobState(Enum):
    """`state` of a job."""

    ACTIVE = "active"
    DISABLING = "disabling"
    DISABLED = "disabled"
    ENABLING = "enabling"
    TERMINATING = "terminating"
    COMPLETED = "completed"
    DELETING = "deleting"


class OnAllTasksComplete(Enum):
    """What the job does when no task of it is left to run."""

    NO_ACTION = "noaction"
    TERMINATE_JOB = "terminatejob"


class OnTaskFailure(Enum):
    """Whether the exit conditions of tasks may act on the job."""

    NO_ACTION = "noaction"
    PERFORM_EXIT_OPTIONS = "performexitoptionsjobaction"


class DisableTasks(Enum):
    """What disabling a job does to its running tasks."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    WAIT = "wait"


@record(frozen=True, slots=True, kw_only=True)
class SchedulingError:
    """`schedulingError`: why a job has no pool."""

    category: FailureCategory
    code: str
    message: str
    details: tuple[tuple[str, str], ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class AutoPool:
    """A pool that is made with the job, or the schedule, and goes with it unless it is kept."""

    prefix: str
    keep_alive: bool
    of_schedule: bool
    draft: PoolDraft
    fault: SchedulingError | None = None
    """Why the pool cannot be made."""


@record(frozen=True, slots=True, kw_only=True)
class PreparationRule:
    """What the core needs of a job preparation task; the rest stays in the job's document."""

    id: TaskId
    wait_for_success: bool
    max_retry_count: int
    rerun_after_reboot: bool


@record(frozen=True, slots=True, kw_only=True)
class ManagerRule:
    """What the core needs of a job manager task beyond what any task has."""

    id: TaskId
    kills_job: bool
    exclusive: bool
    dedicated_only: bool = False
    """Whether it may not run on a spot node."""


@record(frozen=True, slots=True, kw_only=True)
class JobRules:
    """What the core needs of a job's properties; an absent wall time is unlimited."""

    priority: int
    max_parallel_tasks: int
    max_wall_clock_time: timedelta | None
    max_retry_count: int
    on_all_complete: OnAllTasksComplete
    on_task_failure: OnTaskFailure
    uses_dependencies: bool
    preparation: PreparationRule | None = None
    release: TaskId | None = None
    """The id of the job release task."""
    manager: ManagerRule | None = None
    preemptible: bool = False
    """Whether its tasks give way to those of jobs with a higher priority."""


@record(frozen=True, slots=True, kw_only=True)
class JobDraft:
    """A job that is asked for."""

    document: Document
    rules: JobRules
    where: PoolId | AutoPool
    manager: TaskDraft | None = None
    registry_passwords: tuple[RegistryPassword, ...] = ()

    def with_fault(self, fault: SchedulingError) -> JobDraft:
        """The job with an auto-pool that cannot be made; any other as it is."""
        if not isinstance(self.where, AutoPool):
            return self
        return replace(self, where=replace(self.where, fault=fault))


@record(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; `pool` is the pool its tasks run on, whether or not that exists."""

    id: JobId
    schedule: ScheduleId | None
    document: Document
    rules: JobRules
    created: datetime
    modified: datetime
    state: JobState
    state_time: datetime
    previous_state: JobState | None
    previous_state_time: datetime | None
    pool: PoolId
    owns_pool: bool
    started: datetime
    ended: datetime | None
    terminate_reason: str | None
    tasks_made: int
    """How many tasks the job ever had: the order in which they are run."""
    scheduling_error: SchedulingError | None = None
    registry_passwords: tuple[RegistryPassword, ...] = ()
