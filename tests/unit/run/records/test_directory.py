"""Which run is meant by a name, who drives it, and how it was asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.plan.model import RunId
from runner.run.records.directory import find_run, list_runs
from runner.run.records.driving import DriverPresentError, drive, find_driver
from runner.run.records.git_state import GitState
from runner.run.records.journal import create_run_directory
from runner.run.records.record import RunRecord, read_record, record_as_json

CAT = RunId("cat-20260102t030405z-aaaa")
LATER_CAT = RunId("cat-20260103t030405z-bbbb")
AWK = RunId("awk-20260104t030405z-cccc")
RECORD = RunRecord(
    run=CAT,
    workload="cat",
    version="1.2.3",
    created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
    spec="/home/ä/cat.yaml",
    folder="/home/ä",
    parameters={"nodes": 5, "rate": 1.5, "fast": True, "name": "ö"},
    target="local",
    output_directory="/home/ä/results/cat",
    keep=("job", "storage"),
    git=GitState(commit="0" * 40, branch="main", changed=None),
    made_with={"Python": "3.13.1"},
)


def _make(folder: Path, *runs: RunId) -> None:
    for run in runs:
        create_run_directory(folder, run)


def test_runs_are_listed_by_their_times(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == ()
    _make(tmp_path, LATER_CAT, AWK, CAT)
    assert [each.name for each in list_runs(tmp_path)] == [CAT, LATER_CAT, AWK]


def test_a_run_is_found_by_its_id_its_beginning_or_as_the_last(tmp_path: Path) -> None:
    _make(tmp_path, CAT, LATER_CAT, AWK)
    assert find_run(tmp_path).name == AWK
    assert find_run(tmp_path, CAT).name == CAT
    assert find_run(tmp_path, "cat-20260103").name == LATER_CAT


def test_what_may_be_several_runs_is_refused(tmp_path: Path) -> None:
    _make(tmp_path, CAT, LATER_CAT)
    with pytest.raises(UsageError) as caught:
        find_run(tmp_path, "cat")
    assert caught.value.message == f"`cat` may be several runs: `{CAT}`, `{LATER_CAT}`"


@pytest.mark.parametrize("name", ["dog", "", "../runs"])
def test_a_run_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    _make(tmp_path, CAT, LATER_CAT, AWK)
    with pytest.raises(UsageError) as caught:
        find_run(tmp_path, name)
    folder = tmp_path / ".batch-run" / "runs"
    assert caught.value.message == f"there is no run `{name}` below `{folder}`"
    # Of many the newest are named.
    assert caught.value.hint == f"runs: `{AWK}`, `{LATER_CAT}`, `{CAT}`"


def test_without_any_run_there_is_no_last(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_run(tmp_path)
    folder = tmp_path / ".batch-run" / "runs"
    assert caught.value.message == f"there is no run below `{folder}`"


def test_a_run_may_leave_the_last_one_as_it_was(tmp_path: Path) -> None:
    create_run_directory(tmp_path, LATER_CAT, is_last=False)
    with pytest.raises(UsageError) as caught:
        find_run(tmp_path)
    folder = tmp_path / ".batch-run" / "runs"
    said = f"`{folder}` has no last run, only trials: name the one you mean"
    assert caught.value.message == said
    _make(tmp_path, CAT)
    create_run_directory(tmp_path, AWK, is_last=False)
    assert find_run(tmp_path).name == CAT


def test_a_last_run_that_was_deleted_is_named(tmp_path: Path) -> None:
    _make(tmp_path, CAT)
    (tmp_path / ".batch-run" / "runs" / CAT).rmdir()
    with pytest.raises(UsageError) as caught:
        find_run(tmp_path)
    assert caught.value.message == f"the last run, `{CAT}`, is not there any more"


def test_one_process_drives_a_run_and_the_lock_dies_with_it(tmp_path: Path) -> None:
    assert find_driver(tmp_path) is None
    code = "import sys; from pathlib import Path; from runner.run.records.driving import drive\n"
    code += "with drive(Path(sys.argv[1])): print('drives', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "drives\n"
        found = find_driver(tmp_path)
        assert found is not None
        assert found.pid == process.pid
        with pytest.raises(DriverPresentError) as caught, drive(tmp_path):
            pass
        assert caught.value.message == f"process {process.pid} drives run `{tmp_path.name}`"
        assert caught.value.driver == found
        process.kill()
    assert find_driver(tmp_path) is None
    with drive(tmp_path) as driver:
        assert driver.pid == os.getpid()
        assert driver.lease == found.lease
        assert find_driver(tmp_path) == driver


def test_the_driver_of_a_copied_directory_is_another_to_the_service(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    with drive(first) as driver:
        shutil.copytree(first, second)
        with drive(second) as copied:
            assert copied.lease != driver.lease
    with drive(first) as again:
        assert again.lease == driver.lease


def test_what_a_driver_that_died_early_wrote_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "driver.lock").write_bytes(b'{"pid": 1')
    with drive(tmp_path) as driver:
        assert find_driver(tmp_path) == driver


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(record_as_json(RECORD), encoding="utf-8")
    assert read_record(tmp_path) == RECORD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"v": 2}', "it was made by a later version of batch-run"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_record(tmp_path)
    assert caught.value.message == f"`{tmp_path / 'run.json'}` is not the record of a run: {said}"


def test_a_record_that_is_nested_without_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[" * 100_000)
    with pytest.raises(UsageError, match="is not the record of a run: "):
        read_record(tmp_path)


def test_a_run_of_an_earlier_version_has_no_record(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_record(tmp_path)
    assert caught.value.message == (
        f"`{tmp_path}` has no `run.json`: the run ended before it began, or an earlier version"
        " of batch-run made it"
    )
