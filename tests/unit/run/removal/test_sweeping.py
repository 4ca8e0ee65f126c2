"""What was to go is looked at anew when its turn comes: much may have happened since."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runner.errors import ServiceRefusedError
from runner.plan.model import RunId
from runner.run.records.record_blob import RECORD_BLOB
from runner.run.removal.sweeping import sweep
from runner.run.removal.tidying import Scope, Tidying
from runner.run.removal.traces import CONTAINER_RUN, Kind, Trace
from tests.fakes.services import NOW, FakeBatch, FakeBlobs

RUN = RunId("demo-20260131t120000z-ab2c")
OURS, THEIRS = "holder-1", "holder-2"
RECORD = f"{RUN}-logs/{RECORD_BLOB}"
JOB = Trace(kind=Kind.JOB, name=RUN, run=RUN, state="completed")
POOL = Trace(kind=Kind.POOL, name="demo-abcd", run=RUN, for_others=True, made=NOW)
LOGS = Trace(kind=Kind.CONTAINER, name=f"{RUN}-logs", run=RUN)
OUTPUT = Trace(kind=Kind.CONTAINER, name=f"{RUN}-output", run=RUN)
DRIVEN = (
    "a client on another machine drives the run, or has died within the last minute;"
    f" `batch-run cancel {RUN}` ends it"
)


class Account:
    """What a run has left, and what becomes of it."""

    def __init__(self, *traces: Trace) -> None:
        self.blobs = FakeBlobs()
        self.batch = FakeBatch(self.blobs)
        self.begun = 0
        for trace in traces:
            if trace.kind is Kind.CONTAINER:
                self.blobs.create_container(trace.name, {CONTAINER_RUN: RUN})
            else:
                self.batch.forgotten.append(trace)
        self.batch.pools = {trace.name for trace in traces if trace.kind is Kind.POOL}
        if LOGS in traces:
            self.blobs.upload_text(LOGS.name, RECORD_BLOB, "")
        self.blobs.log.clear()

    def begin(self) -> None:
        self.begun += 1

    def sweep(
        self, *going: Trace, scope: Scope = Scope.ALL, is_home: bool = True
    ) -> dict[str, str]:
        """Why each thing that stayed has stayed."""
        left = sweep(
            RUN,
            going,
            Tidying(scope=scope, takes_kept=False, now=NOW + timedelta(days=1)),
            is_home=is_home,
            holder=OURS,
            batch=self.batch,
            blobs=self.blobs,
            begin=self.begin,
        )
        return {each.name: each.why for each in left}

    def changes(self) -> list[str]:
        """What was deleted, in order."""
        return [line for line in self.batch.log + self.blobs.log if line.startswith("delete ")]


def test_what_is_still_to_go_goes_and_the_record_last() -> None:
    account = Account(LOGS, OUTPUT, POOL)

    assert account.sweep(LOGS, OUTPUT, POOL) == {}

    assert account.changes() == [
        "delete pool",
        f"delete container {OUTPUT.name}",
        f"delete container {LOGS.name}",
    ]
    assert account.begun == 1
    assert account.blobs.holders == {}


def test_what_was_not_shown_is_not_touched() -> None:
    account = Account(LOGS, OUTPUT)
    assert account.sweep(OUTPUT) == {}
    assert account.changes() == [f"delete container {OUTPUT.name}"]


def test_what_is_gone_by_now_is_no_concern() -> None:
    account = Account()
    assert account.sweep(LOGS, OUTPUT) == {}
    assert (account.changes(), account.begun) == ([], 0)


def test_a_run_that_was_taken_up_and_left_again_is_not_ended() -> None:
    """Its lease is free, and its job works."""
    account = Account(LOGS, OUTPUT, replace(JOB, state="active"))
    why = f"the job is active; `batch-run clean {RUN}` ends it"

    assert account.sweep(JOB, LOGS, OUTPUT) == dict.fromkeys((RUN, LOGS.name, OUTPUT.name), why)

    assert (account.changes(), account.begun) == ([], 0)


def test_nothing_goes_of_a_run_that_another_client_has_taken_up() -> None:
    account = Account(LOGS, OUTPUT)
    account.blobs.holders[RECORD] = THEIRS
    for scope in Scope:
        assert account.sweep(LOGS, OUTPUT, scope=scope) == {
            LOGS.name: DRIVEN,
            OUTPUT.name: DRIVEN,
        }
    assert (account.changes(), account.begun) == ([], 0)
    assert account.blobs.holders == {RECORD: THEIRS}


def test_nothing_more_goes_once_another_client_has_taken_it_up() -> None:
    """Whoever sleeps for a while, as laptops do, has lost it."""
    account = Account(LOGS, OUTPUT, replace(POOL, for_others=False))

    def lose(operation: str) -> None:
        if operation == "delete pool":
            account.blobs.holders[RECORD] = THEIRS

    account.batch.fail = lose
    left = account.sweep(LOGS, OUTPUT, replace(POOL, for_others=False))
    assert left == {LOGS.name: DRIVEN, OUTPUT.name: DRIVEN}
    assert account.changes() == ["delete pool"]


@pytest.mark.parametrize("scope", [Scope.NAMED, Scope.ALL])
def test_a_pool_that_a_run_has_begun_in_stays(scope: Scope) -> None:
    account = Account(POOL)
    answers = iter([(), ("other-run",)])
    account.batch.jobs_in = lambda pool_id: next(answers)  # type: ignore[method-assign]

    assert account.sweep(POOL, scope=scope) == {POOL.name: "job other-run is in it"}

    assert account.batch.pools == {POOL.name}


def test_what_the_services_refuse_is_said_of_each_thing() -> None:
    account = Account(LOGS, POOL)

    def refuse(operation: str) -> None:
        if operation == "list traces":
            raise ServiceRefusedError("no", code="Forbidden")

    account.batch.fail = refuse
    assert account.sweep(LOGS, POOL) == {LOGS.name: "no", POOL.name: "no"}
    assert account.changes() == []
