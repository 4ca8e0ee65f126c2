"""Events as they are read back: each kind, torn ends, what other versions wrote."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, get_args

import pytest

from runner.errors import UsageError
from runner.plan.model import RunId
from runner.plan.prices.node_price import NodePrice
from runner.run.events import (
    CleanupFinished,
    Event,
    LeftBehind,
    RunStarted,
    UploadFinished,
)
from runner.run.records.journal import Journal
from runner.run.records.lines import event_as_line
from runner.run.records.reading import cut_torn_end, event_from_json, read_events
from tests.fakes.ends import end_of

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)
UPLOAD = UploadFinished(role="input", blob="ä \udcff.txt", bytes=3)
FINISHED = end_of(
    "0001",
    item="a.txt",
    succeeded=False,
    exit_code=7,
    started=NOW,
    retries=1,
    cause="FailureExitCode",
    message="it failed",
    stderr="logs/0001/stderr.txt",
    stderr_tail="no\nnumber",
)
CLEANUP = CleanupFinished(
    deleted=("job a",), left=(LeftBehind(kind="pool", name="p", why="kept", kept=True),)
)

PRICE = NodePrice(
    vm_size="Standard_D2s_v5", currency="EUR", dedicated=0.1, spot=None, source="prices.yaml"
)


def _write(folder: Path, *events: Event) -> Path:
    journal = Journal(folder, run=RunId("r"), clock=lambda: NOW, listener=lambda event, line: None)
    for event in events:
        journal.record(event)
    journal.close()
    return folder / "events.jsonl"


def _any_value(hint: str) -> Any:
    """A value of the kind that a field's annotation names."""
    values: dict[str, Any] = {
        "str": "text",
        "int": 7,
        "bool": True,
        "datetime": NOW,
        "tuple[str, ...]": ("a", "b"),
        "tuple[LeftBehind, ...]": CLEANUP.left,
        "NodePrice": PRICE,
    }
    return values[hint.removesuffix(" | None")]


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.type)
def test_every_kind_comes_back_as_it_was(kind: type[Any]) -> None:
    event = kind(**{each.name: _any_value(str(each.type)) for each in fields(kind)})
    line = json.loads(event_as_line(event, run="r", at=NOW))
    assert event_from_json(line) == event


def test_events_come_back_in_order_with_their_times(tmp_path: Path) -> None:
    _write(tmp_path, UPLOAD, FINISHED, CLEANUP)
    assert list(read_events(tmp_path)) == [(NOW, UPLOAD), (NOW, FINISHED), (NOW, CLEANUP)]


def test_a_run_without_events_has_none(tmp_path: Path) -> None:
    assert list(read_events(tmp_path)) == []
    cut_torn_end(tmp_path)
    assert not (tmp_path / "events.jsonl").exists()


@pytest.mark.parametrize("torn", [b'{"v":1,"t":"20', b'{"v":1}', b"\0" * 9000, b"\0" * 300_000])
def test_a_torn_end_is_left_out_and_cut(tmp_path: Path, torn: bytes) -> None:
    path = _write(tmp_path, FINISHED, CLEANUP)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert [event for _, event in read_events(tmp_path)] == [FINISHED, CLEANUP]
    cut_torn_end(tmp_path)
    assert path.read_bytes() == whole


def test_blocks_that_a_crash_left_as_zeros_go_with_their_lines(tmp_path: Path) -> None:
    path = _write(tmp_path, FINISHED, CLEANUP)
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0" * 70_000 + b'"}\n' + b"\0\0\n")
    cut_torn_end(tmp_path)
    assert path.read_bytes() == whole


def test_a_file_of_nothing_whole_becomes_empty(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"\0" * 200_000)
    cut_torn_end(tmp_path)
    assert (tmp_path / "events.jsonl").read_bytes() == b""


def test_what_a_later_version_added_is_left_out(tmp_path: Path) -> None:
    path = _write(tmp_path, FINISHED)
    line = json.loads(path.read_text())
    later = [{**line, "type": "task.dreamt"}, {**line, "colour": "blue"}]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in later))
    assert [event for _, event in read_events(tmp_path)] == [FINISHED]


def test_a_field_that_an_earlier_version_had_not_has_its_default() -> None:
    started = RunStarted(workload="w", target="local", tasks=1, files=0, bytes=0)
    line = json.loads(event_as_line(started, run="r", at=NOW))
    del line["resumed"]
    assert event_from_json(line) == started


@pytest.mark.parametrize(
    "damaged",
    ["[]", '{"type":"task.finished"}', "no json", "[" * 100_000],
    ids=lambda damaged: damaged[:24],
)
def test_a_damaged_line_is_named(tmp_path: Path, damaged: str) -> None:
    path = _write(tmp_path, FINISHED)
    path.write_text(f"{path.read_text()}{damaged}\n{path.read_text()}")
    with pytest.raises(UsageError) as caught:
        list(read_events(tmp_path))
    assert caught.value.message == f"`{path}`, line 2: not an event of a run"
