"""What is said of a run where there is no terminal."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from typing_extensions import override

from runner.cli.live.display import Display, Gauges, Silence, choose_display
from runner.cli.live.lines import Lines
from runner.report.fold import Report
from runner.run.doing import Doing
from runner.run.events import CleanupFinished, Event, StartTaskFailed, UploadFinished
from tests.fakes.plans import make_plan
from tests.fakes.services import NOW
from tests.unit.cli.live.events import begun, finished, job, node, started
from tests.unit.cli.worlds import make_terminal, make_world


class Heard(io.StringIO):
    """A stream that tells when something was written to it."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self._wanted = wanted
        self.it = threading.Event()

    @override
    def write(self, text: str, /) -> int:
        written = super().write(text)
        if self._wanted in self.getvalue():
            self.it.set()
        return written


class Time:
    """A clock that moves by itself with every event."""

    def __init__(self) -> None:
        self.seconds = 0.0


def play(display: Display, time: Time, events: list[tuple[float, Event]]) -> None:
    """Shows each event at its time."""
    report = Report()
    for seconds, event in events:
        time.seconds = seconds
        at = NOW + timedelta(seconds=seconds)
        report.add(event, at)
        display.show(event, at, report)
    display.close()


def lines_of(folder: Path, events: list[tuple[float, Event]], doing: Doing | None = None) -> str:
    """What is said of them, and then of the end."""
    world, _, stderr = make_world(folder)
    time = Time()
    world.clock = replace(world.clock, monotonic=lambda: time.seconds)
    display = Lines(world)
    if doing is not None:
        display.watch(Gauges(doing=doing))
    play(display, time, events)
    if doing is not None:
        doing.end("ending the job")
        doing.end("deleting pool pool-1")
    return stderr.getvalue()


def test_what_happens_once_is_said_at_once(tmp_path: Path) -> None:
    events: list[tuple[float, Event]] = [
        (0.0, started(tasks=2, files=1, size=1_500)),
        (0.1, UploadFinished(role="input", blob="a", bytes=1_500)),
        (0.2, job()),
        (0.3, node("node-1", "idle")),
        (0.4, begun(1)),
        (0.5, begun(2)),
        (0.6, finished(1)),
        (0.7, finished(2, succeeded=False, tail="1\n2\n3\nbad \x1b[2Jframe")),
    ]
    assert lines_of(tmp_path, events, Doing()).splitlines() == [
        "2 tasks, 1 file (1.5 kB)",
        "job demo-20260102t030405z-abcd on pool pool-1",
        "the first task has started on node node-1",
        "task 00002 failed (2.txt): exit code 3 on node node-1",
        "    2",
        "    3",
        r"    bad \x1b[2Jframe",
        "cleaning up: ending the job",
    ]


def test_numbers_come_every_two_seconds_at_first_and_every_thirty_later(tmp_path: Path) -> None:
    events: list[tuple[float, Event]] = [(0.0, started(tasks=1_000)), (0.0, begun(1, None))]
    events.extend((float(each), finished(each)) for each in range(1, 1_000))
    said = lines_of(tmp_path, events).splitlines()
    assert said[:4] == [
        "1,000 tasks, 0 files (0 B)",
        "the first task has started",
        "2/1,000 tasks done, 1.0/s",
        "4/1,000 tasks done, 1.0/s, about 16m 36s left",
    ]
    done = [int(line.split()[0].partition("/")[0].replace(",", "")) for line in said[2:]]
    gaps = [later - earlier for earlier, later in pairwise(done)]
    assert gaps[:9] == [2] * 9
    assert gaps == sorted(gaps)
    assert set(gaps[-20:]) == {30}


def test_after_some_failures_the_others_are_counted(tmp_path: Path) -> None:
    events: list[tuple[float, Event]] = [(0.0, started(tasks=5_000))]
    events.extend((0.0, finished(each, succeeded=False)) for each in range(1, 4_999))
    events.append((3.0, finished(4_999, succeeded=False)))
    said = lines_of(tmp_path, events).splitlines()
    assert said[1] == "task 00001 failed (1.txt): exit code 3 on node node-1"
    assert said[10:] == [
        "task 00010 failed (10.txt): exit code 3 on node node-1",
        "further failures are counted from here on, and told at the end",
        "4,999/5,000 tasks done, 4,999 failed, 1,666/s, about 1s left",
    ]


