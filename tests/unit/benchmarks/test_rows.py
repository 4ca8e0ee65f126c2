"""What the rows make of data and of records; the rows themselves are run by a test of the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.data import check_copies, make_large_files, make_texts
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.rows.requests import count_requests
from tests.benchmarks.rows.submission import read_submission


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_makes_the_same_data(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_texts(tmp_path / name, 3, size=100, seed=seed)
        make_large_files(tmp_path / f"large-{name}", 2, megabytes=2, seed=seed)
    for prefix in ("", "large-"):
        first, second, other = (contents(tmp_path / f"{prefix}{name}") for name in "abc")
        assert first == second
        assert first.keys() == other.keys()
        assert not first.items() & other.items()
    sizes = {len(content) for content in contents(tmp_path / "large-a").values()}
    assert sizes == {2_000_000}


def test_copies_are_compared_byte_by_byte(tmp_path: Path) -> None:
    originals, copies = tmp_path / "originals", tmp_path / "copies"
    make_texts(originals, 3, size=10, seed=1)
    copies.mkdir()
    for path in originals.iterdir():
        (copies / f"{path.stem}.out").write_bytes(path.read_bytes())
    (copies / "stderr.txt").write_text("not one of them")
    check_copies(originals, copies)

    (copies / "f00001.out").write_bytes(b"something ")
    with pytest.raises(FailedError) as wrong:
        check_copies(originals, copies)
    assert str(wrong.value) == "1 outputs are not what was to be made, `f00001.out` first"

    (copies / "f00001.out").unlink()
    with pytest.raises(FailedError) as missing:
        check_copies(originals, copies)
    assert str(missing.value) == "2 outputs, 3 were to be made"


def line(service: str, method: str, path: str, **query: str) -> dict[str, object]:
    return {"service": service, "method": method, "path": path, "query": query}


def test_requests_are_counted_by_what_they_ask_for() -> None:
    lines = [
        line("batch", "POST", "/account/jobs"),
        line("batch", "GET", "/account/jobs/one/tasks/7"),
        line("batch", "GET", "/account/jobs/two/tasks/8"),
        line("batch", "POST", "/account/jobs/one/addtaskcollection"),
        line("blob", "GET", "/account/", comp="list"),
        line("blob", "PUT", "/account/files", restype="container"),
        line("blob", "GET", "/account/files", restype="container", comp="list"),
        line("blob", "PUT", "/account/files/a/b.txt"),
        line("blob", "PUT", "/account/files/c.bin", comp="block", blockid="MQ=="),
        line("blob", "PUT", "/account/files/c.bin", comp="blocklist"),
        line("blob", "HEAD", "/account/files/c.bin"),
        line("blob", "PUT", "/account/logs/run/record.zip"),
        line("blob", "PUT", "/account/logs/run/record.zip", comp="lease"),
    ]
    assert count_requests(lines) == {
        "batch POST /jobs": 1,
        "batch GET /jobs/*/tasks/*": 2,
        "batch POST /jobs/*/addtaskcollection": 1,
        "storage GET account list": 1,
        "storage PUT container container": 1,
        "storage GET container list": 1,
        "blob: PUT": 1,
        "blob: PUT block": 1,
        "blob: PUT blocklist": 1,
        "blob: HEAD": 1,
        "storage PUT record of the run": 1,
        "storage PUT blob lease": 1,
    }


def test_a_submission_lasts_from_the_job_to_its_last_task(tmp_path: Path) -> None:
    run = tmp_path / ".batch-run" / "runs" / "one"
    run.mkdir(parents=True)
    events = [
        {"type": "run.started", "t": "2026-01-02T03:04:05.000000Z"},
        {"type": "job.created", "t": "2026-01-02T03:04:06.500000Z"},
        {"type": "task.added", "t": "2026-01-02T03:04:07.000000Z"},
        {"type": "task.added", "t": "2026-01-02T03:04:08.750000Z"},
        {"type": "cleanup.finished", "t": "2026-01-02T03:04:09.000000Z"},
    ]
    (run / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    assert read_submission(tmp_path) == (2.25, 2)
