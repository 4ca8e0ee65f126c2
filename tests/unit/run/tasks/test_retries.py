"""Whether a task that has ended is run again: by its cause, its budgets and what was used up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runner.plan.model import TaskId
from runner.run.events import TaskRetried
from runner.run.services import TaskFailure, TaskState, TaskStatus
from runner.run.tasks.retries import Again, cause_of, decide, keeps_job_open, preempted_too_often
from runner.spec.model.retries import RetryBudget, RetryCause, RetryPlan
from runner.spec.model.step import Step
from tests.fakes.plans import make_workload, spec_of
from tests.fakes.services import NOW

TEN_SECONDS = timedelta(seconds=10)


@pytest.fixture(name="step")
def make_step(tmp_path: Path) -> Step:
    """A step whose tasks have 5 seconds and two further tries after each cause."""
    (step,) = make_workload(tmp_path, files=()).steps
    budget = RetryBudget(times=2, backoff=TEN_SECONDS)
    plan = RetryPlan(budgets=dict.fromkeys(RetryCause, budget), preemption=1)
    return replace(step, timeout=timedelta(seconds=5), retry_plan=plan)


def ended(
    code: str | None = "FailureExitCode", exit_code: int | None = None, *, took: float = 1
) -> TaskStatus:
    """A task that has failed with this code, or succeeded where it is None."""
    failure = None if code is None else TaskFailure(code=code, category="UserError", message="x")
    return TaskStatus(
        id=TaskId("1"),
        state=TaskState.COMPLETED,
        changed=NOW + timedelta(seconds=took),
        node_id="node",
        started=NOW,
        ended=NOW + timedelta(seconds=took),
        exit_code=exit_code,
        succeeded=failure is None,
        retry_count=0,
        failure=failure,
    )


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (ended(exit_code=3), RetryCause.EXIT_CODE),
        (ended(exit_code=137), RetryCause.EXIT_CODE),
        (ended("BlobDownloadMiscError"), RetryCause.RESOURCE_DOWNLOAD),
        (ended("ResourceFileWriteFailed"), RetryCause.RESOURCE_DOWNLOAD),
        (ended("ApplicationPackageError"), RetryCause.RESOURCE_DOWNLOAD),
        (ended("FileUploadMiscError", 0), RetryCause.OUTPUT_UPLOAD),
        (ended("FileUploadMiscError", 2), RetryCause.EXIT_CODE),
        (ended("TaskEnded", 137, took=5), RetryCause.TIMEOUT),
        (ended("TaskEnded", took=5), RetryCause.TIMEOUT),
        (ended(exit_code=-1073741510, took=5), RetryCause.TIMEOUT),
        (ended(exit_code=3, took=6), RetryCause.EXIT_CODE),
        (ended("TaskEnded", 137, took=4), None),
        (ended("TaskEnded"), None),
        (ended("CommandProgramNotFound"), None),
        (replace(ended("TaskEnded"), started=None), None),
    ],
)
def test_causes(step: Step, status: TaskStatus, cause: RetryCause | None) -> None:
    assert cause_of(step, status) is cause


def decided(
    step: Step,
    status: TaskStatus,
    used: Mapping[RetryCause, int] | None = None,
    last: TaskRetried | None = None,
) -> Again | None:
    counts = used or {}
    return decide(step, status, used=lambda cause: counts.get(cause, 0), last=last)


def again(cause: RetryCause, due: datetime, *, is_told: bool = False) -> Again:
    return Again(cause=cause, due=due, is_told=is_told)


def test_each_cause_has_a_budget_of_its_own(step: Step) -> None:
    upload, second = RetryCause.OUTPUT_UPLOAD, NOW + timedelta(seconds=1)
    failed = ended("FileUploadMiscError", 0)
    assert decided(step, failed) == again(upload, second + TEN_SECONDS)
    others = dict.fromkeys(RetryCause, 2) | {upload: 1}
    assert decided(step, failed, others) == again(upload, second + 2 * TEN_SECONDS)
    assert decided(step, failed, {upload: 2}) is None


def test_what_is_not_asked_for_is_not_tried_again(step: Step) -> None:
    assert decided(step, ended(None, 0)) is None
    assert decided(step, ended("TaskEnded")) is None
    assert decided(replace(step, retry_plan=RetryPlan()), ended(exit_code=3)) is None


def test_an_attempt_that_was_written_down_is_not_counted_twice(step: Step) -> None:
    failed = ended(exit_code=3)
    due = NOW + timedelta(hours=1)
    last = TaskRetried(task="1", retries=2, attempt=2, at=failed.ended, due=due)
    used = {RetryCause.EXIT_CODE: 2}
    assert decided(step, failed, used, last) == again(RetryCause.EXIT_CODE, due, is_told=True)
    assert decided(step, failed, used, replace(last, at=NOW)) is None
    assert decided(step, failed, used, replace(last, due=None)) is None


def test_a_task_may_lose_its_node_so_often(step: Step) -> None:
    killed = ended("TaskEnded", 137)
    assert preempted_too_often(step, killed, 1) is None
    assert preempted_too_often(step, ended(None, 0), 2) is None
    lost = preempted_too_often(step, killed, 2)
    assert lost is not None
    assert lost.failure is not None
    assert (lost.failure.code, lost.failure.message) == (
        "Preempted",
        "its spot node was taken away 2 times; `retries.preemption` allows 1",
    )
    plan = RetryPlan(preemption=0)
    once = preempted_too_often(replace(step, retry_plan=plan), killed, 1)
    assert once is not None
    assert once.failure is not None
    assert once.failure.message == (
        "its spot node was taken away once; `retries.preemption` allows 0"
    )
    assert preempted_too_often(replace(step, retry_plan=RetryPlan()), killed, 99) is None


@pytest.mark.parametrize(
    ("retries", "is_kept"),
    [("3", False), ("{exit_code: 1}", False), ("{preemption: 1}", False), ("{timeout: 1}", True)],
)
def test_a_job_stays_open_for_tries_of_ours(tmp_path: Path, retries: str, is_kept: bool) -> None:
    spec = spec_of(f"task: {{command: echo, timeout: 5m, retries: {retries}}}\n")
    assert keeps_job_open(make_workload(tmp_path, spec, ())) is is_kept
