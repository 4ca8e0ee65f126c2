"""Everyone who listens to a run: the report, the display, and whoever reads standard output.

It hears events in the order of the journal, from any thread but never from two at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.cli.progress import Display
from runner.cli.world import World
from runner.plan.model import Plan
from runner.report.as_json import report_as_json
from runner.report.as_text import digest
from runner.report.fold import Report
from runner.run.events import Event, TaskFinished
from runner.run.journal import Journal
from runner.spec.workload import Print


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
        self._report = Report()

    def hear(self, event: Event, line: dict[str, Any]) -> None:
        """One event, and its JSON form."""
        self._report.add(event)
        self._display.show(event, self._report)
        if self._as_json:
            self._world.print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
        elif isinstance(event, TaskFinished):
            self._print_output(event)

    def close(self) -> None:
        """Takes the display away."""
        self._display.close()

    def tell_end(self, journal: Journal, *, output_directory: Path) -> None:
        """Writes `report.json` and says how it ended."""
        value = report_as_json(self._report, run=journal.run)
        journal.write("report.json", json.dumps(value, indent=2) + "\n")
        self._world.say(
            digest(
                self._report,
                run_directory=self._shown(self._directory),
                output_directory=self._shown(output_directory),
            )
        )

    def _print_output(self, event: TaskFinished) -> None:
        """The task's id, node and standard output, as the quickstart of Azure Batch shows them."""
        task = self._plan.tasks[int(event.task) - 1]
        if task.print is not Print.STDOUT:
            return
        content = b""
        if event.stdout is not None:
            content = (self._directory / event.stdout).read_bytes()
        end = b"" if content.endswith(b"\n") or not content else b"\n"
        head = f"Task: {event.task}\nNode: {event.node or '-'}\nStandard output:\n"
        self._world.write(head.encode() + content + end + b"\n")

    def _shown(self, path: Path) -> str:
        """Relative to where the user is, if it is below."""
        here = self._world.working_directory
        return str(path.relative_to(here) if path.is_relative_to(here) else path)
