"""A compute node as the emulator remembers it.

It must not know directories or processes.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from enum import Enum
from operator import attrgetter

from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, RunId, TaskId
from runner.emulator.batch.core.pool import Deallocation
from runner.emulator.batch.node.launch import Failure
from runner.emulator.storage.record import record


class NodeState(Enum):
    """`state` of a node."""

    IDLE = "idle"
    REBOOTING = "rebooting"
    REIMAGING = "reimaging"
    RUNNING = "running"
    UNUSABLE = "unusable"
    CREATING = "creating"
    STARTING = "starting"
    WAITING_FOR_START_TASK = "waitingforstarttask"
    START_TASK_FAILED = "starttaskfailed"
    UNKNOWN = "unknown"
    LEAVING_POOL = "leavingpool"
    OFFLINE = "offline"
    PREEMPTED = "preempted"
    UPGRADING_OS = "upgradingos"
    DEALLOCATED = "deallocated"
    DEALLOCATING = "deallocating"


_CLOSING = frozenset(
    {
        NodeState.LEAVING_POOL,
        NodeState.REBOOTING,
        NodeState.REIMAGING,
        NodeState.DEALLOCATING,
        NodeState.PREEMPTED,
        NodeState.UNUSABLE,
    }
)


class SchedulingState(Enum):
    """Whether the node takes tasks."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@record(frozen=True, slots=True, kw_only=True)
class NodeError:
    """One entry of `errors`: what is wrong with the node."""

    code: str
    message: str
    details: tuple[tuple[str, str], ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class NodeUser:
    """A user account that was added for remote login; passwords and keys are not kept."""

    name: str
    is_admin: bool
    expires: datetime


@record(frozen=True, slots=True, kw_only=True)
class NodeRun:
    """How a task that belongs to a node fares there: start task, job preparation, job release.

    `run` is set while it runs.
    """

    started: datetime
    ended: datetime | None = None
    exit_code: int | None = None
    failure: Failure | None = None
    retry_count: int = 0
    last_retry: datetime | None = None
    run: RunId | None = None


@record(frozen=True, slots=True, kw_only=True)
class Occupation:
    """The slots that one execution holds until its processes are gone."""

    run: RunId
    job: JobId
    task: TaskId
    slots: int
    subtask: int = 0


@record(frozen=True, slots=True, kw_only=True)
class FinishedTask:
    """One entry of `recentTasks`: an execution that ended on the node."""

    job: JobId
    task: TaskId
    started: datetime
    ended: datetime
    exit_code: int | None
    failure: Failure | None
    subtask: int = 0


@record(frozen=True, slots=True, kw_only=True)
class Node:
    """One node of a pool."""

    pool: PoolId
    id: NodeId
    number: int
    dedicated: bool
    state: NodeState
    state_time: datetime
    allocated: datetime
    booted: datetime | None
    scheduling: SchedulingState
    slots: int
    start: NodeRun | None
    occupied: tuple[Occupation, ...]
    recent: tuple[FinishedTask, ...]
    total_run: int
    total_succeeded: int
    errors: tuple[NodeError, ...] = ()
    users: tuple[NodeUser, ...] = ()
    machine_since: datetime | None = None
    """Since when it has a machine; None while it has none."""
    option: Deallocation | None = None
    """What becomes of the tasks of a node that is being cleared."""
    until: datetime | None = None
    """When a preempted node is made anew."""
    retained_until: datetime | None = None
    """When the retention of all tasks that completed here is over."""

    @property
    def used_slots(self) -> int:
        """Slots that running executions hold."""
        return sum([occupation.slots for occupation in self.occupied])

    @property
    def closing(self) -> bool:
        """Whether all that runs here has to end, since the node leaves, restarts or is lost."""
        return self.state in _CLOSING

    @property
    def ready_state(self) -> NodeState:
        """The state in which the node runs nothing."""
        enabled = self.scheduling is SchedulingState.ENABLED
        return NodeState.IDLE if enabled else NodeState.OFFLINE

    @property
    def takes_tasks(self) -> bool:
        """Whether a task may be placed here, slots permitting."""
        return (
            self.state in (NodeState.IDLE, NodeState.RUNNING)
            and self.scheduling is SchedulingState.ENABLED
        )


_WORKING = (NodeState.IDLE, NodeState.RUNNING)


def differs_little(before: Node, node: Node) -> bool:
    """Whether all that has changed is what tasks do to a node by coming and going."""
    if before.state is not node.state and not (before.state in _WORKING and node.state in _WORKING):
        return False
    lasting: bool = _lasting(before) == _lasting(node)
    return lasting


_lasting = attrgetter(
    *(
        field.name
        for field in fields(Node)
        if field.name
        not in {
            *("state", "state_time", "occupied", "recent", "total_run", "total_succeeded"),
            "retained_until",
        }
    )
)
