"""What a node is asked to run and what became of it: plain values between core and processes.

It knows nothing of HTTP, of the core's records or of how a process is started.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Protocol

from runner.emulator.batch.node.containers import Container
from runner.emulator.batch.node.containment import NodeFolder, folder_of
from runner.emulator.batch.node.isolation import UNKNOWN_SIZE, Size
from runner.emulator.batch.node.users import POOL_USER, User
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class NodeDirectories:
    """The documented folders of one node (Batch docs, files-and-directories)."""

    root: Path

    @property
    def shared(self) -> Path:
        """`AZ_BATCH_NODE_SHARED_DIR`."""
        return self.root / "shared"

    @property
    def startup(self) -> Path:
        """`AZ_BATCH_NODE_STARTUP_DIR`; the start task works in `wd` below it."""
        return self.root / "startup"

    @property
    def mounts(self) -> Path:
        """`AZ_BATCH_NODE_MOUNTS_DIR`."""
        return self.root / "fsmounts"

    @property
    def workitems(self) -> Path:
        """Job and task folders: `<job>/job-1/<task>`."""
        return self.root / "workitems"


@record(frozen=True, slots=True, kw_only=True)
class ResourceFile:
    """One entry of `resourceFiles`: exactly one of the two URLs, with the SAS as given."""

    http_url: str | None = None
    storage_container_url: str | None = None
    blob_prefix: str | None = None
    file_path: str | None = None
    file_mode: str | None = None


class UploadCondition(Enum):
    """`uploadCondition` of an output file."""

    TASK_SUCCESS = "tasksuccess"
    TASK_FAILURE = "taskfailure"
    TASK_COMPLETION = "taskcompletion"


@record(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """One entry of `outputFiles`."""

    file_pattern: str
    container_url: str
    path: str | None
    condition: UploadCondition
    headers: tuple[tuple[str, str], ...] = ()
    """To be sent along, for Put Blob."""


@record(frozen=True, slots=True, kw_only=True)
class Package:
    """An application package that has to be in a folder of the node; no `archive` is a fault."""

    name: str
    archive: Path | None
    directory: NodeFolder


@record(frozen=True, slots=True, kw_only=True)
class Launch:
    """A task (or start task) to run on a node.

    `directory` is the task's own folder (stdout.txt, stderr.txt, wd); `environment` is complete:
    the `AZ_BATCH_*` variables and the task's settings.
    """

    command_line: str
    directory: Path
    environment: Mapping[str, str]
    node: Path
    """The folder of the node, which the task's is in."""
    image: str = ""
    """Of a container with the node's system."""
    size: Size = UNKNOWN_SIZE
    """Of the node."""
    leaves_services: bool = False
    """What it starts in the background may go on, as the services that a start task installs."""
    resource_files: tuple[ResourceFile, ...] = ()
    output_files: tuple[OutputFile, ...] = ()
    max_wall_clock_time: timedelta | None = None
    elevated: bool = False
    user: User | None = POOL_USER
    """None is one of its own; nodes without users run it as the emulator runs, elevated or not."""
    packages: tuple[Package, ...] = ()
    common_files: tuple[ResourceFile, ...] = ()
    common_directory: Path | None = None
    """Where common files go, beside resource files, which go to `wd`."""
    follows: bool = False
    """It goes on in the folder of an execution before it, whose output stays."""
    container: Container | None = None
    runs_containers: bool = False
    """The nodes of the pool are set up for containers."""
    is_container_required: bool = False
    """Where nodes are set up for containers, a task has to say which one."""

    @property
    def folder(self) -> NodeFolder:
        """`directory`, as it is to be opened."""
        return folder_of(self.node, self.directory)

    @property
    def common_folder(self) -> NodeFolder:
        """Of the task as a whole: `common_directory` where there is one, else `directory`."""
        return folder_of(self.node, self.common_directory or self.directory)


class FailureCategory(Enum):
    """`failureInfo.category`, in the casing that the service answers."""

    USER_ERROR = "UserError"
    SERVER_ERROR = "ServerError"


class FailurePhase(Enum):
    """What failed: retries and exit conditions differ by it."""

    PRE_PROCESSING = "preProcessing"
    EXECUTION = "execution"
    FILE_UPLOAD = "fileUpload"


@record(frozen=True, slots=True, kw_only=True)
class Failure:
    """`failureInfo` of a task, with the phase that it arose in."""

    phase: FailurePhase
    category: FailureCategory
    code: str
    message: str
    details: tuple[tuple[str, str], ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one execution; `exit_code` is None where no process ended by itself."""

    started: datetime
    ended: datetime
    exit_code: int | None
    failure: Failure | None


class Executor(Protocol):
    """Runs launches; the local processes implement it, tests give a fake one."""

    async def run(self, launch: Launch) -> Outcome:
        """Runs to the end.

        Cancelling the coroutine kills the process group, waits for it, and re-raises.
        """
        ...

    async def close(self) -> None:
        """Kills whatever still runs and waits for it."""
        ...
