"""A step of a workload: one templated command and what becomes of it.

It knows nothing of pools and containers but their roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from enum import Enum

from runner.frozen import dataclass
from runner.spec.document import Pointer
from runner.spec.model.retries import RetryPlan
from runner.spec.model.sources import Source
from runner.spec.model.terms import Application, Resource, Role, RunAs, SecretName, StepName
from runner.spec.shells.script import CommandTemplate
from runner.spec.templates.pattern import PatternTemplate
from runner.spec.templates.template import Template


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


class JobAction(Enum):
    """What the end of a task does to its job."""

    CONTINUE = "continue"
    DISABLE = "disable"
    TERMINATE = "terminate"


class DependentsAction(Enum):
    """Whether tasks that need this one may run after it."""

    RUN = "run"
    BLOCK = "block"


class ExitCause(Enum):
    """How a task may end besides with a listed exit code."""

    RESOURCE_ERROR = "resource-error"
    UPLOAD_ERROR = "upload-error"
    OTHER = "other"
    """Any other exit code than 0, or one of the two above that has no rule of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRule:
    """What follows from an exit code of `codes` (first and last of each range) or from `causes`.

    None leaves it to the service: a task that fails blocks those that need it.
    """

    codes: tuple[tuple[int, int], ...]
    causes: tuple[ExitCause, ...]
    job: JobAction | None
    dependents: DependentsAction | None
    pointer: Pointer


class WorkingDirectory(Enum):
    """Where the command of a container task starts."""

    TASK = "task"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContainer:
    """The container image that a task runs in; `options` are those of `docker create`."""

    image: Template
    options: str
    working_directory: WorkingDirectory
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """A task on several nodes at once (MPI): `coordination` runs on all of them first."""

    count: int
    coordination: CommandTemplate
    resources: tuple[Resource, ...]
    """Brought to every node, besides the task's own for the primary one."""
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One templated command, run once for each item, or once where there is no `for_each`."""

    name: StepName
    for_each: Source | None
    needs: tuple[StepName, ...]
    """Steps to wait for, those of `outputs_of` included; task by task where both have the same
    items, else until the last task of the other."""
    command: CommandTemplate
    environment: Mapping[str, Template]
    resources: tuple[Resource, ...]
    outputs: tuple[Output, ...]
    print: Print
    run_as: RunAs
    retries: int
    """How often the service runs a task again, at once, after an exit code other than 0."""
    retry_plan: RetryPlan
    timeout: timedelta | None
    retention: timedelta | None
    """How long the node keeps the task's directory; None is the service's default of 7 days."""
    slots: int
    exit_rules: tuple[ExitRule, ...]
    container: TaskContainer | None
    instances: Instances | None
    applications: tuple[Application, ...]
    extra: Mapping[str, object]
    pointer: Pointer
    secrets: Mapping[str, SecretName] = field(default_factory=dict)
    """Variables of the environment whose values are secret parameters."""
