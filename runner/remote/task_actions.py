"""What can be done to a task once it is added: run again, ended.

It must not know why that is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping

from azure.core.exceptions import HttpResponseError

from runner.plan.model import TaskId
from runner.remote import looking
from runner.remote.account import JOB_OVER, BatchAccount, segment
from runner.remote.faults import service_code, translated

_LOST: dict[str, bool | None] = dict.fromkeys(JOB_OVER | {"TaskNotFound"}, False)


def reactivate_task(account: BatchAccount, job_id: str, task_id: TaskId) -> bool:
    """Runs a task again that has failed; false where that cannot be, since its job is over.

    One that runs already, or waits to, is left alone: an earlier answer was lost.
    """
    refusals = _LOST | {"TaskNotCompleted": True, "TaskSucceeded": None}
    answer = _ask(account, job_id, task_id, "reactivate", refusals)
    if answer is not None:
        return answer
    # It has run since then, or the service takes none that ended with exit code 0 although its
    # files could not be sent: the reference (Task - Reactivate) can be read so.
    found = looking.task_status(account, job_id, task_id)
    return found is not None and bool(found.succeeded)


def terminate_task(account: BatchAccount, job_id: str, task_id: TaskId) -> bool:
    """Ends a task where it runs or waits to; false where it has ended already."""
    refusals = _LOST | {"TaskCompleted": False}
    return bool(_ask(account, job_id, task_id, "terminate", refusals))


def _ask(
    account: BatchAccount,
    job_id: str,
    task_id: TaskId,
    verb: str,
    refusals: Mapping[str, bool | None],
) -> bool | None:
    """Asks for an action; what a refusal by one of these codes means is their value."""
    path = f"/jobs/{segment(job_id)}/tasks/{segment(task_id)}/{verb}"
    with translated(account.origin, f"{verb} task `{task_id}` of job `{job_id}`"):
        try:
            account.send("POST", path)
        except HttpResponseError as error:
            code = service_code(error)
            if code not in refusals:
                raise
            return refusals[code]
    return True
