"""How it is shown what a job did to a node: preparation and release.

It must not know how a list is wrapped.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core.folders import task_folder
from runner.emulator.batch.core.ids import TaskId
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.jobnode import JobNode
from runner.emulator.batch.core.node import NodeRun
from runner.emulator.batch.operations.views.entities import node_url
from runner.emulator.batch.operations.views.executions import show_failure
from runner.emulator.batch.operations.wire import format_moment


def show_job_node(endpoint: str, job: Job, record: JobNode) -> dict[str, Any]:
    """One entry of the status of preparation and release."""
    url = node_url(endpoint, record.pool, record.node)
    shown: dict[str, Any] = {"poolId": record.pool, "nodeId": record.node, "nodeUrl": url}
    rules = job.rules
    if rules.preparation is not None:
        shown["jobPreparationTaskExecutionInfo"] = _show_run(
            url, job, rules.preparation.id, record.preparation, retries=True
        )
    if rules.release is not None and record.release is not None:
        shown["jobReleaseTaskExecutionInfo"] = _show_run(
            url, job, rules.release, record.release, retries=False
        )
    return shown


def _show_run(
    url: str, job: Job, identifier: TaskId, run: NodeRun, *, retries: bool
) -> dict[str, Any]:
    folder = task_folder(job.id, identifier)
    running = run.ended is None
    shown: dict[str, Any] = {
        "state": "running" if running else "completed",
        "startTime": format_moment(run.started),
    }
    if run.ended is not None:
        shown["endTime"] = format_moment(run.ended)
    shown["taskRootDirectory"] = folder
    shown["taskRootDirectoryUrl"] = f"{url}/files/{folder}"
    if run.exit_code is not None and not running:
        shown["exitCode"] = run.exit_code
    if run.failure is not None:
        shown["failureInfo"] = show_failure(run.failure)
    if retries:
        shown["retryCount"] = run.retry_count
        if run.last_retry is not None:
            shown["lastRetryTime"] = format_moment(run.last_retry)
    if not running:
        shown["result"] = "success" if run.failure is None else "failure"
    return shown
