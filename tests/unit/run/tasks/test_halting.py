"""Runs that stop early, against fake services."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ExitCode, ServiceUnreachableError
from runner.run.requests import TaskRequest
from runner.run.services import JobState, NodeStatus, TaskFailure
from runner.run.tasks.halting import HaltedError
from tests.fakes.plans import SPEC
from tests.fakes.services import TaskEnd
from tests.fakes.stage import Stage

FILES = tuple(f"film-{number:02}.txt" for number in range(1, 31))
HINT = "run it again once the cause is gone: what has succeeded is not run again"


def stage_of(
    folder: Path,
    halt: str,
    end: Callable[[int], TaskEnd | None],
    more: str = "",
    count: int = 30,
    first: int | None = None,
) -> Stage:
    """A run over so many files, each of whose tasks ends as is said by its number.

    None ends before the `first` ones are added, which are all tasks where nothing is said.
    """
    stage = Stage(folder, f"{SPEC}{more}{halt and f'halt: {halt}'}\n", FILES[:count])
    least = count if first is None else first

    def end_of_task(request: TaskRequest) -> TaskEnd | None:
        return end(int(request.id)) if len(stage.batch.requests) >= least else None

    stage.batch.end = end_of_task
    return stage


def failing(number: int) -> TaskEnd:
    return TaskEnd(exit_code=3, stderr=f"film-{number:02}.txt is broken\n".encode())


def varied(number: int) -> TaskEnd:
    return TaskEnd(exit_code=3, stderr=b"broken in a way of its own: " + b"x" * number)


def added(stage: Stage) -> list[str]:
    return sorted(stage.batch.requests)


def uploads(stage: Stage) -> list[str]:
    """The files of the user's that were brought up."""
    return sorted(line.rpartition("/")[2] for line in stage.blobs.log if line.startswith("upload "))


def causes(stage: Stage) -> dict[str, int]:
    found: dict[str, int] = {}
    for event in stage.of_type("task.finished"):
        cause = event["cause"] or "-"
        found[cause] = found.get(cause, 0) + 1
    return found


def end_of(stage: Stage) -> dict[str, Any]:
    (event,) = stage.of_type("run.finished")
    return event


def test_soon_starts_nothing_more_and_brings_home_what_ran(tmp_path: Path) -> None:
    def end(number: int) -> TaskEnd | None:
        if number == 1:
            return TaskEnd()
        return varied(number) if number <= 4 else None

    stage = stage_of(tmp_path, "{after: 10%}", end)
    outcome = stage.execute()
    assert outcome.exit_code is ExitCode.TASKS_FAILED
    assert isinstance(outcome.error, HaltedError)
    assert outcome.error.message == (
        "3 of 30 tasks failed (`halt.after: 10%`); stopped early: 26 of 30 tasks never ran"
    )
    assert outcome.error.hint == HINT
    assert causes(stage) == {"-": 1, "FailureExitCode": 3, "Halted": 26}
    assert stage.failures()["0030"] == (
        "Halted",
        "the run stopped early: 3 of 30 tasks failed (`halt.after: 10%`)",
    )
    assert (tmp_path / "results" / "output" / "film-01.out").exists()
    numbers = {key: end_of(stage)[key] for key in ("succeeded", "failed", "unfinished", "halted")}
    assert numbers == {"succeeded": 1, "failed": 3, "unfinished": 26, "halted": True}
    assert "terminate job" not in stage.batch.log
    assert stage.batch.log.count("disable job") == 1
    assert stage.batch.job is None
    assert stage.batch.pools == set()


def test_what_runs_while_the_job_is_being_disabled_is_waited_for(tmp_path: Path) -> None:
    def end(number: int) -> TaskEnd | None:
        return varied(number) if number == 1 else None

    stage = stage_of(tmp_path, "{after: 1}", end, count=3)
    batch = stage.batch
    looks_left = 5

    def disable(job_id: str) -> None:
        batch.log.append("disable job")
        batch.job_state = JobState.DISABLING

    def run_on(request: TaskRequest) -> TaskEnd | None:
        nonlocal looks_left
        if batch.job_state is JobState.ACTIVE:
            return end(int(request.id)) if len(batch.requests) == 3 else None
        if request.id != "0002":
            return None
        looks_left -= 1
        if looks_left:
            return None
        batch.job_state = JobState.DISABLED
        return TaskEnd()

    batch.disable_job = disable  # type: ignore[method-assign]
    batch.end = run_on
    outcome = stage.execute()
    assert outcome.error is not None
    assert outcome.error.message == (
        "1 of 3 tasks failed (`halt.after: 1`); stopped early: 1 of 3 tasks never ran"
    )
    assert (tmp_path / "results" / "output" / "film-02.out").exists()
    assert causes(stage) == {"-": 1, "FailureExitCode": 1, "Halted": 1}


