"""How a run stands, by what its directory holds: a record, a lock, and the end of its events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.run.events import (
    CleanupFinished,
    Event,
    LeftBehind,
    RunFinished,
    RunStarted,
    TaskFinished,
)
from runner.run.records.driving import drive
from runner.run.records.journal import Journal
from runner.run.records.record import record_as_json
from runner.run.records.standing import Standing, last_event, summarize, what_is_left
from tests.effort import count_steps
from tests.fakes.ends import end_of
from tests.fakes.plans import RUN
from tests.fakes.records import RECORD
from tests.fakes.services import NOW

STARTED = RunStarted(workload="demo", target="azure", tasks=4, files=1, bytes=1)
CLEANED = CleanupFinished(deleted=("job x",), left=())


def end(exit_code: int, succeeded: int = 4, failed: int = 0, unfinished: int = 0) -> RunFinished:
    return RunFinished(
        exit_code=exit_code,
        succeeded=succeeded,
        failed=failed,
        unfinished=unfinished,
        error=None,
    )


def task(number: int, *, succeeded: bool, item: str = "a") -> TaskFinished:
    return end_of(f"{number:04}", item=item, succeeded=succeeded)


def ignore(event: Event, line: bytes) -> None:
    """Nobody listens."""


@contextmanager
def journal(directory: Path) -> Iterator[Journal]:
    opened = Journal(directory, run=RUN, clock=lambda: NOW, listener=ignore)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / RUN
    place.mkdir()
    (place / "run.json").write_text(record_as_json(RECORD))
    return place


def write(directory: Path, *events: Event) -> None:
    with journal(directory) as opened:
        for event in events:
            opened.record(event)


@pytest.mark.parametrize(
    ("exit_code", "standing", "resumable"),
    [
        (0, Standing.SUCCEEDED, False),
        (1, Standing.FAILED, False),
        (2, Standing.REFUSED, False),
        (3, Standing.BROKEN_OFF, True),
        (4, Standing.NOT_AWAITED, True),
        (5, Standing.LEFT_BEHIND, True),
        (70, Standing.BROKEN_OFF, True),
        (130, Standing.INTERRUPTED, True),
    ],
)
def test_a_run_that_has_ended_stands_as_its_exit_code_says(
    directory: Path, exit_code: int, standing: Standing, *, resumable: bool
) -> None:
    write(directory, STARTED, CLEANED, end(exit_code, 1, 2, 1))

    run = summarize(directory)

    assert (run.standing, run.standing.is_resumable) == (standing, resumable)
    assert (run.tasks, run.succeeded, run.failed) == (4, 1, 2)


def test_a_resume_that_was_refused_leaves_the_run_resumable(directory: Path) -> None:
    write(directory, STARTED, end(2))
    (directory / "submission.json").write_text("{}")
    assert summarize(directory).standing is Standing.BROKEN_OFF


def test_a_run_that_is_driven_is_counted_from_its_events(directory: Path) -> None:
    ends = [
        task(1, succeeded=False),
        task(2, succeeded=True, item='"type":"task.finished","task":"9","succeeded":true'),
        task(3, succeeded=False),
        task(1, succeeded=True),
    ]
    write(directory, STARTED, end(130), STARTED, *ends)
    with drive(directory) as driver:
        run = summarize(directory)

    assert run.standing is Standing.DRIVEN
    assert run.driver == driver
    assert run.end is None
    assert (run.tasks, run.succeeded, run.failed) == (4, 2, 1)


def test_a_client_that_died_leaves_the_run_abandoned(directory: Path) -> None:
    write(directory, STARTED, task(1, succeeded=True))
    with (directory / "events.jsonl").open("a") as stream:
        stream.write('{"v":1,"t":"2026-01-02T03:04:05.000000Z","type":"task.finished","task":"0002')
    run = summarize(directory)
    assert run.standing is Standing.ABANDONED
    assert (run.tasks, run.succeeded, run.failed) == (4, 1, 0)


def test_nothing_is_known_of_a_run_that_has_not_begun(directory: Path) -> None:
    run = summarize(directory)
    assert run.standing is Standing.ABANDONED
    assert (run.tasks, run.succeeded, run.failed) == (None, 0, 0)


def test_a_client_that_left_as_it_was_told_leaves_the_run_detached(directory: Path) -> None:
    (directory / "run.json").write_text(record_as_json(replace(RECORD, detached=True)))
    write(directory, STARTED)
    assert summarize(directory).standing is Standing.ABANDONED
    write(directory, CLEANED)
    assert summarize(directory).standing is Standing.DETACHED


def test_an_end_of_any_length_is_found(directory: Path) -> None:
    left = tuple(
        LeftBehind(kind="container", name=f"c{n}" * 9, why="it is so", kept=n > 1)
        for n in range(3000)
    )
    cleanup = CleanupFinished(deleted=(), left=left)
    write(directory, STARTED, cleanup)
    assert last_event(directory) == cleanup
    assert what_is_left(directory) == left[:2]
    write(directory, end(5))
    assert last_event(directory) == end(5)
    assert what_is_left(directory) == left[:2]


def test_a_damaged_line_is_named(directory: Path) -> None:
    write(directory, STARTED)
    events = directory / "events.jsonl"
    with events.open("ab") as stream:
        stream.write(b'{"v":1,"type":"cleanup.finished",\n')
    with pytest.raises(UsageError) as caught:
        what_is_left(directory)
    assert caught.value.message == f"`{events}`, line 2: not an event of a run"


def test_a_directory_without_a_record_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        summarize(tmp_path)
    assert caught.value.message == (
        f"`{tmp_path}` has no `run.json`: the run ended before it began, or an earlier version"
        " of batch-run made it"
    )


def test_the_lines_of_a_long_run_are_searched_and_not_each_read(directory: Path) -> None:
    write(directory, STARTED, task(1, succeeded=True))
    started, ended = (directory / "events.jsonl").read_text().splitlines()
    value = json.loads(ended)
    count = 10_000
    with (directory / "events.jsonl").open("w") as stream:
        stream.write(started.replace('"tasks":4', f'"tasks":{count}') + "\n")
        for number in range(count):
            value["task"] = f"{number:06}"
            value["succeeded"] = number % 10 != 0
            stream.write(json.dumps(value, separators=(",", ":")) + "\n")

    run = summarize(directory)

    assert (run.tasks, run.succeeded, run.failed) == (count, count * 9 // 10, count // 10)
    assert count_steps(lambda: summarize(directory)) < 10 * count
