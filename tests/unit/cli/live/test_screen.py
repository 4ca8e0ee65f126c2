"""The view on a terminal costs little, however much happens, and leaves no trace."""

from __future__ import annotations

import io
from pathlib import Path

from typing_extensions import override

from runner.cli.live.display import choose_display
from runner.cli.live.screen import Screen
from runner.report.fold import Report
from runner.run.events import Event, RunStarted, UploadFinished
from tests.fakes.plans import make_plan
from tests.fakes.services import NOW
from tests.unit.cli.live.events import finished, node
from tests.unit.cli.worlds import Terminal, make_terminal

COUNT = 3_000


class CountingReport(Report):
    """Counts how often somebody looks at how far uploads are."""

    looks = 0

    @property
    @override
    def files_there(self) -> int:
        CountingReport.looks += 1
        return super().files_there


class GoneTerminal(Terminal):
    """A terminal whose window was closed."""

    @override
    def write(self, text: str, /) -> int:
        raise OSError(5, "Input/output error")


def play(screen: Screen, report: Report) -> None:
    """A run of many tasks, of which one fails."""
    events: list[Event] = [
        RunStarted(workload="demo", target="local", tasks=COUNT, files=COUNT, bytes=COUNT * 10),
        node("node-1", "idle"),
    ]
    for number in range(1, COUNT + 1):
        events.append(UploadFinished(role="input", blob=f"{number}.txt", bytes=10))
        events.append(finished(number, succeeded=number != 7))
    for event in events:
        report.add(event, NOW)
        screen.show(event, NOW, report)
    screen.close()


def open_screen(folder: Path) -> tuple[Screen, io.StringIO]:
    world, terminal = make_terminal(folder, "")
    screen = choose_display(world, make_plan(folder), quiet=False)
    assert isinstance(screen, Screen)
    return screen, terminal


def test_events_cost_nothing_but_counters(tmp_path: Path) -> None:
    screen, terminal = open_screen(tmp_path)
    report, CountingReport.looks = CountingReport(), 0
    play(screen, report)
    assert screen.draws < COUNT / 100
    assert CountingReport.looks <= 10 * (screen.draws + 1)
    written = terminal.getvalue()
    assert written.count("task 00007 failed") == 1
    assert "3,000 tasks, 3,000 files (30.0 kB)" in written


def test_the_cursor_is_shown_in_the_end_and_may_be_asked_for_twice(tmp_path: Path) -> None:
    screen, terminal = open_screen(tmp_path)
    play(screen, Report())
    screen.close()
    written = terminal.getvalue()
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1
    screen.say("after all")
    assert terminal.getvalue() == f"{written}after all\n"


def test_a_terminal_that_has_gone_stops_no_run(tmp_path: Path) -> None:
    world, _ = make_terminal(tmp_path, "")
    world.stderr = GoneTerminal()
    screen = choose_display(world, make_plan(tmp_path), quiet=False)
    assert isinstance(screen, Screen)
    report = Report()
    play(screen, report)
    assert (report.succeeded, screen.draws) == (COUNT - 1, 0)


def test_what_is_said_before_the_run_begins_is_said_plainly(tmp_path: Path) -> None:
    screen, terminal = open_screen(tmp_path)
    screen.say("note: this")
    screen.close()
    assert terminal.getvalue() == "note: this\n"
