"""The plan: every upload and every task of a run, exact, before anything is created.

It knows nothing of SAS, endpoints or the SDKs; containers are named by role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NewType

from runner.spec.workload import Elevation, Print, Role, UploadCondition, Workload

RunId = NewType("RunId", str)
TaskId = NewType("TaskId", str)

LOGS = Role("logs")
"""The container of a run that keeps every task's stdout and stderr."""


def container_name(run_id: RunId, role: Role) -> str:
    """`<run id>-<role>`: at most 63 characters, as Blob Storage wants."""
    return f"{run_id}-{role}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file on this machine and the blob that it becomes."""

    source: Path
    blob: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """A container to make, and the files to bring up into it, in the order of their blob names."""

    role: Role
    name: str
    files: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """What goes on the wire for one command, and the script as a person would read it.

    `script_file` is the blob of the logs container that holds a script too long for the wire.
    """

    line: str
    environment: Mapping[str, str]
    script: str
    script_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePlan:
    """A file, or with `blob` None a whole container, for a task's working directory."""

    role: Role
    blob: str | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """An upload on completion: a pattern below the task's working directory, and where it goes.

    `path` is the destination as the service wants it: the blob's name, or a virtual folder where
    the pattern has a wildcard. `blob` is the one blob that can come of it, None where there may be
    several, all below `path`. `escaped` says that the pattern names one file by way of brackets
    (`a[[]1].txt`): the service may take those for a wildcard, and `path` for a folder.
    """

    pattern: str
    role: Role
    path: str
    when: UploadCondition
    blob: str | None
    escaped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """One task, rendered."""

    id: TaskId
    step: str
    display_name: str
    item: str
    command: CommandLine
    resources: tuple[ResourcePlan, ...]
    outputs: tuple[OutputPlan, ...]
    run_as: Elevation
    print: Print
    retries: int
    timeout: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTaskPlan:
    """The start task, rendered."""

    command: CommandLine
    resources: tuple[ResourcePlan, ...]
    run_as: Elevation
    wait_for_success: bool
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will do; `tasks` renders each one when asked, so that a million cost no memory."""

    workload: Workload
    run_id: RunId
    containers: tuple[ContainerPlan, ...]
    start_task: StartTaskPlan | None
    tasks: Sequence[TaskPlan]

    def container_name(self, role: Role) -> str:
        """The run's container of a role, the logs' too."""
        return container_name(self.run_id, role)
