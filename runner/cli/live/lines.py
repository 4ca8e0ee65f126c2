"""Plain lines for a run that goes: where there is no terminal, or none that can show more.

It must not know of terminals; it says a line when there is something to say.
"""

from __future__ import annotations

import threading
from datetime import datetime

from runner.cli.live.display import Gauges
from runner.cli.live.wording import describe_event, describe_numbers
from runner.cli.world import World
from runner.report.as_text import printable, shorten_node
from runner.report.fold import Report
from runner.report.pace import Pace
from runner.run.doing import Doing
from runner.run.events import CleanupFinished, Event, RunFinished, RunStarted, TaskStarted

_LINE_EVERY_SECONDS = 2.0
_LONGEST_SECONDS = 30.0
# A line after each tenth of the time that has passed: thirty seconds from five minutes on.
_LINES_PER_RUN = 10
_RATE_SECONDS = 60.0
# From fewer ends nobody can tell when the last one comes.
_LEAST_WAVE = 3
# CI services end a job that says nothing for some minutes; a start task, or a task, may take hours.
_SILENCE_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_LAST_LINE_SECONDS = 1.0


class Lines:
    """What happens once is said at once; numbers at most every two seconds, later every thirty.

    Where nothing happens they are said again, after ten seconds at first and thirty later.
    """

    def __init__(
        self, world: World, *, slots: int | None = None, look_seconds: float = _LOOK_SECONDS
    ) -> None:
        """`slots` are those of a node, where they are known; `look_seconds` is how often it is
        looked whether nothing was said for a while."""
        self._world = world
        self._look_seconds = look_seconds
        self._slots = slots or 1
        self._began = world.clock.monotonic()
        self._next = self._began + _LINE_EVERY_SECONDS
        self._ends = Pace(window=_RATE_SECONDS, least_seconds=1.0)
        self._has_started = False
        self._doing = Doing()
        self._is_ending = False
        self._lock = threading.RLock()
        self._said = self._began
        """When a line was said last."""
        self._report: Report | None = None
        """Of the run, from its beginning to its end."""
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, event: Event, at: datetime, report: Report) -> None:
        """Says what is worth a line."""
        with self._lock:
            self._show(event, at, report)

    def _show(self, event: Event, at: datetime, report: Report) -> None:
        for each in describe_event(event, report):
            self.say(each)
        now = self._world.clock.monotonic()
        if isinstance(event, RunStarted):
            self._has_started = False
            self._report = report
            self._ends.note(at.timestamp(), report.succeeded + len(report.failures))
            self._start()
        if isinstance(event, TaskStarted) and not self._has_started:
            self._has_started = True
            where = f" on node {printable(shorten_node(event.node))}" if event.node else ""
            self.say(f"the first task has started{where}")
        if isinstance(event, RunFinished | CleanupFinished):
            self._report = None
            return
        if now < self._next:
            return
        self._next = now + self._pause(now, _LINE_EVERY_SECONDS)
        self._say_numbers(report, at)

    def remind(self) -> None:
        """Says how far it is where nothing was said for a while."""
        with self._lock:
            now = self._world.clock.monotonic()
            report = self._report  # whoever closes this waits for no lock, and forgets it
            if report is None or now < self._said + self._pause(now, _SILENCE_SECONDS):
                return
            if self._is_ending:
                self.say(f"cleaning up: {self._doing.step}")
            else:
                self._say_numbers(report, self._world.clock.now())

    def _pause(self, now: float, shortest: float) -> float:
        return min(max(shortest, (now - self._began) / _LINES_PER_RUN), _LONGEST_SECONDS)

    def _say_numbers(self, report: Report, at: datetime) -> None:
        done = report.succeeded + len(report.failures)
        self._ends.note(at.timestamp(), done)
        wave = max(_LEAST_WAVE, len(report.nodes) * self._slots)
        left = self._ends.seconds_left(report.tasks - report.left_out - done, wave=wave)
        self.say(describe_numbers(report, rate=self._ends.rate(), left=left))

    def say(self, line: str) -> None:
        """One more line."""
        with self._lock:
            self._said = self._world.clock.monotonic()
            self._world.say(line)

    def watch(self, gauges: Gauges) -> None:
        """That the run takes away what it has made no event tells before it is done."""
        doing = self._doing = gauges.doing

        def hear(step: str) -> None:
            if doing.is_ending and not self._is_ending:
                self._is_ending = True
                self.say(f"cleaning up: {step}")

        doing.hear = hear

    def close(self) -> None:
        """Nobody is reminded of a run that is over."""
        self._closed.set()
        self._report = None
        if self._thread is not None:
            # A terminal that is stopped (Ctrl-S) may keep its line for ever.
            self._thread.join(_LAST_LINE_SECONDS)

    def _start(self) -> None:
        if self._thread is None and not self._closed.is_set():
            self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(self._look_seconds):
            self.remind()
