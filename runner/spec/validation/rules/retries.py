"""Rules on the further tries of tasks: they can be made, and nothing else acts on a try before.

It knows nothing of how a run makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.spec.document import Document
from runner.spec.model.retries import RetryCause
from runner.spec.model.step import DependentsAction, ExitCause, ExitRule, JobAction, Step
from runner.spec.model.workload import OnFailure, Workload
from runner.spec.problem import Problem
from runner.spec.validation.rules.uses import Rule

# What the service calls it; those of no cause of their own come under `other`.
_EXIT_CAUSES: Mapping[RetryCause, ExitCause] = {
    RetryCause.RESOURCE_DOWNLOAD: ExitCause.RESOURCE_ERROR,
    RetryCause.OUTPUT_UPLOAD: ExitCause.UPLOAD_ERROR,
    RetryCause.TIMEOUT: ExitCause.OTHER,
    RetryCause.EXIT_CODE: ExitCause.OTHER,
}


def _somebody_is_there(workload: Workload, document: Document) -> Iterator[Problem]:
    if workload.job.schedule is None:
        return
    for step in workload.steps:
        if step.retry_plan.is_watched:
            yield document.key_problem(
                (*step.pointer, "retries"),
                code="retries",
                message="a run makes these tries, and nobody watches the jobs of a `job.schedule`",
                hint="give one number, which the service sees to: `retries: 2`",
            )


def _causes_are_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        if RetryCause.TIMEOUT in step.retry_plan.budgets and step.timeout is None:
            yield document.key_problem(
                (*step.pointer, "retries", RetryCause.TIMEOUT.value),
                code="retries",
                message="no try is ended by its `timeout`: there is none",
                hint="add `timeout:` to the step, or take this away",
            )


def _job_waits_for_tries(workload: Workload, document: Document) -> Iterator[Problem]:
    """The service acts on the job and on dependents at the end of each attempt it knows of."""
    for step in workload.steps:
        if not step.retry_plan.budgets:
            continue
        if workload.job.on_failure is OnFailure.STOP:
            yield document.key_problem(
                (*step.pointer, "retries"),
                code="retries",
                message="`job.on_failure: stop` ends the job with the first try that fails, before"
                " there can be another",
                hint="take `on_failure` away, or give one number, which the service sees to"
                " before it ends the job: `retries: 2`",
            )
        for rule in step.exit_rules:
            action = _action(rule)
            cause = _met(step, rule)
            if action is not None and cause is not None:
                yield document.key_problem(
                    rule.pointer,
                    code="retries",
                    message=f"this rule {action} after the first try that fails, though"
                    f" `retries.{cause.value}` asks for more",
                    hint="take one of the two away",
                )


def _action(rule: ExitRule) -> str | None:
    """What the rule does that cannot be taken back."""
    if rule.job is JobAction.TERMINATE:
        return "ends the job"
    if rule.job is JobAction.DISABLE:
        return "disables the job"
    if rule.dependents is DependentsAction.RUN:
        return "lets other tasks run"
    return None


def _met(step: Step, rule: ExitRule) -> RetryCause | None:
    """A cause that is tried again, and that the rule speaks of."""
    spoken = {cause for each in step.exit_rules for cause in each.causes}
    for cause in step.retry_plan.budgets:
        if cause is RetryCause.EXIT_CODE and any(codes != (0, 0) for codes in rule.codes):
            return cause
        own = _EXIT_CAUSES[cause]
        if own in rule.causes or (ExitCause.OTHER in rule.causes and own not in spoken):
            return cause
    return None


RETRIES: tuple[Rule, ...] = (
    _somebody_is_there,
    _causes_are_possible,
    _job_waits_for_tries,
)
