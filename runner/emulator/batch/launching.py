"""Makes what a node is asked to run out of the records: command, folders, files, environment.

It must not know how it is run, nor when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.task import Task
from runner.emulator.batch.node.launch import (
    Launch,
    NodeDirectories,
    OutputFile,
    ResourceFile,
    UploadCondition,
)
from runner.emulator.batch.operations.views.entities import task_folder
from runner.emulator.batch.operations.wire import limit_of

# The documentation's own example value; a local node reserves nothing.
_RESERVED_DISK_BYTES = "1000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The account that tasks see, and where the folders of nodes are."""

    account: str
    endpoint: str
    nodes: Path

    def directories(self, node: Node) -> NodeDirectories:
        """The folders of a node."""
        return NodeDirectories(root=self.nodes / node.id)


def launch_task(place: Place, task: Task, job: Job, pool: Pool, node: Node) -> Launch:
    """A task's execution on a node."""
    document = task.document
    directory = place.directories(node).root / task_folder(task.job, task.id)
    return Launch(
        command_line=document["commandLine"],
        directory=directory,
        environment={
            **_settings(job.document.get("commonEnvironmentSettings", ())),
            **_settings(document.get("environmentSettings", ())),
            **_node_variables(place, pool, node),
            **_folder_variables(directory),
            "AZ_BATCH_JOB_ID": task.job,
            "AZ_BATCH_TASK_ID": task.id,
        },
        resource_files=_resource_files(document),
        output_files=_output_files(document),
        max_wall_clock_time=limit_of(document["constraints"]["maxWallClockTime"]),
        elevated=_is_elevated(document, pool),
    )


def launch_start_task(place: Place, pool: Pool, node: Node) -> Launch:
    """The start task's execution on a node."""
    start_task = pool.document["startTask"]
    directory = place.directories(node).startup
    return Launch(
        command_line=start_task["commandLine"],
        directory=directory,
        environment={
            **_settings(start_task.get("environmentSettings", ())),
            **_node_variables(place, pool, node),
            **_folder_variables(directory),
        },
        resource_files=_resource_files(start_task),
        elevated=_is_elevated(start_task, pool),
    )


def _settings(settings: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {setting["name"]: setting.get("value", "") for setting in settings}


def _node_variables(place: Place, pool: Pool, node: Node) -> dict[str, str]:
    """What the documentation promises to every task and start task."""
    directories = place.directories(node)
    return {
        "AZ_BATCH_ACCOUNT_NAME": place.account,
        "AZ_BATCH_ACCOUNT_URL": place.endpoint,
        "AZ_BATCH_POOL_ID": pool.id,
        "AZ_BATCH_NODE_ID": node.id,
        "AZ_BATCH_NODE_IS_DEDICATED": "true" if node.dedicated else "false",
        "AZ_BATCH_NODE_ROOT_DIR": str(directories.root),
        "AZ_BATCH_NODE_SHARED_DIR": str(directories.shared),
        "AZ_BATCH_NODE_STARTUP_DIR": str(directories.startup),
        "AZ_BATCH_NODE_MOUNTS_DIR": str(directories.mounts),
        "AZ_BATCH_TASK_RESERVED_EPHEMERAL_DISK_SPACE_BYTES": _RESERVED_DISK_BYTES,
    }


def _folder_variables(directory: Path) -> dict[str, str]:
    return {
        "AZ_BATCH_TASK_DIR": str(directory),
        "AZ_BATCH_TASK_WORKING_DIR": str(directory / "wd"),
    }


def _resource_files(command: Document) -> tuple[ResourceFile, ...]:
    return tuple(
        ResourceFile(
            http_url=entry.get("httpUrl"),
            storage_container_url=entry.get("storageContainerUrl"),
            blob_prefix=entry.get("blobPrefix"),
            file_path=entry.get("filePath"),
            file_mode=entry.get("fileMode"),
        )
        for entry in command.get("resourceFiles", ())
    )


def _output_files(command: Document) -> tuple[OutputFile, ...]:
    return tuple(_output_file(entry) for entry in command.get("outputFiles", ()))


def _output_file(entry: Mapping[str, Any]) -> OutputFile:
    container = entry["destination"]["container"]
    condition = entry["uploadOptions"]["uploadCondition"]
    return OutputFile(
        file_pattern=entry["filePattern"],
        container_url=container["containerUrl"],
        path=container.get("path"),
        condition=UploadCondition(condition.lower()),
    )


def _is_elevated(command: Document, pool: Pool) -> bool:
    identity = command["userIdentity"]
    if "autoUser" in identity:
        return bool(identity["autoUser"]["elevationLevel"] == "admin")
    accounts = pool.document.get("userAccounts", ())
    return any(
        account["name"] == identity.get("username") and account["elevationLevel"] == "admin"
        for account in accounts
    )
