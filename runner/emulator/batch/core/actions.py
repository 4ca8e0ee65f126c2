"""What the core asks of the world: runs to start or kill, folders to remove.

It must not know how any of it is done.
"""

from __future__ import annotations

from typing import TypeAlias

from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, RunId, TaskId
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class PrepareNode:
    """Make the folders of a node."""

    pool: PoolId
    node: NodeId


@record(frozen=True, slots=True, kw_only=True)
class RunTask:
    """Run a task on a node; report its end with `runs.end_run`.

    A multi-instance task that is not `coordinated` does that alone, and is run again after it.
    """

    run: RunId
    job: JobId
    task: TaskId
    pool: PoolId
    node: NodeId


@record(frozen=True, slots=True, kw_only=True)
class RunSubtask:
    """Have an instance of a multi-instance task coordinate; report with `runs.end_run`."""

    run: RunId
    job: JobId
    task: TaskId
    subtask: int
    pool: PoolId
    node: NodeId


@record(frozen=True, slots=True, kw_only=True)
class RunStartTask:
    """Run a pool's start task on a node; report its end with `nodes.end_start_task`."""

    run: RunId
    pool: PoolId
    node: NodeId


@record(frozen=True, slots=True, kw_only=True)
class RunPreparation:
    """Run a job's preparation task on a node; report its end with `preparation.end_preparation`."""

    run: RunId
    job: JobId
    pool: PoolId
    node: NodeId


@record(frozen=True, slots=True, kw_only=True)
class RunRelease:
    """Run a job's release task on a node; report its end with `releases.end_release`."""

    run: RunId
    job: JobId
    pool: PoolId
    node: NodeId


@record(frozen=True, slots=True, kw_only=True)
class Kill:
    """Kill a run; its end is reported without an outcome."""

    run: RunId


@record(frozen=True, slots=True, kw_only=True)
class RemoveNodeFiles:
    """Remove all that a node had."""

    node: NodeId


@record(frozen=True, slots=True, kw_only=True)
class UploadLogs:
    """Send files that are made of a node's log to a container; nobody hears how that went."""

    node: NodeId
    container_url: str
    identity: bool
    """Whether the URL has no signature, and a managed identity stands for one."""
    files: tuple[tuple[str, str], ...]
    """The name of each blob, and its text."""


@record(frozen=True, slots=True, kw_only=True)
class RemoveTaskFiles:
    """Remove a task's folder from the node where it ran."""

    node: NodeId
    job: JobId
    task: TaskId


@record(frozen=True, slots=True, kw_only=True)
class RemoveJobFiles:
    """Remove a job's folder from a node."""

    node: NodeId
    job: JobId


Action: TypeAlias = (
    PrepareNode
    | RunTask
    | RunSubtask
    | RunStartTask
    | RunPreparation
    | RunRelease
    | Kill
    | RemoveNodeFiles
    | RemoveTaskFiles
    | RemoveJobFiles
    | UploadLogs
)
