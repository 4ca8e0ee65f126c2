"""Runs that move to another output directory, and runs that came after one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.plan.model import RunId
from runner.run.records.moved import path_at_home
from runner.run.records.places import RUNS
from runner.run.records.record import RECORD, RunRecord, read_record, record_as_json
from runner.run.results.entries import KeptOutput, Result, result_as_line
from runner.run.results.lock_file import LOCK_FILE
from runner.run.results.moving import move_home
from runner.run.results.rerun import recall
from runner.run.results.results_store import open_results, results_folder
from runner.run.results.rivals import NewerResultsError, broken_off_notes, check_newer
from runner.run.results.settled import Settled
from runner.run.submit import SUBMISSION

BEGAN = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
RUN = "demo-20260131t120000z-aaaa"
EARLIER = "demo-20260131t110000z-bbbb"
LATER = "demo-20260131t130000z-cccc"


def record_of(folder: Path, run: str = RUN, *, created: datetime = BEGAN) -> RunRecord:
    """The record of a run whose directory is there."""
    record = RunRecord(
        run=RunId(run),
        workload="demo",
        version="1",
        created=created,
        spec=str(folder / "spec.yaml"),
        folder=str(folder),
        parameters={},
        target="local",
        output_directory=str(folder / "home"),
    )
    directory = folder / RUNS / run
    directory.mkdir(parents=True)
    (directory / RECORD).write_text(record_as_json(record))
    return record


def result_of(
    run: str, content: bytes, *, task: str = "0001", left: bool = True, skipped: bool = False
) -> bytes:
    """The line of a task that has left one file, `output/<task>`, or none."""
    output = KeptOutput(
        role="output",
        blob=task,
        path=f"output/{task}",
        bytes=len(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
    )
    return result_as_line(
        Result(
            identity=bytes(range(16)),
            succeeded=True,
            run=run,
            task=task,
            step="task",
            item="a",
            outputs=(output,) if left else (),
            skipped=skipped,
        )
    )


def write_results(folder: Path, *lines: bytes) -> None:
    """What runs have written down, in this order."""
    home = folder / "home"
    with open_results(results_folder(folder, home, "demo"), home) as store:
        for line in lines:
            store.append(line)


def check(folder: Path, record: RunRecord) -> None:
    """Whether the run may go on."""
    home = folder / "home"
    with open_results(results_folder(folder, home, "demo"), home) as store:
        check_newer(record, store.index, folder)


@pytest.mark.parametrize("has_record", [True, False])
def test_a_later_run_that_left_files_is_in_the_way(tmp_path: Path, has_record: bool) -> None:
    record = record_of(tmp_path)
    if has_record:
        record_of(tmp_path, LATER, created=BEGAN + timedelta(hours=1))
    write_results(tmp_path, result_of(LATER, b"new"), result_of(RUN, b"old"))
    with pytest.raises(NewerResultsError) as raised:
        check(tmp_path, record)
    assert raised.value.message == (
        f"run `{LATER}`, which began later than `{RUN}`, has written newer results into"
        f" `{tmp_path / 'home'}`"
    )
    assert raised.value.hint == (
        f"`batch-run resume {RUN} --output DIR` brings the older ones home elsewhere,"
        f" `batch-run cancel {RUN}` ends their run"
    )


def test_neither_an_earlier_run_nor_one_that_left_nothing_is(tmp_path: Path) -> None:
    record = record_of(tmp_path)
    write_results(
        tmp_path,
        result_of(RUN, b"own"),
        result_of(EARLIER, b"old"),
        result_of(LATER, b"", left=False),
        result_of("odd", b"of nobody knows when"),
    )
    check(tmp_path, record)


def test_a_run_moves_with_what_is_whole(tmp_path: Path) -> None:
    """Files that its tasks left, and such that an earlier run had left for tasks it skips."""
    record = record_of(tmp_path)
    directory = tmp_path / RUNS / RUN
    home, there = tmp_path / "home", tmp_path / "there"
    (home / "output").mkdir(parents=True)
    there.mkdir()
    for name in ("own", "spoilt", "0001"):
        (home / "output" / name).write_bytes(b"content")
    (home / "output" / "spoilt").write_bytes(b"CONTENT")
    events = [
        {
            "t": "2026-01-31T12:00:01Z",
            "run": RUN,
            "type": "output.downloaded",
            "task": "0003",
            "role": "output",
            "blob": name,
            "path": str(home / "output" / name),
            "bytes": 7,
            "md5": hashlib.md5(b"content", usedforsecurity=False).hexdigest(),
        }
        for name in ("own", "spoilt", "gone")
    ]
    (directory / "events.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in events))
    (directory / LOCK_FILE).write_bytes(
        result_of(RUN, b"content", skipped=True)
        + result_of(RUN, b"lost", task="0002", skipped=True)
    )

    moved = move_home(directory, record, there)

    assert moved == replace(record, output_directory=str(there), moved_from=(str(home),))
    assert read_record(directory) == moved
    found = {path.name: path.read_bytes() for path in (there / "output").iterdir()}
    assert found == {"own": b"content", "0001": b"content"}
    settled = Settled(3)
    recall(settled, directory, there)
    assert [settled.is_settled(number) for number in (1, 2, 3)] == [True, False, False]
    assert move_home(directory, moved, there) is moved
    back = move_home(directory, moved, home)
    assert back == replace(record, moved_from=(str(there),))


def test_a_file_is_where_the_innermost_directory_has_gone(tmp_path: Path) -> None:
    record = record_of(tmp_path)
    outer, inner = "/results", "/results/older"
    into = replace(record, output_directory=inner, moved_from=(outer,))
    assert path_at_home(into, "/results/output/a") == Path("/results/older/output/a")
    assert path_at_home(into, "/results/older/output/a") == Path("/results/older/output/a")
    out = replace(record, output_directory=outer, moved_from=(inner,))
    assert path_at_home(out, "/results/older/output/a") == Path("/results/output/a")
    assert path_at_home(out, "/results/output/a") == Path("/results/output/a")
    assert path_at_home(out, "/elsewhere/a") == Path("/elsewhere/a")


@pytest.mark.parametrize(
    ("target", "also"), [("local", ""), ("azure", ", and its tasks may still be at work")]
)
def test_a_run_that_was_broken_off_is_told_once_it_has_made_anything(
    tmp_path: Path, target: str, also: str
) -> None:
    record = replace(record_of(tmp_path), target=target)
    directory = tmp_path / RUNS / RUN
    (directory / RECORD).write_text(record_as_json(record))
    assert list(broken_off_notes(None, tmp_path)) == []
    assert list(broken_off_notes(EARLIER, tmp_path)) == []
    assert list(broken_off_notes(RUN, tmp_path)) == []
    (directory / SUBMISSION).touch()
    assert list(broken_off_notes(RUN, tmp_path)) == [
        f"run {RUN} was broken off{also}; `batch-run resume {RUN}` would go on with it"
    ]
