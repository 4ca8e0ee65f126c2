"""Following a run: its lines as they come, to the last one that whoever drives it writes."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.errors import InterruptedRunError, UsageError
from runner.plan.model import RunId
from runner.run.clock import Clock
from runner.run.events import TaskAdded
from runner.run.records.driving import LOCK, drive
from runner.run.records.following import Following
from runner.run.records.lines import event_as_line
from runner.run.records.reading import cut_torn_end
from runner.run.stop import Stop

LIMIT_SECONDS = 60
NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def line(kind: str, moment: datetime | None = None) -> bytes:
    written = (moment or datetime.now(timezone.utc)).isoformat(timespec="microseconds")
    return f'{{"v":1,"t":"{written.replace("+00:00", "Z")}","type":"{kind}"}}\n'.encode()


class Scene:
    """A run's directory, whose driver and events a test moves on while it is followed."""

    def __init__(self, directory: Path, *, outlives: bool = False) -> None:
        self.directory = directory
        self.outlives = outlives
        self.awaited = threading.Event()
        self.events = directory / "events.jsonl"
        self.stop = Stop()
        self.followed: list[bytes] = []
        self.changed = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._follow)

    def write(self, data: bytes) -> None:
        with self.events.open("ab") as stream:
            stream.write(data)

    def expect(self, *lines: bytes) -> None:
        while self.followed != list(lines):
            assert self.changed.wait(LIMIT_SECONDS), f"got {self.followed}"
            self.changed.clear()

    def finish(self) -> None:
        self.thread.join(LIMIT_SECONDS)
        assert not self.thread.is_alive()

    def outlive(self) -> None:
        self.awaited.set()

    def _follow(self) -> None:
        clock = Clock(now=lambda: datetime.now(timezone.utc), monotonic=lambda: 0.0, wait=Stop.wait)
        try:
            outlive = self.outlive if self.outlives else None
            for each in Following(self.directory).follow(clock, self.stop, outlive=outlive):
                self.followed.append(each)
                self.changed.set()
        except InterruptedRunError as error:
            self.error = error


def test_what_nobody_writes_any_more_is_read_to_its_end(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    first, second = line("run.started"), line("task.added")
    scene.write(first + second + b'{"torn')
    scene.thread.start()
    scene.finish()
    assert scene.followed == [first, second]


def test_a_run_without_events_has_none(tmp_path: Path) -> None:
    assert list(Following(tmp_path).lines()) == []


def test_lines_come_whole_and_until_the_driver_has_told_its_end(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    first, second = line("run.started"), line("task.added")
    with drive(tmp_path):
        scene.write(first + second[:10])
        scene.thread.start()
        scene.expect(first)
        scene.write(second[10:])
        scene.expect(first, second)
        last = line("run.finished")
        scene.write(last)
        scene.finish()
    assert scene.followed == [first, second, last]


def test_a_driver_that_dies_ends_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    first = line("run.started")
    with drive(tmp_path):
        scene.write(first)
        scene.thread.start()
        scene.expect(first)
    scene.finish()
    assert scene.followed == [first]


def test_the_end_of_an_earlier_driver_is_not_that_of_this_one(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    earlier = line("run.finished", datetime.now(timezone.utc) - timedelta(hours=1))
    with drive(tmp_path):
        scene.write(earlier)
        scene.thread.start()
        scene.expect(earlier)
        again = line("run.started")
        scene.write(again)
        scene.expect(earlier, again)
    scene.finish()


def test_a_last_line_that_is_nested_without_end_is_no_end(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    nested = b'{"type":"run.finished","a":' + b"[" * 100_000 + b"}\n"
    with drive(tmp_path):
        scene.write(nested)
        scene.thread.start()
        scene.expect(nested)
        last = line("run.finished")
        scene.write(last)
        scene.finish()
    assert scene.followed == [nested, last]


def test_a_wish_to_stop_ends_the_following_and_nothing_else(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    with drive(tmp_path):
        scene.write(line("run.started"))
        scene.thread.start()
        assert scene.changed.wait(LIMIT_SECONDS)
        scene.stop.request()
        scene.finish()
        assert (tmp_path / LOCK).stat().st_size > 0
    assert isinstance(scene.error, InterruptedRunError)


def test_events_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(UsageError) as caught:
        list(Following(tmp_path).lines())
    assert caught.value.message == (f"cannot read `{tmp_path / 'events.jsonl'}`: is a directory")


def test_a_driver_that_dies_is_outlived_by_who_waits_for_another(tmp_path: Path) -> None:
    scene = Scene(tmp_path, outlives=True)
    first, second = line("run.started"), line("task.added")
    with drive(tmp_path):
        scene.write(first + b'{"torn')
        scene.thread.start()
        scene.expect(first)
    assert scene.awaited.wait(LIMIT_SECONDS)
    with drive(tmp_path):
        cut_torn_end(tmp_path)
        scene.write(second)
        scene.expect(first, second)
        last = line("run.finished")
        scene.write(last)
    scene.finish()
    assert scene.followed == [first, second, last]


def test_a_run_that_nobody_drives_is_not_waited_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path, outlives=True)
    scene.write(line("run.started"))
    scene.thread.start()
    scene.finish()
    assert not scene.awaited.is_set()


def test_what_a_crash_has_left_at_the_end_is_kept_back(tmp_path: Path) -> None:
    following = Following(tmp_path)
    events = tmp_path / "events.jsonl"
    first, second = line("run.started"), line("task.added")
    events.write_bytes(first + b"\0\0\0\n" + b"\0\0\n")
    assert list(following.lines()) == [first]
    cut_torn_end(tmp_path)
    with events.open("ab") as stream:
        stream.write(second)
    assert list(following.lines()) == [second]


def test_who_is_not_wanted_any_more_stops(tmp_path: Path) -> None:
    clock = Clock(now=lambda: datetime.now(timezone.utc), monotonic=lambda: 0.0, wait=Stop.wait)
    wanted = iter((True, True, False))
    with drive(tmp_path):
        (tmp_path / "events.jsonl").write_bytes(line("run.started"))
        lines = Following(tmp_path).follow(clock, Stop(), is_wanted=lambda: next(wanted))
        assert len(list(lines)) == 1


def test_events_are_read_from_lines_with_a_mark_alone(tmp_path: Path) -> None:
    first, second = TaskAdded(task="0001", item="a"), TaskAdded(task="0002", item="b")
    lines = [event_as_line(each, run=RunId("demo"), at=NOW) for each in (first, second)]
    events = tmp_path / "events.jsonl"
    events.write_bytes(lines[0] + b'{"type":"task.added"\n' + lines[1])
    following = Following(tmp_path)
    assert list(following.events(b'"0002"', b'"0003"')) == [(NOW, second)]
    with events.open("ab") as stream:
        stream.write(lines[0] + line("of.later", NOW) + b'{"type":"task.added","task":}\n')
    told = following.events(b'"type"')
    assert next(told) == (NOW, first)
    with pytest.raises(UsageError) as caught:
        next(told)
    assert caught.value.message == f"`{events}`, line 6: not an event of a run"
