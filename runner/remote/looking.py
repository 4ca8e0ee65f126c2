"""Looks at one job from outside: how many tasks it has in which state, and one of them.

It must not know who looks, nor change anything there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from runner.plan.model import TaskId
from runner.remote import answers
from runner.remote.account import BatchAccount, segment
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


def _read_counts(answer: Mapping[str, Any]) -> TaskCounts:
    counts = answer["taskCounts"]
    return TaskCounts(
        active=int(counts["active"]),
        running=int(counts["running"]),
        succeeded=int(counts["succeeded"]),
        failed=int(counts["failed"]),
    )
