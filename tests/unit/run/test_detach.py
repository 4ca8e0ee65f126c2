"""A run that leaves once its tasks are added: what it says, and what goes on without it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from runner.errors import ExitCode, ServiceRefusedError
from runner.run.asking import Outcome
from runner.run.records.standing import last_event
from runner.run.services import TaskRequest
from tests.fakes.plans import SPEC
from tests.fakes.services import TaskEnd
from tests.fakes.stage import Stage

DETACHED = Outcome(exit_code=ExitCode.SUCCESS, error=None, detached=True)


@pytest.mark.parametrize("outlives", [True, False])
def test_it_leaves_the_work_behind_and_says_what_is_there(
    tmp_path: Path, *, outlives: bool
) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda request: None

    outcome = stage.execute(detach=True, outlives=outlives)

    assert outcome == DETACHED
    assert sorted(event["task"] for event in stage.of_type("task.added")) == ["0001", "0002"]
    assert stage.batch.finished_adding
    assert stage.of_type("run.finished") == []
    assert [(left["kind"], left["why"], left["kept"]) for left in stage.left()] == [
        ("job", "the work goes on", True),
        ("pool", "the work goes on", True),
        *[("container", "the work goes on", True)] * 3,
    ]
    assert not [line for line in stage.batch.log if "delete" in line or "terminate" in line]
    assert last_event(stage.directory) is not None


def test_what_has_ended_by_then_is_brought_home(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda request: TaskEnd() if request.id == "0001" else None

    assert stage.execute(detach=True) == DETACHED

    assert (tmp_path / "results" / "output" / "a.out").read_bytes() == b"result"
    assert [event["task"] for event in stage.of_type("task.finished")] == ["0001"]


def test_a_run_whose_tasks_have_all_ended_by_then_ends(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    ended: set[str] = set()
    all_ended = threading.Event()

    def end(request: TaskRequest) -> TaskEnd:
        ended.add(request.id)
        if len(ended) == 2:
            all_ended.set()
        return TaskEnd()

    def wait(operation: str) -> None:
        if operation == "finish adding":
            assert all_ended.wait(60)

    stage.batch.end, stage.batch.fail = end, wait
    assert stage.execute(detach=True) == Outcome(exit_code=ExitCode.SUCCESS, error=None)
    assert stage.left() == []


def test_a_job_that_would_wait_for_further_tries_ends_by_itself(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SPEC + "  timeout: 1h\n  retries: {timeout: 1}\n")
    stage.batch.end = lambda request: None
    assert stage.execute(detach=True) == DETACHED
    assert stage.batch.finished_adding


def test_a_task_that_is_refused_is_no_reason_to_leave(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda request: None

    def refuse(requests: object) -> None:
        raise ServiceRefusedError("task 1 is refused", code="InvalidPropertyValue")

    stage.batch.refuse_tasks = refuse

    outcome = stage.execute(detach=True)

    assert (outcome.exit_code, outcome.detached) == (ExitCode.SERVICE, False)
    assert stage.left() == []


def test_a_wish_to_stop_wins(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda request: None
    stage.batch.fail = lambda operation: stage.stop.request() if operation == "look" else None

    outcome = stage.execute(detach=True)

    assert (outcome.exit_code, outcome.detached) == (ExitCode.INTERRUPTED, False)
    assert stage.left() == []
