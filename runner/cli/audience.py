"""Everyone who listens to a run: the report, the display, and whoever reads standard output.

It hears events in the order of the journal, from any thread but never from two at once.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from runner.cli.following_up import calling_of
from runner.cli.live.display import Display, Gauges
from runner.cli.printing import Printer
from runner.cli.world import World
from runner.errors import describe_os_error
from runner.plan.model import Plan
from runner.report.as_json import report_as_json
from runner.report.digest import digest
from runner.report.fold import Report
from runner.report.next_steps import next_steps
from runner.run.events import Event, TaskFinished
from runner.run.records.journal import Journal
from runner.run.records.lines import time_of
from runner.run.records.record import RunRecord
from runner.spec.model.step import Print

_PIECE_BYTES = 1024 * 1024


class Audience:
    """Shows one run as it goes, and its digest at the end."""

    def __init__(
        self, plan: Plan, *, display: Display, directory: Path, world: World, as_json: bool
    ) -> None:
        self._plan = plan
        self._display = display
        self._directory = directory
        self._world = world
        self._as_json = as_json
        self._prints = plan.workload.prints
        self._printer = Printer(world)
        self._report = Report()

    def hear(self, event: Event, line: bytes) -> None:
        """One event, and its line."""
        at = time_of(line)
        self._report.add(event, at)
        self._display.show(event, at, self._report)
        if self._as_json:
            self._printer.put(lambda: (line,))
        elif self._prints and isinstance(event, TaskFinished):
            self._print_output(event)

    def recall(self, events: Iterable[tuple[datetime, Event]]) -> None:
        """Takes in what was seen of the run before, and when; it is not shown again."""
        for at, event in events:
            self._report.add(event, at)

    def say(self, line: str) -> None:
        """Shows a line out of turn."""
        self._display.say(line)

    def watch(self, gauges: Gauges) -> None:
        """Has the display show these too."""
        self._display.watch(gauges)

    def stop_showing(self) -> None:
        """Takes the display away; what is said from here on is said plainly."""
        self._display.close()

    def finish(self, is_stopped: Callable[[], bool]) -> None:
        """Takes the display away, and returns when all data is written or nobody wants it."""
        self._display.close()
        self._printer.finish(is_stopped)

    def tell_end(self, journal: Journal, *, record: RunRecord) -> None:
        """Writes `report.json` and says how it ended."""
        value = report_as_json(self._report, run=journal.run)
        try:
            journal.write("report.json", json.dumps(value, indent=2) + "\n")
        except OSError as error:
            reason = describe_os_error(error)
            self._world.say(f"batch-run: cannot write `report.json`: {reason}")
        self.say_end(record=record)

    def say_end(self, *, record: RunRecord) -> None:
        """Says how it ended, and what may be done next."""
        calling = calling_of(record, self._world, workload=self._plan.workload)
        self._world.say(
            digest(
                self._report,
                run=record.run,
                run_directory=self._world.shown(self._directory),
                output_directory=self._world.shown(Path(record.output_directory)),
                steps=next_steps(self._report, calling),
            )
        )

    def _print_output(self, event: TaskFinished) -> None:
        """A task's output, if its step prints it and it ran."""
        task = self._plan.tasks[int(event.task) - 1]
        has_run = event.stdout is not None or event.exit_code is not None
        if task.step.print is not Print.STDOUT or not has_run:
            return
        self._printer.put(partial(_task_output, event, self._directory))


def _task_output(event: TaskFinished, directory: Path) -> Iterator[bytes]:
    """The task's id, node and standard output, as the quickstart of Azure Batch shows them."""
    yield f"Task: {event.task}\nNode: {event.node or '-'}\nStandard output:\n".encode()
    last = b"\n"
    if event.stdout is not None:
        with contextlib.suppress(OSError), (directory / event.stdout).open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                last = piece[-1:]
                yield piece
    yield b"\n" if last == b"\n" else b"\n\n"
