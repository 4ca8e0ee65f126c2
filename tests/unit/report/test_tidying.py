"""What `clean` says, whole."""

from __future__ import annotations

from dataclasses import replace

from runner.plan.model import RunId
from runner.report.tidying import (
    Account,
    Fate,
    Thing,
    account_as_json,
    account_as_text,
    thing_of,
)
from runner.run.removal.traces import Kind, Trace
from tests.fakes.services import NOW

RUN = RunId("demo-20260131t120000z-ab2c")
JOB = Trace(kind=Kind.JOB, name=RUN, run=RUN, state="completed", made=NOW)
POOL = Trace(kind=Kind.POOL, name="demo-1", run=RUN, state="active", nodes=2)
ACCOUNT = Account(
    things=(
        thing_of(JOB, Fate.GONE),
        thing_of(POOL, Fate.LEFT, "the service\nrefused"),
        Thing(
            run="other",
            kind="local state",
            name="/r/emulator",
            fate=Fate.STAYS,
            why="busy",
            size_bytes=2_500_000,
        ),
    ),
    target="azure",
    dry_run=False,
    checked_at=NOW,
)


def test_as_text() -> None:
    assert account_as_text(ACCOUNT).splitlines() == [
        f"run {RUN}",
        f"  gone      job {RUN} (completed, since 2026-01-02T03:04:05Z)",
        r"  left      pool demo-1 (2 nodes): the service\nrefused",
        "run other",
        "  stays     local state /r/emulator (2.5 MB): busy",
        "1 gone, 1 stays, 1 could not be removed",
    ]


def test_how_it_ends() -> None:
    def last(*fates: Fate) -> str:
        things = tuple(thing_of(JOB, fate) for fate in fates)
        return account_as_text(replace(ACCOUNT, things=things)).splitlines()[-1]

    assert last() == "nothing left"
    assert last(Fate.GONE, Fate.GONE) == "2 gone, nothing left"
    assert last(Fate.WOULD_GO) == "1 would go"
    assert last(Fate.STAYS, Fate.STAYS, Fate.WOULD_GO) == "1 would go, 2 stay"


def test_as_data() -> None:
    value = account_as_json(ACCOUNT)
    things = value.pop("things")
    assert value == {
        "v": 1,
        "target": "azure",
        "dry_run": False,
        "checked_at": "2026-01-02T03:04:05.000000Z",
        "left": 1,
    }
    assert things[0] == {
        "run": RUN,
        "kind": "job",
        "name": RUN,
        "fate": "gone",
        "why": None,
        "made": "2026-01-02T03:04:05.000000Z",
        "state": "completed",
        "nodes": None,
        "bytes": None,
    }
    assert (things[1]["nodes"], things[1]["why"]) == (2, "the service\nrefused")
    assert things[2]["bytes"] == 2_500_000
