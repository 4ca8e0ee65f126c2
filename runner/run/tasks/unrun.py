"""The ends of tasks that were never run: failed for another's sake, or done by an earlier run.

It must not know who decides that.
"""

from __future__ import annotations

from runner.plan.model import TaskPlan
from runner.run.events import TaskFinished


def never_ran(task: TaskPlan, *, cause: str, message: str) -> TaskFinished:
    """The end of a task that did not come to run."""
    return _end(task, succeeded=False, cause=cause, message=message)


def skipped_task(task: TaskPlan) -> TaskFinished:
    """The end of a task that is not run, since an earlier run has done what it would do."""
    return _end(task, succeeded=True, skipped=True)


def _end(
    task: TaskPlan,
    *,
    succeeded: bool,
    cause: str | None = None,
    message: str | None = None,
    skipped: bool = False,
) -> TaskFinished:
    return TaskFinished(
        task=task.id,
        item=task.item,
        node=None,
        succeeded=succeeded,
        exit_code=None,
        started=None,
        ended=None,
        retries=0,
        attempts=0,
        cause=cause,
        message=message,
        stdout=None,
        stderr=None,
        stderr_tail=None,
        skipped=skipped,
    )
