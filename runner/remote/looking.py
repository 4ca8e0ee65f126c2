"""Looks at one job from outside: how many tasks it has in which state, one of them, and its files.

It must not know who looks, nor change anything there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from runner.plan.model import TaskId
from runner.remote import answers
from runner.remote.account import API_VERSION, BatchAccount, segment
from runner.remote.faults import translated
from runner.run.services import TaskCounts, TaskStatus


def task_counts(account: BatchAccount, job_id: str) -> TaskCounts | None:
    """The job's tasks by state, about as they are now; None where there is no such job."""
    with translated(account.origin, f"count the tasks of job `{job_id}`"):
        try:
            counts = account.client.get_job_task_counts(job_id)
        except ResourceNotFoundError:
            return None
    return _read_counts(counts)


def task_status(account: BatchAccount, job_id: str, task_id: TaskId) -> TaskStatus | None:
    """One task now; None where the job does not have it."""
    with translated(account.origin, f"show task `{task_id}` of job `{job_id}`"):
        try:
            path = f"/jobs/{segment(job_id)}/tasks/{segment(task_id)}"
            task = account.read(path, select=answers.TASK_PROPERTIES)
        except ResourceNotFoundError:
            return None
    return answers.read_task(task)


def task_file_size(account: BatchAccount, job_id: str, task_id: TaskId, path: str) -> int | None:
    """How long a file of the task is now, in bytes; None where it or its node is not there."""
    headers = _ask(account, "HEAD", job_id, task_id, path)
    return None if headers is None else int(headers[0].get("Content-Length") or 0)


def read_task_file(
    account: BatchAccount, job_id: str, task_id: TaskId, path: str, *, start: int, length: int
) -> bytes | None:
    """A piece of a file that a task leaves on its node; None where it or the node is not there.

    `download_task_file` takes 206, which a range may be answered with, for an error (azure-batch
    15.1).
    """
    # The header has a name of its own (REST: File - Get From Task).
    piece = {"ocp-range": f"bytes={start}-{start + length - 1}"}
    answer = _ask(account, "GET", job_id, task_id, path, piece)
    return None if answer is None else answer[1]


def _ask(
    account: BatchAccount,
    method: str,
    job_id: str,
    task_id: TaskId,
    path: str,
    headers: Mapping[str, str] | None = None,
) -> tuple[Mapping[str, str], bytes] | None:
    url = f"{{endpoint}}/jobs/{segment(job_id)}/tasks/{segment(task_id)}/files/{segment(path)}"
    request = HttpRequest(
        method,
        url,
        params={"api-version": API_VERSION},
        headers={"Accept": "application/octet-stream", **(headers or {})},
    )
    with translated(account.origin, f"show `{path}` of task `{task_id}`"):
        try:
            response = account.client.send_request(request)
        except (ResourceNotFoundError, ResourceExistsError):
            # 409 says that the task has no files yet, or none any more.
            return None
        return response.headers, response.content


def _read_counts(answer: Mapping[str, Any]) -> TaskCounts:
    counts = answer["taskCounts"]
    return TaskCounts(
        active=int(counts["active"]),
        running=int(counts["running"]),
        succeeded=int(counts["succeeded"]),
        failed=int(counts["failed"]),
    )