@pytest.mark.parametrize("when", ["soon", "now"])
def test_a_start_task_that_fails_meanwhile_is_told_before_its_node_goes(
    tmp_path: Path, when: str
) -> None:
    there = NodeStatus(
        id="node-1", state="running", start_task_exit_code=None, start_task_failure=None
    )
    spec = SPEC.replace(
        "  nodes: {dedicated: 1}",
        "  nodes: {dedicated: 1}\n  start_task: {command: ls, wait_for_success: false}",
    )
    stage = Stage(tmp_path, f"{spec}halt: {{after: 2, when: {when}}}\n", FILES[:5])
    stage.batch.start_task_log = b"no such package\n"

    def end(request: TaskRequest) -> TaskEnd | None:
        is_bad = len(stage.batch.requests) == 5 and int(request.id) <= 2
        return failing(int(request.id)) if is_bad else None

    def nodes(pool_id: str) -> tuple[NodeStatus, ...]:
        """There until the job ends; the start task fails when there is a reason to stop."""
        if stage.batch.job is None or stage.batch.job_state is JobState.COMPLETED:
            return ()
        if len(stage.of_type("task.finished")) < 2:
            return (there,)
        failed = replace(there, start_task_exit_code=4, start_task_failure="no")
        return (replace(failed, start_task_ended=True),)

    stage.batch.end = end
    stage.batch.node_statuses = nodes  # type: ignore[method-assign]
    assert stage.execute().exit_code is ExitCode.TASKS_FAILED
    (event,) = stage.of_type("start_task.failed")
    assert (event["node"], event["exit_code"]) == ("node-1", 4)
    kept = stage.directory / "logs" / "start-task" / "node-1" / "stderr.txt"
    assert kept.read_text() == "no such package\n"


def test_now_ends_what_runs(tmp_path: Path) -> None:
    def end(number: int) -> TaskEnd | None:
        return varied(number) if number == 1 else None

    stage = stage_of(tmp_path, "{after: 1, when: now}", end, count=4)
    batch = stage.batch

    def terminate(job_id: str) -> None:
        batch.log.append("terminate job")
        killed = TaskFailure(code="TaskEnded", category="UserError", message="ended")
        batch.end = lambda request: (
            TaskEnd(exit_code=137, failure=killed) if request.id == "0002" else None
        )
        batch.job_state, batch.terminate_reason = JobState.COMPLETED, "UserTerminate"

    batch.terminate_job = terminate  # type: ignore[method-assign]
    outcome = stage.execute()
    assert outcome.exit_code is ExitCode.TASKS_FAILED
    assert isinstance(outcome.error, HaltedError)
    assert outcome.error.message == (
        "1 of 4 tasks failed (`halt.after: 1`);"
        " stopped early: 1 of 4 tasks ended with it, 2 never ran"
    )
    reason = "the run stopped early: 1 of 4 tasks failed (`halt.after: 1`)"
    assert stage.failures()["0002"] == ("JobEnded", reason)
    assert stage.failures()["0004"] == ("Halted", reason)
    assert "disable job" not in batch.log


def test_of_those_that_never_ran_are_also_those_that_need_one_that_failed(tmp_path: Path) -> None:
    steps = (
        "tasks:\n  one: {command: exit 3}\n  two: {command: echo, needs: one}\n"
        "  three: {command: echo}\nhalt: {after: 1}\n"
    )
    stage = Stage(tmp_path, f"{SPEC.partition('task:')[0]}{steps}", ("a.txt",))

    def end(request: TaskRequest) -> TaskEnd | None:
        is_first = request.id == "0001" and len(stage.batch.requests) == 3
        return failing(1) if is_first else None

    stage.batch.end = end
    outcome = stage.execute()
    assert causes(stage) == {"FailureExitCode": 1, "DependencyFailed": 1, "Halted": 1}
    assert outcome.error is not None
    assert outcome.error.message == (
        "1 of 3 tasks failed (`halt.after: 1`); stopped early: 2 of 3 tasks never ran"
    )


