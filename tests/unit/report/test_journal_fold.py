"""The quick fold comes to what the fold event by event comes to."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.report.fold import Report
from runner.report.journal_fold import fold_journal
from runner.run.events import (
    CleanupFinished,
    Event,
    JobCreated,
    NodeChanged,
    OutputDownloaded,
    PoolChanged,
    RunFinished,
    RunStarted,
    StartTaskFailed,
    TaskAdded,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    UploadFinished,
)
from runner.run.records.lines import event_as_line
from runner.run.records.reading import read_events
from tests.effort import count_steps
from tests.fakes.ends import end_of

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
HOSTILE = (
    "a.txt",
    '","bytes":7,"skipped":true',
    "\\",
    '\\","node":null,"succeeded":false',
    "\n\x1b[31m\u202e",
    "\u2028\x85",
    "\udcff",
    '"type":"task.added","task":"0009"',
    "",
)


def events(seed: int) -> list[Event]:
    """What a run could tell, in an order that none would."""
    chance = random.Random(seed)
    started = RunStarted(workload="demo", target="azure", tasks=9, files=4, bytes=9)
    found: list[Event] = [started]
    for _ in range(150):
        task, name = f"{chance.randint(1, 9):04}", chance.choice(HOSTILE)
        begun = None if chance.random() < 0.2 else START + timedelta(seconds=chance.random())
        good = chance.random() < 0.7
        found.append(
            chance.choice(
                (
                    UploadFinished(role="in", blob=name, bytes=5, skipped=good, md5=None),
                    TaskAdded(task=task, item=name),
                    TaskStarted(task=task, node=name, at=begun, attempt=chance.randint(1, 2)),
                    TaskRetried(task=task, retries=1, cause=None, started=begun, at=START),
                    OutputDownloaded(task=task, role="o", blob=name, path=name, bytes=3),
                    PoolChanged(
                        pool="p",
                        allocation="steady",
                        dedicated=1,
                        spot=0,
                        target_dedicated=1,
                        target_spot=0,
                        errors=(name,),
                    ),
                    NodeChanged(node=name, state="idle", previous=None),
                    JobCreated(job="j", pool="p"),
                    StartTaskFailed(node=name, exit_code=1, message=None, stderr_tail=name),
                    CleanupFinished(deleted=(name,), left=(), checked_at=begun),
                    RunFinished(exit_code=3, succeeded=1, failed=2, unfinished=6, error=name),
                    RunStarted(
                        workload="demo", target="azure", tasks=9, files=4, bytes=9, resumed=True
                    ),
                    end_of(
                        task,
                        item=name,
                        node=chance.choice((None, name)),
                        succeeded=good,
                        exit_code=0 if good else 1,
                        started=begun,
                        ended=START + timedelta(seconds=9),
                        cause=None if good else name,
                        message=None if good else name,
                        stderr=name,
                        stderr_tail=None if good else name,
                        skipped=good and chance.random() < 0.2,
                        attempts=chance.randint(1, 3),
                    ),
                )
            )
        )
    return found


def write(folder: Path, told: list[Event], *, torn: bytes = b"") -> Path:
    lines = [
        event_as_line(event, run="demo-1", at=START + timedelta(seconds=number))
        for number, event in enumerate(told)
    ]
    (folder / "events.jsonl").write_bytes(b"".join(lines) + torn)
    return folder


def slow(folder: Path) -> tuple[Report, datetime | None]:
    report, last = Report(), None
    for last, event in read_events(folder):
        report.add(event, last)
    return report, last


def values(report: Report) -> dict[str, object]:
    found = asdict(report)
    del found["spending"]
    times, deliveries = found.pop("times"), found.pop("deliveries")
    return {
        **found,
        "spending": report.spending.cost(),
        "sums": (times.seconds, times.attempts, deliveries.files, deliveries.bytes),
    }


@pytest.mark.parametrize("seed", range(12))
def test_it_agrees_whatever_is_told(tmp_path: Path, seed: int) -> None:
    folder = write(tmp_path, events(seed), torn=b'{"v":1,"t":"2026')
    folded = fold_journal(folder)
    report, last = slow(folder)
    assert values(folded.report) == values(report)
    assert folded.seen == last


def test_what_runs_and_how_fast_tasks_end(tmp_path: Path) -> None:
    end = next(each for each in events(1) if isinstance(each, TaskFinished))
    told: list[Event] = [RunStarted(workload="d", target="azure", tasks=9, files=0, bytes=0)]
    for number in range(1, 6):
        told.append(TaskStarted(task=f"{number:04}", node="n", at=START))
        if number < 5:
            values = {name: getattr(end, name) for name in TaskFinished.__slots__}
            values |= {"task": f"{number:04}", "succeeded": number != 2, "skipped": False}
            told.append(TaskFinished(**values))
    folded = fold_journal(write(tmp_path, told))
    assert list(folded.running) == ["0005"]
    assert folded.pace.rate() == 0.5


def test_what_is_tried_again_after_a_while(tmp_path: Path) -> None:
    def again(number: int, due: datetime | None) -> list[Event]:
        task = f"{number:04}"
        return [
            TaskStarted(task=task, node="n", at=START),
            TaskRetried(task=task, retries=1, cause="exit_code", due=due),
        ]

    told: list[Event] = [RunStarted(workload="d", target="azure", tasks=9, files=0, bytes=0)]
    for number in range(1, 5):
        told += again(number, START if number < 4 else None)
    told.append(TaskStarted(task="0001", node="n", at=START, attempt=2))
    end = next(each for each in events(1) if isinstance(each, TaskFinished))
    values = {name: getattr(end, name) for name in TaskFinished.__slots__}
    told.append(TaskFinished(**(values | {"task": "0002"})))
    folded = fold_journal(write(tmp_path, told))
    assert (list(folded.running), folded.retried) == (["0001"], {"0003"})
    told.append(told[0])
    again_begun = tmp_path / "again"
    again_begun.mkdir()
    assert fold_journal(write(again_begun, told)).retried == set()


def test_nothing_was_written_yet(tmp_path: Path) -> None:
    folded = fold_journal(tmp_path)
    assert (values(folded.report), folded.seen) == (values(Report()), None)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    write(tmp_path, events(1)[:3], torn=b"what is this\n{}\n")
    with pytest.raises(UsageError) as caught:
        fold_journal(tmp_path)
    path = tmp_path / "events.jsonl"
    assert caught.value.message == f"`{path}`, line 4: not an event of a run"


COUNTED = (
    UploadFinished(role="in", blob="films/one.mp4", bytes=5, skipped=False, md5="0" * 32),
    TaskAdded(task="0001", item="films/one.mp4"),
    TaskStarted(task="0001", node="n", at=START),
    OutputDownloaded(task="0001", role="o", blob="one.mp3", path="o/one.mp3", bytes=3),
    end_of("0001", item="films/one.mp4", node="n", started=START, ended=START),
)
"""Those that are read by a pattern."""


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "an end that is gone": lambda line: line[:-12] + b"\n",
    "blocks that never reached the disk": lambda line: line[:-24] + b"\0" * 12 + line[-12:],
    "two that were written at once": lambda line: line[:-12] + line,
    "no character": lambda line: line.replace(b"demo-1", b"demo\xff1"),
    "no escape": lambda line: line.replace(b"demo-1", rb"demo\x1"),
    "two commas": lambda line: line.replace(b',"', b',,"'),
    "no day": lambda line: line.replace(b"2026-01-02", b"2026-02-30", 1),
    "no time": lambda line: line.replace(b"03:04:", b"03:64:", 1),
}


@pytest.mark.parametrize("event", COUNTED, ids=lambda event: event.type)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_in_what_is_only_counted_too(
    tmp_path: Path, event: Event, damage: str
) -> None:
    path = write(tmp_path, [event, event, event]) / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = DAMAGES[damage](lines[1])
    path.write_bytes(b"".join(lines))
    with pytest.raises(UsageError) as caught:
        fold_journal(tmp_path)
    assert caught.value.message == f"`{path}`, line 2: not an event of a run"


def test_what_a_crash_has_left_at_the_end_is_left_out(tmp_path: Path) -> None:
    folder = write(tmp_path, [TaskAdded(task="0001", item="a")], torn=b"\0\0\n\0")
    assert fold_journal(folder).report.added == 1


def test_types_of_a_later_release_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path, [TaskAdded(task="0001", item="a")])
    path = folder / "events.jsonl"
    path.write_bytes(path.read_bytes() + path.read_bytes().replace(b"task.added", b"task.paused"))
    folded = fold_journal(folder)
    assert (folded.report.added, folded.unknown) == (1, {"task.paused": 1})


def test_lines_in_another_form_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path, [TaskAdded(task="0001", item="a")])
    path = folder / "events.jsonl"
    path.write_bytes(path.read_bytes().replace(b'{"v":1,', b'{"v": 1,'))
    assert fold_journal(folder).report.added == 1


def test_many_events_take_few_steps(tmp_path: Path) -> None:
    line = event_as_line(TaskAdded(task="0001", item="a.txt"), run="demo-1", at=START)
    (tmp_path / "events.jsonl").write_bytes(line * 10_000)
    assert fold_journal(tmp_path).report.added == 10_000
    assert count_steps(lambda: fold_journal(tmp_path)) < 20 * 10_000  # each line read by Python: 90
