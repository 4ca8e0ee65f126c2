"""What is said before a container of the user's is cleared."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.clearing import clearing_notes
from runner.plan.model import Plan
from runner.spec.model.workload import IfNotEmpty
from tests.fakes.plans import SPEC, make_plan
from tests.fakes.services import FakeBlobs
from tests.fakes.shapes import name_container


def named(folder: Path, policy: IfNotEmpty = IfNotEmpty.CLEAR) -> Plan:
    """A plan that brings `a.txt` and `b.txt` up into `mine`."""
    return name_container(make_plan(folder, SPEC), "input", "mine", if_not_empty=policy)


@pytest.mark.parametrize(
    ("names", "count"),
    [(("b.txt", "c.txt"), "1 blob"), (("", "a.tx", "a.txt", "b.txt1", "z"), "4 blobs")],
)
def test_blobs_of_others_are_counted(tmp_path: Path, names: tuple[str, ...], count: str) -> None:
    blobs = FakeBlobs(containers={"mine": dict.fromkeys(names, b"")})
    (line,) = clearing_notes(named(tmp_path), blobs)
    assert line == (
        f"note: container `mine` is cleared first: {count} that this run does not bring up will be"
        " gone"
    )
    assert blobs.log == ["has container mine", "list blobs mine/"]


@pytest.mark.parametrize("names", [(), ("a.txt", "b.txt")])
def test_nothing_of_others_needs_no_word(tmp_path: Path, names: tuple[str, ...]) -> None:
    blobs = FakeBlobs(containers={"mine": dict.fromkeys(names, b"")})
    assert list(clearing_notes(named(tmp_path), blobs)) == []


def test_a_container_that_is_not_there(tmp_path: Path) -> None:
    assert list(clearing_notes(named(tmp_path), FakeBlobs())) == []


@pytest.mark.parametrize("policy", [IfNotEmpty.KEEP, IfNotEmpty.REFUSE])
def test_what_is_not_cleared_is_not_looked_at(tmp_path: Path, policy: IfNotEmpty) -> None:
    blobs = FakeBlobs(containers={"mine": {"z": b""}})
    assert list(clearing_notes(named(tmp_path, policy), blobs)) == []
    assert blobs.log == []
