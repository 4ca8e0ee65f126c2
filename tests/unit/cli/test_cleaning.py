"""Before things of all runs go, somebody at a terminal is shown them and asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.cleaning import Found, make_sure
from runner.errors import UsageError
from runner.plan.model import RunId
from runner.run.removal.tidying import Decision
from runner.run.removal.traces import Kind, Trace
from tests.unit.cli.worlds import make_terminal, make_world

RUN = RunId("demo-20260131t120000z-ab2c")
JOB = Trace(kind=Kind.JOB, name=RUN, run=RUN, state="completed")
KEPT = Trace(kind=Kind.CONTAINER, name=f"{RUN}-output", run=RUN, kept_because="delete: never")
FOUND = Found(
    decisions=(
        Decision(trace=JOB, stays_because=None),
        Decision(trace=KEPT, stays_because="delete: never"),
    ),
    states=(),
    holders={},
)
QUESTION = f"""\
run {RUN}
  would go  job {RUN} (completed)
  stays     container {RUN}-output: delete: never
remove 1 thing? (yes or no) """


@pytest.mark.parametrize("typed", ["yes\n", " Y \n"])
def test_yes_is_yes(tmp_path: Path, typed: str) -> None:
    world, screen = make_terminal(tmp_path, typed)
    make_sure(FOUND, world)
    assert screen.getvalue() == QUESTION


@pytest.mark.parametrize("typed", ["", "\n", "no\n", "yes please\n"])
def test_anything_else_is_no(tmp_path: Path, typed: str) -> None:
    world, _ = make_terminal(tmp_path, typed)
    with pytest.raises(UsageError) as caught:
        make_sure(FOUND, world)
    assert caught.value.message == "nothing was removed"


def test_where_nothing_goes_nobody_is_asked(tmp_path: Path) -> None:
    world, _, stderr = make_world(tmp_path)
    stays = Decision(trace=KEPT, stays_because="delete: never")
    make_sure(Found(decisions=(stays,), states=(), holders={}), world)
    assert stderr.getvalue() == ""


def test_where_nobody_sits_nothing_goes(tmp_path: Path) -> None:
    world, _, _ = make_world(tmp_path)
    with pytest.raises(UsageError) as caught:
        make_sure(FOUND, world)
    assert caught.value.message == "1 thing of all runs would go, and there is nobody to ask"
