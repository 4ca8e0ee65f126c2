"""What the end of a task means for its job and for the tasks that need it, by the spec's rules.

It follows the service (REST 2025-06-01: ExitConditions, ExitOptions), which acts by itself; here it
is only understood. It must not know what was collected of a task.
"""

from __future__ import annotations

from datetime import timedelta

from runner.run.services import TaskStatus
from runner.spec.model.step import DependentsAction, ExitCause, ExitRule, JobAction, Step
from runner.spec.model.workload import OnFailure, Workload

ENDED_BY_REQUEST = "TaskEnded"
_UPLOAD_FAILURE = "FileUpload"


def is_ended_by_request(timeout: timedelta | None, status: TaskStatus) -> bool:
    """Whether somebody ended the task, or its job; the service says the same of one that took
    longer than its `timeout`.
    """
    if status.failure is None or status.failure.code != ENDED_BY_REQUEST:
        return False
    if timeout is None or status.started is None or status.ended is None:
        return True
    return status.ended - status.started < timeout


def heeds_exits(workload: Workload) -> bool:
    """Whether the end of a task may end or disable the job."""
    return workload.job.on_failure is OnFailure.STOP or _has_job_rules(workload)


def default_job_action(workload: Workload) -> JobAction | None:
    """What a failure without a rule must be told to do, where the service's own would be wrong.

    A job that heeds exits is ended by any failure that no rule speaks of.
    """
    stops = workload.job.on_failure is OnFailure.STOP
    return JobAction.CONTINUE if _has_job_rules(workload) and not stops else None


def lists_success(step: Step) -> bool:
    """Whether a rule speaks of exit code 0, so that even a success can have consequences."""
    return any(_lists(rule, 0) for rule in step.exit_rules)


def blocks_dependents(step: Step, status: TaskStatus) -> bool:
    """Whether tasks that need this one, which has ended, never run."""
    rule = _rule(step, status)
    if rule is not None and rule.dependents is not None:
        return rule.dependents is DependentsAction.BLOCK
    return not status.succeeded


def job_action(workload: Workload, step: Step, status: TaskStatus) -> JobAction:
    """What the end of a task does to the job."""
    if not heeds_exits(workload):
        return JobAction.CONTINUE
    rule = _rule(step, status)
    if rule is not None and rule.job is not None:
        return rule.job
    if status.succeeded:
        return JobAction.CONTINUE
    return default_job_action(workload) or JobAction.TERMINATE


def _has_job_rules(workload: Workload) -> bool:
    return any(rule.job is not None for step in workload.steps for rule in step.exit_rules)


def _rule(step: Step, status: TaskStatus) -> ExitRule | None:
    """A listed code goes before a range, both before causes; other failures go by `other`."""
    rules, code = step.exit_rules, status.exit_code
    if code is not None:
        for rule in rules:
            if (code, code) in rule.codes:
                return rule
        for rule in rules:
            if _lists(rule, code):
                return rule
    if status.succeeded:
        return None
    for cause in (_cause(status), ExitCause.OTHER):
        for rule in rules:
            if cause in rule.causes:
                return rule
    return None


def _lists(rule: ExitRule, code: int) -> bool:
    return any(first <= code <= last for first, last in rule.codes)


def _cause(status: TaskStatus) -> ExitCause:
    failure = "" if status.failure is None else status.failure.code
    if failure.startswith(_UPLOAD_FAILURE):
        return ExitCause.UPLOAD_ERROR
    if status.exit_code is None and failure != ENDED_BY_REQUEST:
        # Without an exit code no command ran: what should have come before it did not.
        return ExitCause.RESOURCE_ERROR
    return ExitCause.OTHER
