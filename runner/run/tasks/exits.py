"""What the end of a task means for its job and for the tasks that need it, by the spec's rules.

It follows the service (REST 2025-06-01: ExitConditions, ExitOptions), which acts by itself; here it
is only understood. It must not know what was collected of a task.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from runner.plan.model import TaskId
from runner.run.events import OUTPUT_MISSING, TaskFinished
from runner.run.services import TaskFailure, TaskState, TaskStatus
from runner.spec.model.step import DependentsAction, ExitCause, ExitRule, JobAction, Step
from runner.spec.model.workload import OnFailure, Workload

# Failures before the command ran that are its own: another try would end the same way.
_OF_THE_COMMAND = frozenset(
    {
        "CommandProgramNotFound",
        "CommandLaunchFailed",
        "ContainerInvalidSettings",
        "ContainerTaskSettingsNotFound",
        "ContainerPoolNotSupported",
        "TaskSchedulingConstraintFailed",
    }
)
# SIGKILL and SIGTERM on Linux; 0xC000013A on Windows, which Microsoft's own tools have shown.
_KILLED = frozenset({137, 143, -1073741510})
ENDED_BY_REQUEST = "TaskEnded"
_UPLOAD_FAILURE = "FileUpload"
_EARLIEST = datetime.min.replace(tzinfo=timezone.utc)


def is_ended_by_request(timeout: timedelta | None, status: TaskStatus) -> bool:
    """Whether somebody ended the task, or its job; the service says the same of one that took
    longer than its `timeout`.
    """
    if status.failure is None or status.failure.code != ENDED_BY_REQUEST:
        return False
    if timeout is None or status.started is None or status.ended is None:
        return True
    return status.ended - status.started < timeout


def is_cut_off(timeout: timedelta | None, status: TaskStatus) -> bool:
    """Whether a task was ended since it took as long as its `timeout`.

    The service publishes no exit code for it on Linux: that of a process that was killed will do.
    """
    if timeout is None or status.started is None or status.ended is None:
        return False
    was_ended = status.failure is not None and status.failure.code == ENDED_BY_REQUEST
    was_killed = status.exit_code in _KILLED
    return (was_ended or was_killed) and status.ended - status.started >= timeout


def is_upload_failure(status: TaskStatus) -> bool:
    """Whether what a task left could not be brought to its container."""
    return status.failure is not None and status.failure.code.startswith(_UPLOAD_FAILURE)


def lacked_resources(status: TaskStatus) -> bool:
    """Whether something that a task needs could not be brought to its node."""
    failure = "" if status.failure is None else status.failure.code
    if status.exit_code is not None or failure in _OF_THE_COMMAND:
        return False
    return failure != ENDED_BY_REQUEST and not is_upload_failure(status)


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


def service_end(end: TaskFinished) -> TaskStatus:
    """What the service said of a task that a run's own events tell of.

    A task that left less than it should is a failure to us alone.
    """
    lacks_output = end.cause == OUTPUT_MISSING
    succeeded = end.succeeded or lacks_output
    failure = TaskFailure(code=end.cause or "", category="", message=end.message or "")
    return TaskStatus(
        id=TaskId(end.task),
        state=TaskState.COMPLETED,
        changed=end.ended or _EARLIEST,
        node_id=end.node,
        started=end.started,
        ended=end.ended,
        exit_code=end.exit_code,
        succeeded=succeeded,
        retry_count=end.retries,
        failure=None if succeeded else failure,
    )


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
    if is_upload_failure(status):
        return ExitCause.UPLOAD_ERROR
    if status.exit_code is None and failure != ENDED_BY_REQUEST:
        # Without an exit code no command ran: what should have come before it did not.
        return ExitCause.RESOURCE_ERROR
    return ExitCause.OTHER
