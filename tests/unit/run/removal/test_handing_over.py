"""A cleanup in the middle of which another client takes the run over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import ExitCode, ServiceError, ServiceRefusedError, ServiceUnreachableError
from runner.plan.model import LOGS
from runner.run.holding import Hold
from runner.run.records.record_blob import RECORD_BLOB
from tests.fakes.plans import RUN
from tests.fakes.services import FakeBlobs
from tests.fakes.stage import Stage

RECORD = f"{RUN}-{LOGS}/{RECORD_BLOB}"


def interrupted(folder: Path, deleting: Callable[[Stage], None]) -> Stage:
    """A run that Ctrl-C ends while nothing of it is done; `deleting` is what befalls its job."""
    stage = Stage(folder)
    stage.batch.end = lambda task: None

    def fail(operation: str) -> None:
        if operation == "look":
            stage.stop.request()
        if operation == "delete job":
            deleting(stage)

    stage.batch.fail = fail
    return stage


def test_what_another_client_has_taken_over_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    """As where a laptop slept while the job was being deleted."""

    is_taken = threading.Event()

    def sleep(stage: Stage) -> None:
        stage.blobs.holders[RECORD] = "another"
        is_taken.set()

    def wait(operation: str, name: str) -> None:
        if operation == "delete container":
            assert is_taken.wait(60)

    stage = interrupted(tmp_path, sleep)
    stage.blobs.fail = wait

    assert stage.execute(holder="me").exit_code is ExitCode.INTERRUPTED

    assert "delete pool" not in stage.batch.log
    assert f"{RUN}-{LOGS}" in stage.blobs.containers
    assert stage.blobs.holders == {RECORD: "another"}
    assert f"job {RUN}" in stage.of_type("cleanup.finished")[0]["deleted"]
    assert stage.left() == []
    assert stage.told[-1] == (
        "a client on another machine has taken the run over: the rest is left to it"
    )


@pytest.mark.parametrize(
    "error",
    [
        ServiceUnreachableError("storage is out of reach"),
        ServiceRefusedError("not authorised", code="AuthorizationFailure"),
    ],
)
def test_what_cannot_be_asked_is_not_deleted(tmp_path: Path, error: ServiceError) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: None

    def look(operation: str) -> None:
        if operation == "look":
            stage.stop.request()

    def fail(operation: str, name: str) -> None:
        if operation == "hold" and stage.stop.requested:
            raise error

    stage.batch.fail, stage.blobs.fail = look, fail

    assert stage.execute(holder="me").exit_code is ExitCode.INTERRUPTED

    names = {RUN, *(f"{RUN}-{role}" for role in ("input", "output", LOGS)), *stage.batch.pools}
    assert len(names) == 5
    assert stage.names_left() == names
    assert {each["name"] for each in stage.left()} == names
    assert {(each["why"], each["kept"]) for each in stage.left()} == {
        (
            f"it could not be told whether another client drives the run: {error.message}",
            False,
        )
    }


def test_the_record_goes_last(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    assert stage.execute(holder="me").exit_code is ExitCode.SUCCESS

    deleted = [line for line in stage.blobs.log if line.startswith("delete container")]
    assert deleted[-1] == f"delete container {RUN}-{LOGS}"
    assert stage.names_left() == set()


def test_a_hold_that_cannot_be_asked_says_neither(tmp_path: Path) -> None:
    blobs = FakeBlobs(containers={"logs": {"record": b""}})
    hold = Hold(blobs, "logs", "record", holder="me")
    assert hold.claim(lambda seconds: None, lambda line: None)
    refusal = ServiceRefusedError("not authorised", code="AuthorizationFailure")

    def fail(operation: str, name: str) -> None:
        raise refusal

    blobs.fail = fail
    with pytest.raises(ServiceRefusedError, match="not authorised"):
        hold.is_still_ours()
    blobs.fail = lambda operation, name: None
    assert hold.is_still_ours()
    blobs.holders["logs/record"] = "another"
    assert not hold.is_still_ours()
    hold.end(releases=True)
    assert blobs.holders == {"logs/record": "another"}
