"""Files of a run's directory are whole, or not there at all."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.plan.model import RunId
from runner.run.events import Event, TaskAdded
from runner.run.records.journal import Journal, create_run_directory, write_whole
from tests.fakes.services import NOW

RUN = RunId("demo-20260102t030405z-abcd")


@contextmanager
def no_room(size: int = 0) -> Iterator[None]:
    """No file becomes larger than this, in bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")


def test_a_file_that_finds_no_room_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_whole(path, "first")
    with no_room(1), pytest.raises(OSError, match="File too large"):
        write_whole(path, "second")
    assert [each.name for each in tmp_path.iterdir()] == ["report.json"]
    assert path.read_text() == "first"


def test_what_is_recorded_together_is_on_file_before_anybody_hears_of_it(tmp_path: Path) -> None:
    path, seen = tmp_path / "events.jsonl", list[tuple[bytes, int]]()

    def hear(event: Event, line: bytes) -> None:
        seen.append((line, len(path.read_bytes().splitlines())))

    journal = Journal(tmp_path, run=RUN, clock=lambda: NOW, listener=hear)
    journal.record(*(TaskAdded(task=str(number), item="a \ud800") for number in range(3)))
    journal.close()
    assert [count for _, count in seen] == [3, 3, 3]
    assert b"".join(line for line, _ in seen) == path.read_bytes()
    head = f'{{"v":1,"t":"2026-01-02T03:04:05.000000Z","run":"{RUN}","type":"task.added"'
    first = f'{head},"task":"0","item":"a \\ud800"}}\n'
    assert seen[0][0] == first.encode()


def test_a_directory_that_finds_no_room_is_not_there(tmp_path: Path) -> None:
    first = create_run_directory(tmp_path, RUN)
    second = RunId("demo-20260102t030406z-abcd")
    with no_room(), pytest.raises(UsageError) as caught:
        create_run_directory(tmp_path, second)
    refused = first.with_name(second)
    assert caught.value.message == (f"cannot write the run's directory `{refused}`: file too large")
    assert not refused.exists()
    assert (tmp_path / ".batch-run" / "last").read_text() == f"{RUN}\n"
    assert sorted(each.name for each in (tmp_path / ".batch-run").iterdir()) == ["last", "runs"]


def test_a_directory_that_is_there_already_stays_as_it_is(tmp_path: Path) -> None:
    directory = create_run_directory(tmp_path, RUN)
    (directory / "events.jsonl").write_text("x")
    with pytest.raises(UsageError) as caught:
        create_run_directory(tmp_path, RUN)
    assert caught.value.message == f"cannot write the run's directory `{directory}`: file exists"
    assert (directory / "events.jsonl").read_text() == "x"
