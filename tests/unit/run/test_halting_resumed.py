"""Runs that were about to stop early, or waited for their first tasks, and are taken up again."""

from __future__ import annotations

from pathlib import Path

from runner.errors import ExitCode, ServiceUnreachableError
from runner.run.requests import TaskRequest
from runner.run.tasks.halting import HaltedError
from tests.fakes.plans import SPEC
from tests.fakes.services import TaskEnd
from tests.fakes.stage import Stage

FILES = tuple(f"film-{number:02}.txt" for number in range(1, 11))
STOPPED = "2 of 10 tasks failed (`halt.after: 2`); stopped early: 8 of 10 tasks never ran"


def failing_stage(folder: Path) -> Stage:
    """Two tasks fail, and nothing else ends, once all of them are added."""
    stage = Stage(folder, f"{SPEC}halt: {{after: 2}}\n", FILES)

    def end(request: TaskRequest) -> TaskEnd | None:
        is_bad = request.id in {"0003", "0004"} and len(stage.batch.requests) == len(FILES)
        return TaskEnd(exit_code=3) if is_bad else None

    stage.batch.end = end
    return stage


def canary_stage(folder: Path, more: str = "") -> Stage:
    """The first of three canaries succeeds; nothing else ends."""
    stage = Stage(folder, f"{SPEC}halt: {{canary: 3}}\n{more}", FILES)
    stage.batch.end = lambda request: TaskEnd() if request.id == "0001" else None
    return stage


def causes(stage: Stage) -> list[str]:
    return sorted(event["cause"] or "-" for event in stage.of_type("task.finished"))


def let_all_succeed(stage: Stage) -> list[int]:
    """From here on every task succeeds; gives how many the job had when each canary ended."""
    had: list[int] = []

    def end(request: TaskRequest) -> TaskEnd:
        if request.id in {"0002", "0003"}:
            had.append(len(stage.batch.requests))
        return TaskEnd()

    stage.batch.end = end
    return had


def test_a_run_that_could_not_stop_its_job_stops_it_when_it_is_taken_up(tmp_path: Path) -> None:
    stage = failing_stage(tmp_path)

    def fail(operation: str) -> None:
        if operation == "disable job":
            raise ServiceUnreachableError("no answer")

    stage.batch.fail = fail
    assert stage.execute().exit_code is ExitCode.SERVICE
    assert causes(stage) == ["FailureExitCode"] * 2
    stage.batch.fail = lambda operation: None
    stage.batch.log.clear()

    outcome = stage.resume()
    assert outcome.exit_code is ExitCode.TASKS_FAILED
    assert isinstance(outcome.error, HaltedError)
    assert outcome.error.message == STOPPED
    assert causes(stage) == ["Halted"] * 8
    (end,) = stage.of_type("run.finished")
    assert (end["succeeded"], end["failed"], end["unfinished"]) == (0, 2, 8)
    assert "enable job" not in stage.batch.log
    assert stage.batch.job is None


def test_a_job_that_was_disabled_is_not_enabled_to_be_disabled_again(tmp_path: Path) -> None:
    stage = failing_stage(tmp_path)

    def fail(operation: str) -> None:
        if stage.batch.disabled and operation == "look":
            raise ServiceUnreachableError("no answer")

    stage.batch.fail = fail
    assert stage.execute().exit_code is ExitCode.SERVICE
    stage.batch.fail = lambda operation: None
    stage.batch.log.clear()

    outcome = stage.resume()
    assert outcome.error is not None
    assert outcome.error.message == STOPPED
    assert "enable job" not in stage.batch.log


def test_a_run_whose_job_is_gone_is_not_begun_anew_to_be_stopped(tmp_path: Path) -> None:
    stage = failing_stage(tmp_path)

    def interrupt(operation: str) -> None:
        if operation == "disable job":
            stage.stop.request()

    stage.batch.fail = interrupt
    assert stage.execute().exit_code is ExitCode.INTERRUPTED
    assert stage.batch.job is None
    stage.batch.fail = lambda operation: None
    stage.batch.log.clear()
    stage.blobs.log.clear()

    outcome = stage.resume()
    assert outcome.exit_code is ExitCode.TASKS_FAILED
    assert outcome.error is not None
    assert outcome.error.message == STOPPED
    assert "create job" not in stage.batch.log
    assert [line for line in stage.blobs.log if line.startswith(("create", "upload"))] == []
    (end,) = stage.of_type("run.finished")
    assert (end["failed"], end["unfinished"], end["halted"]) == (2, 8, True)


def test_a_canary_in_a_job_that_goes_on_is_waited_for(tmp_path: Path) -> None:
    stage = canary_stage(tmp_path, "limits: {wait: 20h}\n")

    def fail(operation: str) -> None:
        if operation == "look" and len(stage.batch.requests) == 3 and causes(stage):
            raise ServiceUnreachableError("no answer")

    stage.batch.fail = fail
    assert stage.execute().exit_code is ExitCode.SERVICE
    assert sorted(stage.batch.requests) == ["0001", "0002", "0003"]
    stage.batch.fail = lambda operation: None
    had = let_all_succeed(stage)

    assert stage.resume().exit_code is ExitCode.SUCCESS
    assert had == [3, 3]
    assert len(stage.batch.requests) == 10


def test_a_canary_in_a_job_that_is_gone_is_sent_again(tmp_path: Path) -> None:
    stage = canary_stage(tmp_path)

    def interrupt(operation: str) -> None:
        if operation == "look" and causes(stage):
            stage.stop.request()

    stage.batch.fail = interrupt
    assert stage.execute().exit_code is ExitCode.INTERRUPTED
    stage.batch.fail = lambda operation: None
    had = let_all_succeed(stage)

    assert stage.resume().exit_code is ExitCode.SUCCESS
    # The first has succeeded, so the job lacks it.
    assert max(had) <= 2
    assert sorted(stage.batch.requests) == [f"{number:04}" for number in range(2, 11)]


def test_a_canary_that_has_sung_is_not_asked_for_again(tmp_path: Path) -> None:
    stage = canary_stage(tmp_path)
    stage.batch.end = lambda request: TaskEnd() if request.id <= "0003" else None

    def interrupt(operation: str) -> None:
        if operation == "look" and len(stage.batch.requests) > 3:
            stage.stop.request()

    stage.batch.fail = interrupt
    assert stage.execute().exit_code is ExitCode.INTERRUPTED
    stage.batch.fail = lambda operation: None
    stage.batch.end = lambda request: TaskEnd(exit_code=3) if request.id == "0004" else TaskEnd()

    outcome = stage.resume()
    assert (outcome.exit_code, outcome.error) == (ExitCode.TASKS_FAILED, None)
    assert causes(stage) == ["-"] * 6 + ["FailureExitCode"]