def test_a_run_whose_tasks_have_all_ended_is_not_stopped(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, "{after: 50%}", varied, count=2)
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.TASKS_FAILED, None)
    assert causes(stage) == {"FailureExitCode": 2}
    assert end_of(stage)["halted"] is False


@pytest.mark.parametrize("when", ["soon", "now"])
def test_a_job_that_has_ended_by_itself_needs_no_stopping(tmp_path: Path, when: str) -> None:
    """The last tasks may end between a reason and the request that follows from it."""

    def end(number: int) -> TaskEnd | None:
        return varied(number) if number == 1 or stage.batch.disabled else None

    stage = stage_of(tmp_path, f"{{after: 1, when: {when}}}", end, count=2)
    batch = stage.batch

    def over(job_id: str) -> None:
        batch.end = lambda request: TaskEnd()
        batch.job_state, batch.terminate_reason = JobState.COMPLETED, "AllTasksComplete"

    batch.disable_job = batch.terminate_job = over  # type: ignore[method-assign]
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.TASKS_FAILED, None)
    assert causes(stage) == {"FailureExitCode": 1, "-": 1}


def test_failures_that_are_alike_stop_a_run_of_which_nothing_has_succeeded(tmp_path: Path) -> None:
    def end(number: int) -> TaskEnd | None:
        return failing(number) if number <= 20 else None

    stage = stage_of(tmp_path, "", end)
    outcome = stage.execute()
    assert outcome.error is not None
    last = outcome.error.message.partition("film-")[2][:2]
    assert outcome.error.message == (
        f"the same failure on 20 of 20 tasks: exit code 3: film-{last}.txt is broken;"
        " stopped early: 10 of 30 tasks never ran"
    )
    assert outcome.error.hint == (
        f"{HINT}; with `halt: {{same_failure: false}}` in the spec such a run goes on"
    )


def test_failures_of_many_kinds_stop_nothing(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, "", varied)
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.TASKS_FAILED, None)
    assert causes(stage) == {"FailureExitCode": 30}


def test_a_try_that_is_not_the_last_is_no_failure(tmp_path: Path) -> None:
    tries: dict[int, int] = {}

    def end(number: int) -> TaskEnd:
        tries[number] = tries.get(number, 0) + 1
        return varied(number) if tries[number] == 1 else TaskEnd()

    more = "  retries: {exit_code: 1, backoff: 1s}\n"
    stage = stage_of(
        tmp_path, "{after: 1, same_failure: 1, canary: 2}", end, more, count=5, first=0
    )
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.SUCCESS, None)
    assert set(tries.values()) == {2}


def test_what_waits_for_another_try_has_failed_once_the_run_stops(tmp_path: Path) -> None:
    lacking = TaskFailure(code="BlobNotFound", category="UserError", message="no such blob")

    def end(number: int) -> TaskEnd | None:
        match number:
            case 1 if "0002" in stage.batch.tasks:
                return TaskEnd(exit_code=None, failure=lacking)
            case 2:
                return varied(number)
            case _:
                return None

    more = "  retries: {exit_code: 1, backoff: 1h}\n"
    stage = stage_of(tmp_path, "{after: 1}", end, more, count=4)
    outcome = stage.execute()
    assert isinstance(outcome.error, HaltedError)
    assert outcome.error.message == (
        "1 of 4 tasks failed (`halt.after: 1`); stopped early: 2 of 4 tasks never ran"
    )
    assert causes(stage) == {"BlobNotFound": 1, "FailureExitCode": 1, "Halted": 2}
    assert [line for line in stage.batch.log if line.startswith("reactivate")] == []


def test_nothing_else_is_brought_up_before_the_canary_has_sung(tmp_path: Path) -> None:
    seen: list[tuple[list[str], list[str]]] = []

    def end(number: int) -> TaskEnd:
        if number <= 3:
            seen.append((added(stage), uploads(stage)))
        return TaskEnd()

    stage = stage_of(tmp_path, "{canary: 3}", end, first=0)
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.SUCCESS, None)
    assert len(added(stage)) == 30
    assert uploads(stage) == sorted(FILES)
    assert len(seen) == 3
    for ids, files in seen:
        assert set(ids) <= {"0001", "0002", "0003"}
        assert set(files) <= set(FILES[:3])
    assert stage.batch.log.count("finish adding") == 1


