"""Blobs stay below the output directory, whatever they are called."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from runner.errors import TransferError
from runner.plan.model import TaskId
from runner.run.journal import Journal
from runner.run.outputs import Collector, local_name
from runner.run.services import TaskState, TaskStatus
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.services import NOW, FakeBlobs


@pytest.mark.parametrize("blob", ["../x", "/x", "a/../../x", "", "a\0b"])
def test_names_that_lead_elsewhere_are_refused(blob: str) -> None:
    with pytest.raises(TransferError, match="cannot be a file below the output directory"):
        local_name(blob)


def test_other_names_are_kept() -> None:
    assert local_name("a/b c/ü.txt") == PurePosixPath("a/b c/ü.txt")


def collect(folder: Path, blobs: FakeBlobs, spec: str) -> list[str]:
    """Collects the one task of a plan whose containers hold `blobs`; the files that came."""
    plan = make_plan(folder, spec, ("a.txt",))
    blobs.containers.setdefault(f"{RUN}-logs", {})
    (folder / "run").mkdir()
    journal = Journal(folder / "run", run=RUN, clock=lambda: NOW, listener=lambda event, line: None)
    collector = Collector(
        plan,
        blobs=blobs,
        journal=journal,
        output_directory=folder / "results",
        all_logs=False,
    )
    try:
        collector.collect(
            TaskStatus(
                id=TaskId("0001"),
                state=TaskState.COMPLETED,
                changed=NOW,
                node_id="node-1",
                started=NOW,
                ended=NOW,
                exit_code=0,
                succeeded=True,
                retry_count=0,
                failure=None,
            )
        )
    finally:
        journal.close()
    results = folder / "results"
    return sorted(str(path.relative_to(results)) for path in results.rglob("*") if path.is_file())


WILDCARD = SPEC.replace('"{{ file.stem }}.out"', '"*.png"')


def test_all_that_a_wildcard_found(tmp_path: Path) -> None:
    blobs = FakeBlobs(
        containers={
            f"{RUN}-output": {"0001/1.png": b"1", "0001/x/2.png": b"2", "00010/3.png": b"3"}
        }
    )
    assert collect(tmp_path, blobs, WILDCARD) == ["output/0001/1.png", "output/0001/x/2.png"]


def test_a_listed_name_that_leads_elsewhere(tmp_path: Path) -> None:
    blobs = FakeBlobs(containers={f"{RUN}-output": {"0001/../../../evil.png": b"1"}})
    with pytest.raises(TransferError):
        collect(tmp_path, blobs, WILDCARD)
    assert not list(tmp_path.rglob("evil.png"))


def test_a_link_that_leads_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results" / "output").mkdir(parents=True)
    (tmp_path / "results" / "output" / "0001").symlink_to(tmp_path / "elsewhere")
    blobs = FakeBlobs(containers={f"{RUN}-output": {"0001/1.png": b"1"}})
    with pytest.raises(TransferError, match="is a link that leads out of"):
        collect(tmp_path, blobs, WILDCARD)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_the_place_of_a_result_is_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    (tmp_path / "results" / "output").mkdir(parents=True)
    (tmp_path / "results" / "output" / "a.out").symlink_to(precious)
    blobs = FakeBlobs(containers={f"{RUN}-output": {"a.out": b"new"}})
    assert collect(tmp_path, blobs, SPEC) == ["output/a.out"]
    assert precious.read_text() == "mine"
    assert (tmp_path / "results" / "output" / "a.out").read_text() == "new"


def test_a_folder_in_the_place_of_a_result(tmp_path: Path) -> None:
    (tmp_path / "results" / "output" / "a.out").mkdir(parents=True)
    blobs = FakeBlobs(containers={f"{RUN}-output": {"a.out": b"new"}})
    with pytest.raises(TransferError, match=r"cannot write `.*a\.out`: is a directory"):
        collect(tmp_path, blobs, SPEC)
    assert list((tmp_path / "results" / "output").iterdir()) == [
        tmp_path / "results" / "output" / "a.out"
    ]


def test_an_existing_file_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "results" / "output").mkdir(parents=True)
    (tmp_path / "results" / "output" / "a.out").write_text("a longer old content")
    blobs = FakeBlobs(containers={f"{RUN}-output": {"a.out": b"new"}})
    collect(tmp_path, blobs, SPEC)
    assert (tmp_path / "results" / "output" / "a.out").read_text() == "new"
