"""What is shown of a run while it goes costs little, however much happens."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import override

from runner.cli.progress import Bars, Display, Lines, choose_display
from runner.report.fold import Report
from runner.run.events import Event, NodeChanged, RunStarted, TaskFinished, UploadFinished
from tests.unit.cli.worlds import make_terminal, make_world

COUNT = 3_000


class CountingReport(Report):
    """Counts how often somebody looks at how far uploads are."""

    looks = 0

    @property
    @override
    def files_there(self) -> int:
        CountingReport.looks += 1
        return super().files_there


def finished(number: int, *, succeeded: bool = True) -> TaskFinished:
    return TaskFinished(
        task=f"{number:05}",
        item=f"{number}.txt",
        node="node-1",
        succeeded=succeeded,
        exit_code=0 if succeeded else 3,
        started=None,
        ended=None,
        retries=0,
        cause=None if succeeded else "exit-code",
        message=None,
        stdout=None,
        stderr=None,
        stderr_tail=None,
    )


def show_all(display: Display, report: Report) -> None:
    """A run of many tasks, of which one fails."""
    events: list[Event] = [
        RunStarted(workload="demo", target="local", tasks=COUNT, files=COUNT, bytes=COUNT * 10),
        NodeChanged(node="node-1", state="idle", previous=None),
    ]
    for number in range(1, COUNT + 1):
        events.append(UploadFinished(role="input", blob=f"{number}.txt", bytes=10))
        events.append(finished(number, succeeded=number != 7))
    for event in events:
        report.add(event)
        display.show(event, report)
    display.close()


def test_bars_are_drawn_some_times_and_end_with_all_there_is(tmp_path: Path) -> None:
    world, terminal = make_terminal(tmp_path, "")
    report, CountingReport.looks = CountingReport(), 0
    show_all(Bars(world), report)
    shown = terminal.getvalue()
    assert CountingReport.looks < COUNT / 2
    assert f"{COUNT}/{COUNT}" in shown
    assert "nodes: 1 idle" in shown
    assert "3,000 tasks, 3,000 files (30.0 kB)" in shown
    assert shown.count("task 00007") == 1


def test_lines_tell_numbers_by_the_clock_alone(tmp_path: Path) -> None:
    world, _, stderr = make_world(tmp_path)
    report, CountingReport.looks = CountingReport(), 0
    display = choose_display(world, quiet=False, prints=False)
    assert isinstance(display, Lines)
    show_all(display, report)
    assert CountingReport.looks == 0
    assert [line.partition(" ")[0] for line in stderr.getvalue().splitlines()] == ["3,000", "task"]
