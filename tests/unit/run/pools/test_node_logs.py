"""What start tasks printed is kept with the run, without secrets, and of some nodes only."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.run.pools.node_logs import MOST_BYTES, START_TASK, NodeLogs, node_log_path
from runner.run.records.journal import Journal
from runner.run.records.redaction import MARK, Redaction
from tests.fakes.plans import RUN
from tests.fakes.services import NOW, FakeBatch, FakeBlobs

SECRET = "correct-horse-battery"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(
        tmp_path,
        run=RUN,
        clock=lambda: NOW,
        listener=lambda event, line: None,
        redaction=Redaction([SECRET]),
    )


def test_both_streams_are_kept_without_secrets(tmp_path: Path, journal: Journal) -> None:
    batch = FakeBatch(FakeBlobs(), start_task_log=f"a\n{SECRET}\n\xff".encode("latin-1"))
    tail = NodeLogs(batch, journal, "p").keep(START_TASK, "../n 1", "startup")
    assert tail == f"a\n{MARK}\n\ufffd"
    for stream in ("stdout", "stderr"):
        path = tmp_path / "logs" / "start-task" / "..%2Fn%201" / f"{stream}.txt"
        assert path == node_log_path(tmp_path, START_TASK, "../n 1", stream)
        assert path.read_bytes() == f"a\n{MARK}\n\xff".encode("latin-1")
    assert batch.log == ["read startup/stdout.txt", "read startup/stderr.txt"]


def test_of_much_the_end_is_kept_without_the_rest_of_a_secret(
    tmp_path: Path, journal: Journal
) -> None:
    log = SECRET[4:].encode() + b"." * (MOST_BYTES - len(SECRET) + 4)
    batch = FakeBatch(FakeBlobs(), start_task_log=log)
    assert NodeLogs(batch, journal, "p").keep(START_TASK, "n", "startup") == "." * 4_000
    kept = node_log_path(tmp_path, START_TASK, "n", "stderr").read_bytes()
    assert kept.strip(b".") == b""
    assert len(kept) == MOST_BYTES - len(SECRET) + 4


def test_of_many_nodes_some_are_kept_whole(tmp_path: Path, journal: Journal) -> None:
    logs = NodeLogs(FakeBatch(FakeBlobs(), start_task_log=b"no"), journal, "p")
    assert {logs.keep(START_TASK, f"n{number}", "startup") for number in range(30)} == {"no"}
    assert len(list((tmp_path / "logs" / "start-task").iterdir())) == 20


def test_a_disk_that_takes_nothing_does_not_hide_the_failure(
    tmp_path: Path, journal: Journal
) -> None:
    (tmp_path / "logs").write_text("in the way")
    batch = FakeBatch(FakeBlobs(), start_task_log=b"no such package")
    assert NodeLogs(batch, journal, "p").keep(START_TASK, "n", "startup") == "no such package"