def test_a_canary_that_fails_is_all_that_was_run(tmp_path: Path) -> None:
    def end(number: int) -> TaskEnd:
        return failing(number) if number == 2 else TaskEnd()

    stage = stage_of(tmp_path, "{canary: 3}", end, first=3)
    outcome = stage.execute()
    assert outcome.exit_code is ExitCode.TASKS_FAILED
    assert isinstance(outcome.error, HaltedError)
    assert outcome.error.message == (
        "the canary failed: task `0002` (film-02.txt): exit code 3: film-02.txt is broken;"
        " stopped early: 27 of 30 tasks never ran"
    )
    assert added(stage) == ["0001", "0002", "0003"]
    assert uploads(stage) == list(FILES[:3])
    assert "finish adding" not in stage.batch.log
    assert causes(stage) == {"-": 2, "FailureExitCode": 1}
    assert end_of(stage)["unfinished"] == 27


def test_a_canary_of_all_tasks_is_a_run_like_any(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, "{canary: 100}", lambda _: TaskEnd(), count=5)
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.SUCCESS, None)
    assert stage.batch.log.count("finish adding") == 1


def test_a_canary_that_does_not_come_home_ends_the_wait(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, "{canary: 1}", lambda _: TaskEnd(), first=1)

    def fail(operation: str, name: str) -> None:
        if operation == "download":
            raise ServiceUnreachableError("no answer")

    stage.blobs.fail = fail
    assert stage.execute().exit_code is ExitCode.SERVICE
    assert added(stage) == ["0001"]
    stage.blobs.fail = lambda operation, name: None
    assert stage.resume().exit_code is ExitCode.SUCCESS
    assert len(added(stage)) == 30


def test_the_wait_for_a_canary_has_an_end(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, "{canary: 1}", lambda _: None, "limits: {wait: 2m}\n", first=1)
    outcome = stage.execute()
    assert outcome.exit_code is ExitCode.STOPPED_WAITING
    assert outcome.error is not None
    assert outcome.error.message == "stopped waiting after 2m: 30 of 30 tasks have not ended"
    assert added(stage) == ["0001"]


def test_whoever_leaves_a_run_waits_for_its_canary(tmp_path: Path) -> None:
    def end(number: int) -> TaskEnd | None:
        return TaskEnd() if number <= 2 else None

    stage = stage_of(tmp_path, "{canary: 2}", end, first=2)
    outcome = stage.execute(detach=True)
    assert (outcome.exit_code, outcome.detached) == (ExitCode.SUCCESS, True)
    assert len(added(stage)) == 30
    assert causes(stage) == {"-": 2}


def test_nobody_leaves_a_run_whose_canary_fails(tmp_path: Path) -> None:
    def end(number: int) -> TaskEnd:
        return failing(number) if number == 2 else TaskEnd()

    stage = stage_of(tmp_path, "{canary: 2}", end, first=2)
    outcome = stage.execute(detach=True)
    assert (outcome.exit_code, outcome.detached) == (ExitCode.TASKS_FAILED, False)
    assert isinstance(outcome.error, HaltedError)
    assert added(stage) == ["0001", "0002"]
    assert stage.batch.job is None


def test_a_run_that_was_left_stops_once_somebody_is_there(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, "{after: 3}", lambda _: None)
    assert stage.execute(detach=True).detached is True
    stage.batch.end = lambda request: varied(int(request.id)) if request.id <= "0005" else None
    outcome = stage.resume()
    assert isinstance(outcome.error, HaltedError)
    assert causes(stage) == {"FailureExitCode": 5, "Halted": 25}


def test_whoever_interrupts_a_run_does_not_wait_for_the_canary(tmp_path: Path) -> None:
    def end(number: int) -> None:
        stage.stop.request()

    stage = stage_of(tmp_path, "{canary: 1}", end, first=1)
    ended: list[ExitCode] = []
    run = threading.Thread(target=lambda: ended.append(stage.execute().exit_code), daemon=True)
    run.start()
    run.join(timeout=60)
    assert ended == [ExitCode.INTERRUPTED]
    assert added(stage) == ["0001"]
