"""The plan: every upload and every task of a run, exact, before anything is created.

It knows nothing of SAS, endpoints or the SDKs; containers are named by role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NewType

from runner.frozen import dataclass
from runner.spec.model.pool import NewPool
from runner.spec.model.step import Step, UploadCondition
from runner.spec.model.terms import Role, RunAs, SecretName
from runner.spec.model.workload import Workload
from runner.spec.shells.shell import Shell

RunId = NewType("RunId", str)
TaskId = NewType("TaskId", str)

LOGS = Role("logs")
"""The container of a run that keeps every task's stdout and stderr."""
SECRETS = Role("secrets")
"""The container of a run that brings secret parameters to its commands, if there are any."""


_LEAST_ID_WIDTH = 4


def task_id(number: int, *, of: int) -> TaskId:
    """The id of a task by its number, from 1, among `of` tasks: all are padded to one width."""
    return TaskId(str(number).zfill(id_width(of)))


def id_width(tasks: int) -> int:
    """How many digits the ids of so many tasks have."""
    return max(_LEAST_ID_WIDTH, len(str(tasks)))


def container_name(run_id: RunId, role: Role) -> str:
    """`<run id>-<role>`: at most 63 characters, as Blob Storage wants."""
    return f"{run_id}-{role}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """A blob as a listing of the service shows it; `md5` is None where the service has none.

    `modified` is when it was last written, by the service's clock and in whole seconds.
    """

    name: str
    size_bytes: int
    md5: bytes | None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file on this machine and the blob that it becomes; or one that is in the service already.

    `source` is None for a blob of an existing container. `path` is the blob's name without the
    container's prefix: where the file lands in a task's directory.
    """

    source: Path | None
    blob: str
    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLinks:
    """Files to bring up that are links out of the spec's folder; the first few by path and target.

    A path is as the spec leads to it, a target the real one.
    """

    count: int = 0
    first: tuple[tuple[str, str], ...] = ()


NO_LINKS = OutsideLinks()


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """What an upload leaves where it is, since it is no file; the first few by path and kind.

    A path is as the spec leads to it, a kind in words: `link to a folder`, `named pipe`.
    """

    count: int = 0
    first: tuple[tuple[str, str], ...] = ()


NOTHING_PASSED_OVER = PassedOver()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """A container and the files of it that are known now, in the order of their blob names.

    Files to bring up have a `source`; the names in `unchanged` are in the container already, with
    the same content. `is_made` says that the run makes the container, by a name of its own.
    """

    role: Role
    name: str
    files: Sequence[InputFile]
    is_made: bool = True
    unchanged: frozenset[str] = frozenset()
    outside_links: OutsideLinks = NO_LINKS
    passed_over: PassedOver = NOTHING_PASSED_OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFile:
    """The blob of the secrets' container whose text makes `variables` known to a `shell`.

    They are the names of environment variables, and the names of the secrets that they hold.
    """

    blob: str
    shell: Shell
    variables: Mapping[str, SecretName]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """What goes on the wire for one command, and the script as a person would read it.

    `script_file` is the blob of the logs container that holds a script too long for the wire,
    `script_name` the name that it gets in the task's working directory. `secrets` is what the
    command reads before its script, if it has secret parameters.
    """

    line: str
    environment: Mapping[str, str]
    script: str
    script_file: str | None = None
    script_name: str | None = None
    secrets: SecretFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobResource:
    """One blob for a task's working directory; `path` includes the name."""

    role: Role
    blob: str
    path: str
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderResource:
    """All blobs of a container whose names start with `prefix`, below the folder `path`.

    The service keeps their whole names, the prefix too (REST: ResourceFile, `blobPrefix`).
    """

    role: Role
    prefix: str = ""
    path: str = ""
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebResource:
    """A file from a URL, percent-encoded; `path` includes the name."""

    url: str
    path: str
    mode: str | None = None


ResourcePlan = BlobResource | FolderResource | WebResource


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
class TaskRange:
    """Tasks `first` to `last`, both included, by the numbers that their ids are."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """One task, rendered. What is the same for all tasks of its step is the step's."""

    id: TaskId
    step: Step
    display_name: str
    item: str
    command: CommandLine
    coordination: CommandLine | None
    resources: tuple[ResourcePlan, ...]
    shared_resources: tuple[ResourcePlan, ...]
    """Brought to every node of a task that runs on several."""
    outputs: tuple[OutputPlan, ...]
    needs: tuple[TaskRange, ...]
    container_image: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCommandPlan:
    """A start task, a job preparation or a job release, rendered."""

    command: CommandLine
    resources: tuple[ResourcePlan, ...]
    run_as: RunAs
    retries: int
    timeout: timedelta | None
    wait_for_success: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will do; `tasks` renders each one when asked, so that a million cost no memory."""

    workload: Workload
    run_id: RunId
    containers: tuple[ContainerPlan, ...]
    start_task: NodeCommandPlan | None
    tasks: Sequence[TaskPlan]
    preparation: NodeCommandPlan | None = None
    release: NodeCommandPlan | None = None
    job_environment: Mapping[str, str] = field(default_factory=dict)
    ranges: tuple[TaskRange, ...] = ()
    """The tasks of each step of the workload, in its order."""

    @property
    def has_secrets(self) -> bool:
        """Whether any command has secret parameters."""
        pool, job = self.workload.pool, self.workload.job
        start_task = pool.start_task if isinstance(pool, NewPool) else None
        commands = (start_task, job.preparation, *self.workload.steps)
        return any(each is not None and each.secrets for each in commands)

    def container(self, role: Role) -> ContainerPlan:
        """The container of a role; not the logs', which has no files and no policy."""
        return next(each for each in self.containers if each.role == role)

    def container_name(self, role: Role) -> str:
        """The name of the container of a role, those of logs and secrets too."""
        if role == LOGS or (role == SECRETS and self.has_secrets):
            return container_name(self.run_id, role)
        return self.container(role).name
