"""How a run goes, while it goes: bars on a terminal, some lines elsewhere.

It renders the report that it is given and decides nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from runner.cli.world import World
from runner.report.as_text import describe_end, format_bytes, plural
from runner.report.fold import Report
from runner.run.events import (
    HALTED,
    CleanupFinished,
    Event,
    JobCreated,
    RunFinished,
    RunStarted,
    StartTaskFailed,
    TaskFinished,
)

if TYPE_CHECKING:  # rich is not needed where there is no terminal
    from rich.console import RenderableType
    from rich.progress import Progress

_LINE_EVERY_SECONDS = 2.0
_DRAWN_A_SECOND = 5
# The digest has them all again; a screen full is enough to see that something is wrong.
_FAILURES_SHOWN = 10


class Display(Protocol):
    """Is shown each event with the report that includes it, in order, from any thread."""

    def show(self, event: Event, report: Report) -> None:
        """One more event."""
        ...

    def say(self, line: str) -> None:
        """Something out of turn, as soon as it is known."""
        ...

    def close(self) -> None:
        """Nothing more will come."""
        ...


class Silence:
    """`-q`: nothing but the end."""

    def __init__(self, world: World) -> None:
        self._world = world

    def say(self, line: str) -> None:
        """Said all the same: somebody has asked for it."""
        self._world.say(line)

    def show(self, event: Event, report: Report) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Lines:
    """Plain lines: what happens once at once, numbers at most every two seconds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = world.clock.monotonic() + _LINE_EVERY_SECONDS

    def show(self, event: Event, report: Report) -> None:
        """Says what is worth a line."""
        line = describe_event(event, report)
        if line is not None and len(report.failures) <= _FAILURES_SHOWN:
            self._world.say(line)
        now = self._world.clock.monotonic()
        if isinstance(event, RunFinished | CleanupFinished) or now < self._next:
            return
        self._next = now + _LINE_EVERY_SECONDS
        nodes = describe_nodes(report)
        self._world.say(f"{describe_numbers(report)}{f'; {nodes}' if nodes else ''}")

    def say(self, line: str) -> None:
        """One more line."""
        self._world.say(line)

    def close(self) -> None:
        """Lines need no care."""


class Bars:
    """Two bars at the foot of a terminal, uploads and tasks, and lines above them.

    They are drawn some times a second from the report as it is then, however many events there are.
    """

    def __init__(self, world: World) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._world = world
        self._report: Report | None = None
        console = Console(file=world.stderr)
        self._progress: Progress = Progress(
            TextColumn("{task.description:>7}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}"),
            console=console,
            auto_refresh=False,
        )
        self._uploads = self._progress.add_task("uploads", more="")
        self._tasks = self._progress.add_task("tasks", more="")
        self._live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=_DRAWN_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def show(self, event: Event, report: Report) -> None:
        """Failures become lines above the bars."""
        if isinstance(event, RunStarted):
            self._report = report
            self._live.start()
        line = describe_event(event, report)
        if line is not None:
            self.say(line)

    def say(self, line: str) -> None:
        """A line above the bars."""
        clean = self._world.redaction.text(line)
        self._live.console.print(clean, markup=False, highlight=False)

    def close(self) -> None:
        """Takes the bars away."""
        self._live.stop()

    def _draw(self) -> RenderableType:
        """The bars as they are now; called by a thread of their own."""
        report, progress = self._report, self._progress
        if report is None:
            return ""
        progress.update(
            self._uploads,
            total=report.files,
            completed=report.files_there,
            more=format_bytes(report.uploaded_bytes),
        )
        progress.update(
            self._tasks,
            total=report.tasks,
            completed=report.succeeded + len(report.failures),
            more=describe_nodes(report),
        )
        return progress.get_renderable()


def choose_display(world: World, *, quiet: bool, prints: bool) -> Display:
    """Bars on a terminal that can show them, lines elsewhere (`NO_COLOR` and `TERM=dumb` too).

    With `prints`, data goes to standard output meanwhile: on one terminal, bars would run into it.
    """
    if quiet:
        return Silence(world)
    plain = bool(world.environ.get("NO_COLOR")) or world.environ.get("TERM") == "dumb"
    mixed = prints and world.stdout.isatty()
    return Lines(world) if plain or mixed or not world.stderr.isatty() else Bars(world)


def describe_event(event: Event, report: Report) -> str | None:
    """A line for what happens once, or goes wrong; None for what only counts."""
    match event:
        case RunStarted():
            size = format_bytes(report.input_bytes)
            return f"{plural(report.tasks, 'task')}, {plural(report.files, 'file')} ({size})"
        case JobCreated():
            return f"job {event.job} on pool {event.pool}"
        case StartTaskFailed():
            return f"{event.command} failed on node {event.node}"
        case TaskFinished(succeeded=False) if event.cause != HALTED:
            return describe_end(event)
        case _:
            return None


def describe_numbers(report: Report) -> str:
    """How far uploads and tasks are."""
    done = report.succeeded + len(report.failures)
    return f"{report.files_there}/{report.files} files up, {done}/{report.tasks} tasks done"


def describe_nodes(report: Report) -> str:
    """How many nodes are in which state: `nodes: 2 idle, 1 running`."""
    counts = Counter(list(report.nodes.values()))  # others may come while we count
    parts = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return f"nodes: {parts}" if parts else ""