def test_a_start_task_that_fails_is_told_with_its_cause_and_of_the_first_node_with_its_words(
    tmp_path: Path,
) -> None:
    def failed(node: str, code: int | None, message: str | None = None) -> StartTaskFailed:
        return StartTaskFailed(
            node=node, exit_code=code, message=message, stderr_tail="1\n2\n3\n4\n"
        )

    events: list[tuple[float, Event]] = [
        (0.0, started(tasks=2)),
        (0.1, failed("node-1", 100)),
        (0.2, failed("node-2", None, "no such\x1b program")),
        (0.3, failed("node-3", None)),
    ]
    assert lines_of(tmp_path, events).splitlines() == [
        "2 tasks, 0 files (0 B)",
        "start task failed on node node-1: exit code 100",
        "    2",
        "    3",
        "    4",
        r"start task failed on node node-2: no such\x1b program",
        "start task failed on node node-3",
    ]


def test_where_nothing_happens_it_is_said_again_how_far_the_run_is(tmp_path: Path) -> None:
    world, _, stderr = make_world(tmp_path)
    time = Time()
    world.clock = replace(
        world.clock,
        monotonic=lambda: time.seconds,
        now=lambda: NOW + timedelta(seconds=time.seconds),
    )
    # Nobody looks but the test.
    display, report, doing = Lines(world, look_seconds=3_600.0), Report(), Doing()
    display.watch(Gauges(doing=doing))

    def happens(seconds: float, event: Event) -> None:
        time.seconds = seconds
        report.add(event, NOW + timedelta(seconds=seconds))
        display.show(event, NOW + timedelta(seconds=seconds), report)

    def silent(*moments: float) -> list[str]:
        """What is said by itself, looked at so often."""
        stderr.truncate(0)
        stderr.seek(0)
        said = []
        for time.seconds in moments:
            display.remind()
            said.append(stderr.getvalue().rpartition("\n")[0])
            stderr.truncate(0)
            stderr.seek(0)
        return said

    assert silent(20.0) == [""]  # before it has begun
    happens(21.0, started(tasks=2, files=1, size=5))
    assert silent(30.9, 31.0, 35.0) == ["", "0/1 files up, 0/2 tasks done", ""]
    happens(36.0, job())
    assert silent(45.0, 46.0) == ["", "0/1 files up, 0/2 tasks done; no node yet"]
    happens(130.0, node("node-1", "waitingforstarttask"))
    happens(130.0, UploadFinished(role="input", blob="a", bytes=5))
    waits = "1/1 files up, 0/2 tasks done; nodes: 1 waitingforstarttask"
    assert silent(131.0, 145.0, 1_000.0, 1_029.0, 1_030.0) == ["", waits, waits, "", waits]
    happens(1_031.0, node("node-1", "running"))
    happens(1_031.0, begun(1))
    happens(1_062.0, finished(1))
    # Of a rate that was, nothing is left after a while.
    assert silent(1_200.0, 1_300.0)[1] == "1/1 files up, 1/2 tasks done; nodes: 1 running"
    doing.end("deleting pool pool-1")
    assert silent(1_320.0, 1_340.0) == ["", "cleaning up: deleting pool pool-1"]
    happens(1_341.0, CleanupFinished(deleted=(), left=()))
    assert silent(2_000.0) == [""]
    display.close()


def test_nobody_has_to_ask_for_that(tmp_path: Path) -> None:
    world, _, _ = make_world(tmp_path)
    world.stderr = heard = Heard("0/2 tasks done\n")
    moments = iter(range(0, 1_000_000_000, 100))
    world.clock = replace(world.clock, monotonic=lambda: float(next(moments)))
    display, report = Lines(world, look_seconds=0.001), Report()
    event = started(tasks=2)
    report.add(event, NOW)
    display.show(event, NOW, report)
    assert heard.it.wait(60)
    display.close()
    said = heard.getvalue()
    display.remind()
    assert heard.getvalue() == said


def test_quiet_says_nothing(tmp_path: Path) -> None:
    world, _, stderr = make_world(tmp_path)
    display = choose_display(world, make_plan(tmp_path), quiet=True)
    assert isinstance(display, Silence)
    play(display, Time(), [(0.0, started(tasks=1)), (9.0, finished(1, succeeded=False))])
    assert stderr.getvalue() == ""


def test_who_cannot_see_a_view_gets_lines(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    no_terminal, _, _ = make_world(tmp_path)
    assert isinstance(choose_display(no_terminal, plan, quiet=False), Lines)
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "unknown")):
        world, _ = make_terminal(tmp_path, "")
        world.environ = {name: value}
        assert isinstance(choose_display(world, plan, quiet=False), Lines)
