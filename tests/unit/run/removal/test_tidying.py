"""What of a run goes and what stays: decided by what services list, who drives it, and who asks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from typing_extensions import override

from runner.plan.model import RunId
from runner.run.removal.tidying import Scope, Tidying, decide, release
from runner.run.removal.traces import Kind, Trace
from runner.run.services import BlobMissingError
from tests.fakes.services import NOW, FakeBatch, FakeBlobs

RUN = RunId("demo-20260131t120000z-ab2c")
OURS, THEIRS = "holder-1", "holder-2"
JOB = Trace(kind=Kind.JOB, name=RUN, run=RUN, state="completed")
POOL = Trace(kind=Kind.POOL, name="demo-1", run=RUN, state="active", nodes=2)
LOGS = Trace(kind=Kind.CONTAINER, name=f"{RUN}-logs", run=RUN, made=NOW - timedelta(days=1))
KEPT_POOL = replace(POOL, name="demo-abcd", for_others=True, made=NOW)
DRIVEN = (
    "a client on another machine drives the run, or has died within the last minute;"
    f" `batch-run cancel {RUN}` ends it"
)


@dataclass
class HeldBlobs(FakeBlobs):
    """Blobs of which one may be held."""

    held_by: str | None = None
    is_there: bool = True
    holds: list[tuple[str, str]] = field(default_factory=list)

    @override
    def hold_blob(self, container: str, blob: str, holder: str, seconds: int) -> bool:
        if not self.is_there:
            raise BlobMissingError
        self.holds.append((container, blob))
        if self.held_by not in (None, holder):
            return False
        self.held_by = holder
        return True

    @override
    def release_blob(self, container: str, blob: str, holder: str) -> None:
        if self.held_by == holder:
            self.held_by = None


def reasons(
    *traces: Trace,
    scope: Scope = Scope.LAST,
    takes_kept: bool = False,
    is_home: bool = True,
    blobs: HeldBlobs | None = None,
    batch: FakeBatch | None = None,
) -> list[str | None]:
    """Why each of them stays."""
    blobs = blobs or HeldBlobs()
    decisions = decide(
        RUN,
        traces,
        Tidying(scope=scope, takes_kept=takes_kept, now=NOW),
        is_home=is_home,
        holder=OURS,
        batch=batch or FakeBatch(blobs),
        blobs=blobs,
    )
    assert [each.trace for each in decisions] == list(traces)
    return [each.stays_because for each in decisions]


@pytest.mark.parametrize("scope", list(Scope))
def test_what_a_run_that_is_over_has_left_goes(scope: Scope) -> None:
    assert reasons(JOB, POOL, LOGS, scope=scope) == [None, None, None]


@pytest.mark.parametrize("state", ["active", "disabled", "enabling"])
@pytest.mark.parametrize("kind", [Kind.JOB, Kind.SCHEDULE])
def test_what_works_goes_only_where_it_is_named(kind: Kind, state: str) -> None:
    works = replace(JOB, kind=kind, state=state)
    why = f"the {kind.value} is {state}; `batch-run clean {RUN}` ends it"
    for scope in (Scope.LAST, Scope.ALL):
        assert reasons(works, POOL, LOGS, scope=scope) == [why, why, why]
    assert reasons(works, POOL, LOGS, scope=Scope.NAMED) == [None, None, None]


def test_results_that_nobody_has_come_for_stay_unless_they_are_named() -> None:
    """A detached run has nobody who drives it, and its results are in its containers."""
    why = (
        "the job has ended, and its results may not be home;"
        f" `batch-run clean {RUN}` takes them all the same"
    )
    ended = replace(JOB, made=NOW - timedelta(days=13))
    for scope in (Scope.LAST, Scope.ALL):
        assert reasons(ended, LOGS, scope=scope, is_home=False) == [why, why]
    assert reasons(ended, LOGS, scope=Scope.NAMED, is_home=False) == [None, None]
    assert reasons(LOGS, scope=Scope.ALL, is_home=False) == [None]
    kept = replace(ended, kept_because="--keep job")
    assert reasons(kept, LOGS, scope=Scope.ALL, is_home=False)[1] is None
    forgotten = replace(JOB, made=NOW - timedelta(days=15))
    assert reasons(forgotten, LOGS, scope=Scope.ALL, is_home=False) == [None, None]


@pytest.mark.parametrize("scope", list(Scope))
def test_a_run_that_another_client_drives_stays(scope: Scope) -> None:
    blobs = HeldBlobs(held_by=THEIRS)
    assert reasons(JOB, LOGS, scope=scope, blobs=blobs) == [DRIVEN, DRIVEN]
    assert blobs.holds == [(LOGS.name, "run/record.zip")]


def test_a_run_that_goes_is_held_until_it_is_let_go() -> None:
    blobs = HeldBlobs(held_by=OURS)
    assert reasons(JOB, LOGS, blobs=blobs) == [None, None]
    assert blobs.held_by == OURS
    release(RUN, OURS, blobs)
    assert blobs.held_by is None


def test_a_run_that_may_just_begin_stays_with_all() -> None:
    young = replace(LOGS, made=NOW - timedelta(minutes=59))
    blobs = HeldBlobs(is_there=False)
    why = f"the run may just begin; `batch-run clean {RUN}` takes it all the same"
    assert reasons(young, scope=Scope.ALL, blobs=blobs) == [why]
    assert reasons(young, scope=Scope.NAMED, blobs=blobs) == [None]
    assert reasons(LOGS, scope=Scope.ALL, blobs=blobs) == [None]
    # A job, or a blob that nobody holds, says more than an age.
    assert reasons(JOB, young, scope=Scope.ALL, blobs=blobs) == [None, None]
    assert reasons(young, scope=Scope.ALL) == [None]


def test_what_was_kept_on_purpose_stays_unless_it_is_meant() -> None:
    kept = replace(LOGS, kept_because="delete: never")
    assert reasons(JOB, kept, scope=Scope.NAMED) == [None, "delete: never; `--kept` takes it too"]
    assert reasons(JOB, kept, scope=Scope.NAMED, takes_kept=True) == [None, None]


def test_secrets_go_whatever_was_kept() -> None:
    secrets = replace(LOGS, name=f"{RUN}-secrets", kept_because="--keep storage")
    assert reasons(JOB, secrets, scope=Scope.NAMED) == [None, None]


def test_a_pool_that_is_kept_for_others() -> None:
    why = "kept for the next run since 2026-01-02T03:04:05Z; `batch-run clean " + RUN + "` takes it"
    assert reasons(KEPT_POOL) == [why]
    assert reasons(KEPT_POOL, scope=Scope.ALL) == [None]
    assert reasons(KEPT_POOL, scope=Scope.NAMED) == [None]


class BusyBatch(FakeBatch):
    """Jobs are in every pool."""

    jobs: tuple[str, ...] = ()

    @override
    def jobs_in(self, pool_id: str) -> tuple[str, ...]:
        return self.jobs


def test_a_pool_with_a_job_of_somebody_else_in_it_stays() -> None:
    batch = BusyBatch(FakeBlobs())
    batch.jobs = (RUN, "theirs")
    for scope in (Scope.ALL, Scope.NAMED):
        assert reasons(KEPT_POOL, scope=scope, batch=batch) == ["job theirs is in it"]
    batch.jobs = (RUN,)
    assert reasons(KEPT_POOL, scope=Scope.NAMED, batch=batch) == [None]
