"""The typed model of a checked spec: frozen values, parameters filled in, units in the names.

It knows nothing of YAML or of Azure; `spec.parse` makes it, `plan.expand` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import NewType

from runner.spec.document import Document, Pointer
from runner.spec.pattern import PatternTemplate
from runner.spec.script import CommandTemplate
from runner.spec.template import Template

Role = NewType("Role", str)
"""The name that a spec gives a container: `input`, `output`, `application`."""

ParameterValue = str | int | float | bool


class Delete(Enum):
    """When a container that the run made is deleted."""

    AFTER_SUCCESS = "after-success"
    AFTER_RUN = "after-run"
    NEVER = "never"


class Elevation(Enum):
    """The user that a command runs as: Azure's pool auto-user, with or without sudo."""

    USER = "user"
    ADMIN = "admin"


class UploadCondition(Enum):
    """The outcome of a task on which an output is uploaded."""

    SUCCESS = "success"
    FAILURE = "failure"
    COMPLETION = "completion"


class Print(Enum):
    """What of each finished task goes to our standard output."""

    NONE = "none"
    STDOUT = "stdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`duration` bounds the job on the service's side, `wait` how long we watch it."""

    duration: timedelta
    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Files to bring up: `source` is a file or a folder relative to the spec's folder."""

    source: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container made for the run, by role."""

    role: Role
    uploads: tuple[Upload, ...]
    download: bool
    delete: Delete
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A marketplace image; its node agent is looked up in the service's list."""

    publisher: str
    offer: str
    sku: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """All files of a container, brought into a task's working directory."""

    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTask:
    """What each node runs when it joins the pool."""

    command: CommandTemplate
    environment: Mapping[str, Template]
    resources: tuple[Resource, ...]
    run_as: Elevation
    wait_for_success: bool
    retries: int
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The nodes: image, VM size, numbers; made for the job and gone with it."""

    image: Image
    vm_size: str
    dedicated_nodes: int
    spot_nodes: int
    task_slots_per_node: int
    start_task: StartTask | None
    extra: Mapping[str, object]
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesOf:
    """`for_each: input`: one task for each file of a container."""

    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Files that a task leaves: a pattern below its working directory, and their container.

    `path` is the blob's name (or, where the pattern has a wildcard, its virtual folder);
    None means the default that `plan` chooses.
    """

    pattern: PatternTemplate
    to: Role
    when: UploadCondition
    path: Template | None
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One templated command, run once for each item."""

    name: str
    for_each: FilesOf
    command: CommandTemplate
    environment: Mapping[str, Template]
    resources: tuple[Resource, ...]
    outputs: tuple[Output, ...]
    print: Print
    run_as: Elevation
    retries: int
    timeout: timedelta | None
    extra: Mapping[str, object]
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Settings of the job as a whole."""

    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One checked spec, with its parameters' values."""

    document: Document
    name: str
    description: str
    parameters: Mapping[str, ParameterValue]
    limits: Limits
    containers: tuple[Container, ...]
    pool: Pool
    job: Job
    steps: tuple[Step, ...]

    @property
    def prints(self) -> bool:
        """Whether any step shows its tasks' standard output."""
        return any(step.print is Print.STDOUT for step in self.steps)

    def container(self, role: Role) -> Container:
        """The container of a role; the rules have checked that it exists."""
        return next(container for container in self.containers if container.role == role)
