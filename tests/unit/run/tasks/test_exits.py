"""What the end of a task means, by rules as the service applies them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.plan.model import TaskId
from runner.run.services import TaskFailure, TaskState, TaskStatus
from runner.run.tasks.exits import blocks_dependents, default_job_action, heeds_exits, job_action
from runner.spec.model.step import DependentsAction, ExitCause, ExitRule, JobAction
from runner.spec.model.workload import OnFailure, Workload
from tests.fakes.plans import make_plan
from tests.fakes.services import NOW
from tests.fakes.shapes import exit_rule


def ended(exit_code: int | None, failure: str | None = None) -> TaskStatus:
    """A task with this exit code, failed for this reason or for its exit code."""
    if failure is None and exit_code:
        failure = "FailureExitCode"
    return TaskStatus(
        id=TaskId("0001"),
        state=TaskState.COMPLETED,
        changed=NOW,
        node_id=None,
        started=NOW,
        ended=NOW,
        exit_code=exit_code,
        succeeded=failure is None,
        retry_count=0,
        failure=None
        if failure is None
        else TaskFailure(code=failure, category="UserError", message="it failed"),
    )


def ruled(folder: Path, *rules: ExitRule, on_failure: OnFailure = OnFailure.CONTINUE) -> Workload:
    """A workload of one step with these rules."""
    workload = make_plan(folder, files=("a.txt",)).workload
    step = replace(workload.steps[0], exit_rules=rules)
    return replace(workload, steps=(step,), job=replace(workload.job, on_failure=on_failure))


BLOCK, RUN = DependentsAction.BLOCK, DependentsAction.RUN


@pytest.mark.parametrize(
    ("rules", "status", "blocks"),
    [
        ((), ended(0), False),
        ((), ended(1), True),
        ((), ended(None, "BlobNotFound"), True),
        ((exit_rule(3, dependents=RUN),), ended(3), False),
        ((exit_rule(3, dependents=RUN),), ended(4), True),
        ((exit_rule(0, dependents=BLOCK),), ended(0), True),
        ((exit_rule(3),), ended(3), True),
        ((exit_rule(causes=(ExitCause.OTHER,), dependents=RUN),), ended(9), False),
        ((exit_rule(causes=(ExitCause.OTHER,), dependents=RUN),), ended(None, "X"), False),
        (
            (
                exit_rule(causes=(ExitCause.OTHER,), dependents=RUN),
                exit_rule(causes=(ExitCause.RESOURCE_ERROR,), dependents=BLOCK),
            ),
            ended(None, "BlobNotFound"),
            True,
        ),
        (
            (exit_rule(causes=(ExitCause.UPLOAD_ERROR,), dependents=RUN),),
            ended(0, "FileUploadMiscError"),
            False,
        ),
        # A file-upload error after a listed exit code takes that code's action.
        (
            (
                exit_rule(0, dependents=RUN),
                exit_rule(causes=(ExitCause.UPLOAD_ERROR,), dependents=BLOCK),
            ),
            ended(0, "FileUploadMiscError"),
            False,
        ),
        ((exit_rule(causes=(ExitCause.RESOURCE_ERROR,), dependents=RUN),), ended(7), True),
    ],
)
def test_whether_others_may_follow(
    tmp_path: Path, rules: tuple[ExitRule, ...], status: TaskStatus, blocks: bool
) -> None:
    (step,) = ruled(tmp_path, *rules).steps
    assert blocks_dependents(step, status) is blocks


def test_a_code_goes_before_a_range(tmp_path: Path) -> None:
    wide = replace(exit_rule(dependents=BLOCK), codes=((1, 9),))
    (step,) = ruled(tmp_path, wide, exit_rule(3, dependents=RUN)).steps
    assert [blocks_dependents(step, ended(code)) for code in (2, 3, 10)] == [True, False, True]


@pytest.mark.parametrize(
    ("rules", "on_failure", "code", "action"),
    [
        ((), OnFailure.CONTINUE, 1, JobAction.CONTINUE),
        ((), OnFailure.STOP, 1, JobAction.TERMINATE),
        ((), OnFailure.STOP, 0, JobAction.CONTINUE),
        ((exit_rule(3, job=JobAction.DISABLE),), OnFailure.CONTINUE, 3, JobAction.DISABLE),
        ((exit_rule(3, job=JobAction.DISABLE),), OnFailure.CONTINUE, 4, JobAction.CONTINUE),
        ((exit_rule(3, job=JobAction.CONTINUE),), OnFailure.STOP, 3, JobAction.CONTINUE),
        ((exit_rule(3, job=JobAction.CONTINUE),), OnFailure.STOP, 4, JobAction.TERMINATE),
        ((exit_rule(0, job=JobAction.TERMINATE),), OnFailure.CONTINUE, 0, JobAction.TERMINATE),
        ((exit_rule(3, dependents=RUN),), OnFailure.CONTINUE, 3, JobAction.CONTINUE),
    ],
)
def test_what_the_job_does(
    tmp_path: Path,
    rules: tuple[ExitRule, ...],
    on_failure: OnFailure,
    code: int,
    action: JobAction,
) -> None:
    workload = ruled(tmp_path, *rules, on_failure=on_failure)
    assert job_action(workload, workload.steps[0], ended(code)) is action


def test_a_job_heeds_exits_only_where_the_spec_asks(tmp_path: Path) -> None:
    plain = ruled(tmp_path)
    stopping = ruled(tmp_path, on_failure=OnFailure.STOP)
    disabling = ruled(tmp_path, exit_rule(3, job=JobAction.DISABLE))
    blocking = ruled(tmp_path, exit_rule(3, dependents=BLOCK))
    found = [(heeds_exits(each), default_job_action(each)) for each in (plain, stopping, blocking)]
    assert found == [(False, None), (True, None), (False, None)]
    assert (heeds_exits(disabling), default_job_action(disabling)) == (True, JobAction.CONTINUE)
