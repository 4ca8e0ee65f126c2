"""The typed model of a checked spec: frozen values, parameters filled in, units in the names.

It knows nothing of YAML or of Azure; `spec.parse` makes it, `plan.expand` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum

from runner.frozen import dataclass
from runner.spec.document import Document, Pointer
from runner.spec.model.halt import Halt
from runner.spec.model.pool import NewPool, Pool
from runner.spec.model.sources import FilePatterns
from runner.spec.model.step import Print, Step
from runner.spec.model.terms import (
    NodeCommand,
    ParameterValue,
    Role,
    SecretParameter,
    StepName,
)
from runner.spec.templates.template import Template


class Delete(Enum):
    """When a container that the run made is deleted."""

    AFTER_SUCCESS = "after-success"
    AFTER_RUN = "after-run"
    NEVER = "never"


class IfNotEmpty(Enum):
    """What happens to the blobs that a container of the user's naming already has."""

    KEEP = "keep"
    """They stay; a blob of the run replaces one of its own name."""
    CLEAR = "clear"
    """They are deleted first."""
    REFUSE = "refuse"
    """The run does not begin."""


class Structure(Enum):
    """What becomes of the folders of an upload."""

    KEEP = "keep"
    FLAT = "flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLimit:
    """The most that the nodes of a run may cost; without a currency, in that of their prices."""

    amount: float
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`duration` bounds the job on the service's side, `wait` how long we watch it.

    `patience` is how long a service may be in trouble before the run gives up.
    """

    duration: timedelta
    wait: timedelta
    patience: timedelta = timedelta(minutes=15)
    cost: CostLimit | None = None
    is_cost_bound: bool = False
    """`duration` is shorter than the spec has it: all nodes could have cost `cost` by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Files to bring up: `source` is a file or a folder relative to the spec's folder.

    `to` is the virtual folder of the container that they go below, empty for its root.
    """

    source: str
    patterns: FilePatterns
    structure: Structure
    to: str
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnContainer:
    """A container that the run writes: made for it, or of the user's own name.

    `name` None is made for the run. One of the user's naming is made where it does not exist and
    reused where it does; then `delete` deletes it only if the spec says so itself.
    """

    role: Role
    name: str | None
    if_not_empty: IfNotEmpty
    uploads: tuple[Upload, ...]
    download: bool
    delete: Delete
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingContainer:
    """A container of the user's: read and never deleted. Files below `prefix`, without it."""

    role: Role
    name: str
    prefix: str
    patterns: FilePatterns
    pointer: Pointer


Container = OwnContainer | ExistingContainer


class OnFailure(Enum):
    """What a task that has failed for good does to the others."""

    CONTINUE = "continue"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The job again and again, made by the service (REST: JobScheduleConfiguration)."""

    every: timedelta
    window: timedelta | None
    """How late a job may start before it is left out; None: however late."""
    start: datetime | None
    end: datetime
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Settings of the job as a whole."""

    priority: int = 0
    max_parallel_tasks: int | None = None
    on_failure: OnFailure = OnFailure.CONTINUE
    environment: Mapping[str, Template] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    preparation: NodeCommand | None = None
    rerun_preparation_on_reboot: bool = True
    release: NodeCommand | None = None
    schedule: Schedule | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    pointer: Pointer = ("job",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One checked spec, with its parameters' values; `steps` in an order in which they can run.

    `parameters` are those that may be written down: the others are `secret_parameters`.
    """

    document: Document
    name: str
    description: str
    parameters: Mapping[str, ParameterValue]
    limits: Limits
    containers: tuple[Container, ...]
    pool: Pool
    job: Job
    steps: tuple[Step, ...]
    secret_parameters: tuple[SecretParameter, ...] = ()
    halt: Halt = field(default_factory=Halt)

    @property
    def prints(self) -> bool:
        """Whether any step shows its tasks' standard output."""
        return any(step.print is Print.STDOUT for step in self.steps)

    @property
    def runs_containers(self) -> bool:
        """Whether the nodes of the pool that is made get the means to run container images."""
        if not isinstance(self.pool, NewPool):
            return False
        in_steps = any(step.container is not None for step in self.steps)
        return in_steps or bool(self.pool.container_images or self.pool.registries)

    def container(self, role: Role) -> Container:
        """The container of a role; the rules have checked that it exists."""
        return next(container for container in self.containers if container.role == role)

    def step(self, name: StepName) -> Step:
        """The step of a name; the rules have checked that it exists."""
        return next(step for step in self.steps if step.name == name)
