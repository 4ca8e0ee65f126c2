"""Whether a task that has ended is run again, and when: decided before anything else is made of it.

Pure: what was used up, and which attempt is the last known one, are arguments. It must not know who
runs a task again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from runner.frozen import dataclass
from runner.run.events import TaskRetried
from runner.run.services import TaskFailure, TaskStatus
from runner.run.tasks.exits import (
    is_cut_off,
    is_ended_by_request,
    is_upload_failure,
    lacked_resources,
)
from runner.spec.model.retries import RetryCause
from runner.spec.model.step import Step
from runner.spec.model.workload import Workload

PREEMPTED = "Preempted"
"""The cause of a task's failure where it lost its node more often than its spec allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The task is run again at `due`; `is_told` where the ledger knows of it already."""

    cause: RetryCause
    due: datetime
    is_told: bool


def keeps_job_open(workload: Workload) -> bool:
    """Whether the job must not end by itself when none of its tasks runs or waits to."""
    return any(step.retry_plan.budgets for step in workload.steps)


def decide(
    step: Step,
    status: TaskStatus,
    *,
    used: Callable[[RetryCause], int],
    last: TaskRetried | None,
) -> Again | None:
    """What becomes of a task that has ended; None where this is its end.

    `used` says how many further attempts there were after a cause, and `last` is the last attempt
    that the ledger has: where that is this one, whoever wrote it down came to nothing more.
    """
    if status.succeeded:
        return None
    cause = cause_of(step, status)
    if cause is None:
        return None
    ended = ended_at(status)
    if last is not None and last.due is not None and last.at == ended:
        return Again(cause=cause, due=last.due, is_told=True)
    budget = step.retry_plan.budgets.get(cause)
    if budget is None:
        return None
    number = used(cause) + 1
    if number > budget.times:
        return None
    return Again(cause=cause, due=ended + budget.wait_before(number), is_told=False)


def cause_of(step: Step, status: TaskStatus) -> RetryCause | None:
    """Why a task failed, as far as `retries` tells; None for an end that it does not speak of."""
    if is_cut_off(step.timeout, status):
        return RetryCause.TIMEOUT
    if is_ended_by_request(step.timeout, status):
        return None
    if status.exit_code:
        return RetryCause.EXIT_CODE
    if is_upload_failure(status):
        return RetryCause.OUTPUT_UPLOAD
    if lacked_resources(status):
        return RetryCause.RESOURCE_DOWNLOAD
    return None


def ended_at(status: TaskStatus) -> datetime:
    """When an attempt ended, which tells it from all others of its task."""
    return status.ended or status.changed


def preempted_too_often(step: Step, status: TaskStatus, preemptions: int) -> TaskStatus | None:
    """The task as one that has failed for that, where somebody ended it; None where it has not."""
    most = step.retry_plan.preemption
    if most is None or preemptions <= most or status.succeeded or status.failure is None:
        return None
    times = "once" if preemptions == 1 else f"{preemptions} times"
    failure = TaskFailure(
        code=PREEMPTED,
        category=status.failure.category,
        message=f"its spot node was taken away {times}; `retries.preemption` allows {most}",
    )
    return replace(status, failure=failure)
