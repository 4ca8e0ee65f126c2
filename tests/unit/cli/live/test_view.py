"""What is found of a run at a moment, where time has passed between two looks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.cli.live.display import Gauges
from runner.cli.live.view import Flow, Viewer
from runner.report.fold import Report
from runner.run.doing import Doing
from runner.run.events import Event, OutputDownloaded
from runner.run.transfers.under_way import UnderWay
from tests.fakes.services import NOW
from tests.unit.cli.live.events import RUN, added, begun, finished, started

MEGABYTE = 1_000_000


def output(number: int, size: int) -> OutputDownloaded:
    return OutputDownloaded(
        task=f"{number:05}", role="output", blob=f"{number}", path=f"{number}", bytes=size
    )


def outputs_down(events: list[Event], *, coming_home: int) -> Flow:
    """What comes down five seconds after a file of 30 MB has begun to, of which 10 are there."""
    under_way = UnderWay()
    viewer, report = Viewer(RUN, slots=1), Report()
    for event in events:
        report.add(event, NOW)
        viewer.add(event, NOW, report)
    doing = Doing(coming_home=lambda: coming_home)
    viewer.watch(Gauges(doing=doing, under_way=under_way))
    moving = under_way.begin(is_up=False, size=30 * MEGABYTE)
    viewer.look(NOW)
    moving.add(10 * MEGABYTE)
    down = viewer.look(NOW + timedelta(seconds=5)).down
    assert down is not None
    return down


@pytest.mark.parametrize("home", [1, 9])
def test_how_long_the_rest_takes_to_come_home_is_told_once_all_tasks_have_ended(home: int) -> None:
    events: list[Event] = [started(tasks=home + 1)]
    for number in range(1, home + 2):
        events += [added(number), begun(number)]
    for number in range(1, home + 1):
        events += [output(number, MEGABYTE), finished(number)]
    down = outputs_down(events, coming_home=1)
    assert (down.bytes, down.all_bytes) == ((home + 10) * MEGABYTE, (home + 30) * MEGABYTE)
    assert (down.rate, down.left) == (2.0 * MEGABYTE, 10.0)


def test_while_tasks_run_nobody_knows_when_their_outputs_are_home() -> None:
    events: list[Event] = [started(tasks=3)]
    for number in range(1, 4):
        events += [added(number), begun(number)]
    events += [output(1, MEGABYTE), finished(1)]
    down = outputs_down(events, coming_home=1)
    assert (down.rate, down.left) == (2.0 * MEGABYTE, None)
