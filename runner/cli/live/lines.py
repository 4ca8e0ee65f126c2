"""Plain lines for a run that goes: where there is no terminal, or none that can show more.

It must not know of terminals; it says a line when there is something to say.
"""

from __future__ import annotations

from datetime import datetime

from runner.cli.live.display import Gauges
from runner.cli.live.wording import describe_event, describe_numbers
from runner.cli.world import World
from runner.report.as_text import printable, shorten_node
from runner.report.fold import Report
from runner.report.pace import Pace
from runner.run.events import CleanupFinished, Event, RunFinished, RunStarted, TaskStarted

_LINE_EVERY_SECONDS = 2.0
_LONGEST_SECONDS = 30.0
# A line after each tenth of the time that has passed: thirty seconds from five minutes on.
_LINES_PER_RUN = 10
_RATE_SECONDS = 60.0
# From fewer ends nobody can tell when the last one comes.
_LEAST_WAVE = 3


class Lines:
    """What happens once is said at once; numbers at most every two seconds, later every thirty."""

    def __init__(self, world: World, *, slots: int | None = None) -> None:
        """`slots` are those of a node, where they are known."""
        self._world = world
        self._slots = slots or 1
        self._began = world.clock.monotonic()
        self._next = self._began + _LINE_EVERY_SECONDS
        self._ends = Pace(window=_RATE_SECONDS, least_seconds=1.0)
        self._has_started = False
        self._is_ending = False

    def show(self, event: Event, at: datetime, report: Report) -> None:
        """Says what is worth a line."""
        for each in describe_event(event, report):
            self._world.say(each)
        now = self._world.clock.monotonic()
        if isinstance(event, RunStarted):
            self._has_started = False
            self._ends.note(at.timestamp(), report.succeeded + len(report.failures))
        if isinstance(event, TaskStarted) and not self._has_started:
            self._has_started = True
            where = f" on node {printable(shorten_node(event.node))}" if event.node else ""
            self._world.say(f"the first task has started{where}")
        if isinstance(event, RunFinished | CleanupFinished) or now < self._next:
            return
        pause = max(_LINE_EVERY_SECONDS, (now - self._began) / _LINES_PER_RUN)
        self._next = now + min(pause, _LONGEST_SECONDS)
        done = report.succeeded + len(report.failures)
        self._ends.note(at.timestamp(), done)
        wave = max(_LEAST_WAVE, len(report.nodes) * self._slots)
        left = self._ends.seconds_left(report.tasks - report.left_out - done, wave=wave)
        self._world.say(describe_numbers(report, rate=self._ends.rate(), left=left))

    def say(self, line: str) -> None:
        """One more line."""
        self._world.say(line)

    def watch(self, gauges: Gauges) -> None:
        """That the run takes away what it has made no event tells before it is done."""
        doing = gauges.doing

        def hear(step: str) -> None:
            if doing.is_ending and not self._is_ending:
                self._is_ending = True
                self._world.say(f"cleaning up: {step}")

        doing.hear = hear

    def close(self) -> None:
        """Lines need no care."""
