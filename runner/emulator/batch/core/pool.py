"""A pool as the emulator remembers it.

It must not know how it is shown, nor which nodes it has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from runner.emulator.batch.autoscale.evaluation import Evaluation
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, PoolId
from runner.emulator.batch.core.registries import RegistryPassword
from runner.emulator.storage.record import record

RESIZE_TIMEOUT = timedelta(minutes=15)
"""The service's default."""


class PoolState(Enum):
    """`state` of a pool."""

    ACTIVE = "active"
    DELETING = "deleting"


class AllocationState(Enum):
    """`allocationState` of a pool."""

    STEADY = "steady"
    RESIZING = "resizing"
    STOPPING = "stopping"


class NodeFill(Enum):
    """How tasks are spread over nodes that can take several."""

    SPREAD = "Spread"
    PACK = "Pack"


class Deallocation(Enum):
    """What happens to the tasks of a node that leaves its pool."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    TASK_COMPLETION = "taskcompletion"
    RETAINED_DATA = "retaineddata"


@record(frozen=True, slots=True, kw_only=True)
class ResizeError:
    """One entry of `resizeErrors`."""

    code: str
    message: str


@record(frozen=True, slots=True, kw_only=True)
class Supply:
    """How many nodes of each kind a pool can have at most, for want of machines."""

    dedicated: int
    spot: int


@record(frozen=True, slots=True, kw_only=True)
class StartTaskRule:
    """What the core needs of a start task; the rest stays in the pool's document."""

    wait_for_success: bool
    max_retry_count: int


@record(frozen=True, slots=True, kw_only=True)
class AutoScaleRule:
    """The formula that sets a pool's targets, and how often."""

    formula: str
    interval: timedelta


@record(frozen=True, slots=True, kw_only=True)
class AutoScaleRun:
    """What a formula came to at a moment."""

    moment: datetime
    evaluation: Evaluation


@record(frozen=True, slots=True, kw_only=True)
class AutoScale:
    """Automatic scaling of a pool since a moment, with its last evaluation."""

    rule: AutoScaleRule
    since: datetime
    run: AutoScaleRun | None = None


@record(frozen=True, slots=True, kw_only=True)
class PoolDraft:
    """A pool that is asked for; the targets count nodes."""

    document: Document
    target_dedicated: int
    target_spot: int
    slots_per_node: int
    fill: NodeFill
    start_task: StartTaskRule | None
    autoscale: AutoScaleRule | None = None
    inter_node: bool = False
    """Whether the nodes can reach each other."""
    vm_size: str = ""
    resize_timeout: timedelta = RESIZE_TIMEOUT
    registry_passwords: tuple[RegistryPassword, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Pool:
    """One pool; times are the service's own."""

    id: PoolId
    document: Document
    created: datetime
    modified: datetime
    state: PoolState
    state_time: datetime
    allocation: AllocationState
    allocation_time: datetime
    target_dedicated: int
    target_spot: int
    deallocation: Deallocation
    resize_errors: tuple[ResizeError, ...]
    slots_per_node: int
    fill: NodeFill
    start_task: StartTaskRule | None
    auto_pool_of: JobId | None
    nodes_made: int
    """How many nodes the pool ever had: numbers the next one's address."""
    inter_node: bool = False
    vm_size: str = ""
    resize_timeout: timedelta = RESIZE_TIMEOUT
    supply: Supply | None = None
    """How many nodes there are to be had; None is without end."""
    autoscale: AutoScale | None = None
    auto_scale_enabled: datetime | None = None
    """When scaling was last enabled by a request of its own."""
    registry_passwords: tuple[RegistryPassword, ...] = ()
