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


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file on this machine and the blob that it becomes."""

    source: Path
    blob: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """A container to make, and the files to bring up into it, in the order of their blob names."""

    role: Role
    name: str
    files: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFile:
    """A script that is too long for a command line; it goes up as a blob of the logs container."""

    blob: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """What goes on the wire for one command, and the script as a person would read it."""

    line: str
    environment: Mapping[str, str]
    script: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePlan:
    """A file, or with `blob` None a whole container, that a task gets into its working directory."""

    role: Role
    blob: str | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """An upload on completion: a pattern below the task's working directory, and where it goes.

    With `wildcard`, `path` is a virtual folder (never empty); otherwise the blob's own name.
    """

    pattern: str
    role: Role
    path: str
    when: UploadCondition
    wildcard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """One task, rendered."""

    id: TaskId
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
    """What a run will do. `tasks` renders each task when asked, so that a million cost no memory."""

    workload: Workload
    run_id: RunId
    containers: tuple[ContainerPlan, ...]
    start_task: StartTaskPlan | None
    tasks: Sequence[TaskPlan]

    def container_name(self, role: Role) -> str:
        """`<run id>-<role>`: at most 63 characters, as Blob Storage wants."""
        return f"{self.run_id}-{role}"
