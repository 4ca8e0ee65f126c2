"""Runs of steps that need others, and of jobs that heed how their tasks end."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ExitCode, ServiceRefusedError
from runner.run.removal.cleanup import Keep
from runner.run.services import JobState, TaskFailure, TaskRequest
from runner.spec.model.step import DependentsAction, JobAction
from runner.spec.model.terms import StepName
from runner.spec.model.workload import OnFailure
from tests.fakes.plans import RUN, make_plan
from tests.fakes.services import TaskEnd
from tests.fakes.shapes import exit_rule, needs, shaped_plan
from tests.fakes.stage import Stage

TWO_STEPS: dict[str, dict[str, Any]] = {"first": {}, "second": {"needs": (StepName("first"),)}}


def failing(*ids: str, code: int = 1) -> Any:
    """What ends the tasks of these ids with this code, and the others well."""

    def end(request: TaskRequest) -> TaskEnd:
        return TaskEnd(exit_code=code) if request.id in ids else TaskEnd()

    return end


def one_by_one(folder: Path, count: int = 2, **more: Any) -> Stage:
    """Each task of `first` has one of `second` that needs it."""
    tasks = [
        *({"step": "first"} for _ in range(count)),
        *({"step": "second", "needs": needs((number, number))} for number in range(1, count + 1)),
    ]
    return Stage(folder, plan=shaped_plan(folder, tasks, **{"steps": TWO_STEPS, **more}))


def test_a_step_follows_another(tmp_path: Path) -> None:
    stage = one_by_one(tmp_path)
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.batch.job is None
    assert [event["task"] for event in stage.of_type("task.finished") if event["succeeded"]]
    assert len(stage.of_type("task.finished")) == 4
    assert "terminate job" not in stage.batch.log


def test_what_needs_a_task_that_failed_never_runs(tmp_path: Path) -> None:
    stage = one_by_one(tmp_path)
    stage.batch.end = failing("0001")
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.TASKS_FAILED, None)
    assert stage.failures() == {
        "0001": ("FailureExitCode", "it failed"),
        "0003": ("DependencyFailed", "it needs task `0001`, which failed"),
    }
    (finished,) = stage.of_type("run.finished")
    assert (finished["succeeded"], finished["failed"], finished["unfinished"]) == (2, 2, 0)
    assert stage.batch.log.index("terminate job") < stage.batch.log.index("delete job")


def test_the_failure_at_the_start_of_a_chain_is_named(tmp_path: Path) -> None:
    tasks = [{}, {"needs": needs((1, 1))}, {"needs": needs((2, 2))}, {"needs": needs((1, 3))}]
    stage = Stage(
        tmp_path,
        plan=shaped_plan(tmp_path, tasks, steps={"task": {"needs": (StepName("task"),)}}),
    )
    stage.batch.end = failing("0001")
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    words = "it needs task `0002`, which never ran, since task `0001` failed"
    assert stage.failures()["0002"] == ("DependencyFailed", "it needs task `0001`, which failed")
    assert stage.failures()["0003"] == ("DependencyFailed", words)
    assert stage.failures()["0004"] == ("DependencyFailed", "it needs task `0001`, which failed")


def test_a_merge_of_many(tmp_path: Path) -> None:
    tasks = [*({"step": "first"} for _ in range(500)), {"step": "second", "needs": needs((1, 500))}]
    stage = Stage(tmp_path, plan=shaped_plan(tmp_path, tasks, steps=TWO_STEPS))
    stage.batch.end = failing("0250", "0400")
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert stage.failures()["0501"][0] == "DependencyFailed"
    (finished,) = stage.of_type("run.finished")
    assert (finished["succeeded"], finished["failed"]) == (498, 3)


def test_a_rule_may_let_dependents_run(tmp_path: Path) -> None:
    rule = exit_rule(3, dependents=DependentsAction.RUN)
    steps = {"first": {"exit_rules": (rule,)}, "second": TWO_STEPS["second"]}
    stage = one_by_one(tmp_path, steps=steps)
    stage.batch.end = failing("0001", code=3)
    stage.batch.lets_run.add(1)
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert stage.failures() == {"0001": ("FailureExitCode", "it failed")}


def test_a_rule_may_block_after_a_success(tmp_path: Path) -> None:
    rule = exit_rule(0, dependents=DependentsAction.BLOCK)
    steps = {"first": {"exit_rules": (rule,)}, "second": TWO_STEPS["second"]}
    stage = one_by_one(tmp_path, 1, steps=steps)
    end = stage.batch.end

    def end_first(request: TaskRequest) -> TaskEnd | None:
        return end(request) if request.id == "0001" else None

    stage.batch.end = end_first
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert stage.failures() == {"0002": ("DependencyFailed", "it needs task `0001`, which failed")}


def test_a_task_that_was_given_up_counts_once(tmp_path: Path) -> None:
    """Somebody may end a blocked task by hand afterwards."""
    stage = one_by_one(tmp_path, 3)
    late: list[str] = []

    def end(request: TaskRequest) -> TaskEnd | None:
        if request.id == "0002":
            return TaskEnd() if late else None
        return TaskEnd(exit_code=1 if request.id == "0001" else 0)

    def look(operation: str) -> None:
        if operation == "look" and "0004" in stage.failures() and not late:
            stage.batch.lets_run.add(1)
            late.append("now")

    stage.batch.end, stage.batch.fail = end, look
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    (finished,) = stage.of_type("run.finished")
    assert (finished["succeeded"], finished["failed"], finished["unfinished"]) == (4, 2, 0)


def test_a_failure_that_ends_the_job_is_named(tmp_path: Path) -> None:
    plan = shaped_plan(tmp_path, [{}] * 5, job={"on_failure": OnFailure.STOP})
    stage = Stage(tmp_path, plan=plan)

    def end(request: TaskRequest) -> TaskEnd | None:
        if request.id == "0002":
            stage.batch.job_state = JobState.COMPLETED
            stage.batch.terminate_reason = "TaskFailed"
            return TaskEnd(exit_code=9)
        return TaskEnd() if request.id == "0001" else None

    stage.batch.end = end
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.TASKS_FAILED
    assert outcome.error is not None
    assert outcome.error.message == (
        "task `0002` (item 2) failed and ended the job, as the spec asks: 3 of 5 tasks never ran"
    )
    assert stage.batch.job is None


@pytest.mark.parametrize("is_seen_first", [True, False])
def test_what_a_failure_ended_with_the_job_is_told_from_it(
    tmp_path: Path, is_seen_first: bool
) -> None:
    """The service may list what it killed before the task that was at fault."""
    plan = shaped_plan(tmp_path, [{}] * 4, job={"on_failure": OnFailure.STOP})
    stage = Stage(tmp_path, plan=plan)
    killed = TaskFailure(
        code="TaskEnded", category="UserError", message="Task Was Ended by User Request"
    )
    failing_id = "0003" if is_seen_first else "0001"

    def end(request: TaskRequest) -> TaskEnd | None:
        stage.batch.job_state = JobState.COMPLETED
        stage.batch.terminate_reason = "TaskFailed"
        if request.id == failing_id:
            return TaskEnd(exit_code=9)
        return None if request.id == "0004" else TaskEnd(exit_code=137, failure=killed)

    stage.batch.end = end
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.TASKS_FAILED
    assert outcome.error is not None
    number = int(failing_id)
    culprit = f"task `{failing_id}` (item {number}) failed and ended the job, as the spec asks"
    assert outcome.error.message == f"{culprit}: 2 of 4 tasks ended with it, 1 never ran"
    others = {"0001", "0002", "0003"} - {failing_id}
    assert stage.failures() == {
        failing_id: ("FailureExitCode", "it failed"),
        **dict.fromkeys(others, ("JobEnded", culprit)),
    }


@pytest.mark.parametrize("refused", ["add tasks", "finish adding"])
@pytest.mark.parametrize("code", ["JobCompleted", "JobBeingTerminated"])
def test_a_job_that_ends_while_it_is_fed_is_no_refusal(
    tmp_path: Path, refused: str, code: str
) -> None:
    plan = shaped_plan(tmp_path, [{}] * 250, job={"on_failure": OnFailure.STOP})
    stage = Stage(tmp_path, plan=plan)

    def refuse(operation: str) -> None:
        if operation == refused:
            stage.batch.job_state = JobState.COMPLETED
            stage.batch.terminate_reason = "TaskFailed"
            raise ServiceRefusedError("the job is over", code=code)

    def refuse_tasks(requests: Sequence[TaskRequest]) -> None:
        """All but the collection of the task at fault, which may come in any order."""
        if requests[0].id != "0001":
            deadline = time.monotonic() + 60
            while "0001" not in stage.batch.requests and time.monotonic() < deadline:
                threading.Event().wait(0.005)
            refuse("add tasks")

    def end(request: TaskRequest) -> TaskEnd | None:
        return TaskEnd(exit_code=1) if request.id == "0001" else None

    stage.batch.end, stage.batch.refuse_tasks = end, refuse_tasks
    if refused != "add tasks":
        stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.TASKS_FAILED
    assert outcome.error is not None
    assert outcome.error.message == (
        "task `0001` (item 1) failed and ended the job, as the spec asks: 249 of 250 tasks never"
        " ran"
    )


def test_the_last_task_may_end_the_job_before_it_is_fed(tmp_path: Path) -> None:
    plan = shaped_plan(tmp_path, [{}], job={"on_failure": OnFailure.STOP})
    stage = Stage(tmp_path, plan=plan)

    def refuse(operation: str) -> None:
        if operation == "finish adding":
            raise ServiceRefusedError("the job is over", code="JobCompleted")

    stage.batch.end, stage.batch.fail = failing("0001"), refuse
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.TASKS_FAILED, None)


def disabling(folder: Path) -> Stage:
    """A run whose first task disables the job; the others wait for ever."""
    rule = exit_rule(3, job=JobAction.DISABLE)
    stage = Stage(
        folder, plan=shaped_plan(folder, [{}] * 3, steps={"task": {"exit_rules": (rule,)}})
    )

    def end(request: TaskRequest) -> TaskEnd | None:
        if request.id == "0001":
            stage.batch.job_state = JobState.DISABLED
            return TaskEnd(exit_code=3)
        return None

    stage.batch.end = end
    return stage


def test_a_job_that_stands_still_is_left_to_the_user(tmp_path: Path) -> None:
    stage = disabling(tmp_path)
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.STOPPED_WAITING
    assert outcome.error is not None
    assert outcome.error.message == (
        "task `0001` (item 1) failed and disabled the job, as the spec asks: 2 of 3 tasks have not"
        " ended"
    )
    assert outcome.error.hint == (f"once its cause is gone, `batch-run resume {RUN}` goes on")
    assert stage.batch.job is not None
    assert {left["why"] for left in stage.left()} == {"the job is disabled"}
    assert stage.batch.finished_adding


def test_a_job_that_stands_still_here_rests_until_it_is_resumed(tmp_path: Path) -> None:
    stage = disabling(tmp_path)
    outcome = stage.execute(outlives=False)
    assert outcome.exit_code == ExitCode.STOPPED_WAITING
    assert outcome.error is not None
    assert outcome.error.hint == (f"once its cause is gone, `batch-run resume {RUN}` goes on")
    assert stage.batch.job is not None
    assert [left["kind"] for left in stage.left()] == ["local state of run"]


def test_a_job_that_somebody_else_disabled_is_waited_for(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.job_state = JobState.DISABLED

    def end(request: TaskRequest) -> TaskEnd | None:
        return None if stage.batch.looks < 30 else TaskEnd()

    stage.batch.end = end
    assert stage.execute(keep=frozenset({Keep.STORAGE})).exit_code == ExitCode.SUCCESS


def test_what_only_we_find_missing_blocks_nothing(tmp_path: Path) -> None:
    """The service lets tasks follow one that ended well, whatever it left undone."""
    plan = make_plan(tmp_path, files=("a.txt",))
    stage = one_by_one(tmp_path, 1)
    first = replace(stage.plan.tasks[0], outputs=plan.tasks[0].outputs)
    stage.plan = replace(stage.plan, tasks=(first, *stage.plan.tasks[1:]))
    stage.batch.end = lambda request: TaskEnd(writes=False)
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert stage.failures() == {
        "0001": ("OutputMissing", "the command succeeded but did not write `a.out`")
    }
    (finished,) = stage.of_type("run.finished")
    assert (finished["succeeded"], finished["failed"]) == (1, 1)


def test_an_interruption_while_tasks_wait_for_others(tmp_path: Path) -> None:
    stage = one_by_one(tmp_path, 50)
    stage.batch.end = lambda request: TaskEnd() if int(request.id) < 20 else None

    def stop(operation: str) -> None:
        if operation == "look" and len(stage.of_type("task.finished")) > 10:
            stage.stop.request()

    stage.batch.fail = stop
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert (stage.blobs.containers, stage.batch.job, stage.batch.pools) == ({}, None, set())
