"""Runs as a table for people, and as lines of JSON.

It knows nothing of run directories; a line of a table is all that it makes of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runner.frozen import dataclass
from runner.report.as_text import printable
from runner.run.events import VERSION, format_moment, format_time
from runner.run.records.standing import RunSummary, Standing

_HEAD = ("RUN", "TARGET", "STARTED", "TASKS", "STATE")
_WORDS = {
    Standing.DRIVEN: "running here",
    Standing.DETACHED: "detached: the work goes on without a client",
    Standing.ABANDONED: "abandoned: its client has died",
    Standing.BROKEN_OFF: "broken off",
    Standing.NOT_AWAITED: "not waited for any longer",
    Standing.INTERRUPTED: "interrupted",
    Standing.REFUSED: "refused: it never began",
    Standing.FAILED: "failed",
    Standing.SUCCEEDED: "succeeded",
    Standing.LEFT_BEHIND: "succeeded, something is left",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A run's directory that says too little: its name, and what is wrong with it."""

    run: str
    why: str


def runs_as_text(runs: Sequence[RunSummary | Unreadable]) -> str:
    """A table with a line for each run, in the order given; without a final newline."""
    rows = [_HEAD, *map(_row, runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    return "\n".join(_line(row, widths) for row in rows)


def describe_standing(standing: Standing, *, pid: int | None = None, rests: bool = False) -> str:
    """The state of a run in words; `rests` is whether its services are known to have ended."""
    words = _WORDS[standing]
    if standing is Standing.DETACHED and rests:
        words = "detached: its services have ended"
    if standing is Standing.DRIVEN and pid is not None:
        return f"{words} by process {pid}"
    return f"{words}; can be resumed" if standing.is_resumable else words


def run_as_json(run: RunSummary | Unreadable) -> dict[str, Any]:
    """One object for a run; keys are only ever added within a version."""
    if isinstance(run, Unreadable):
        return {"v": VERSION, "run": run.run, "problem": run.why}
    return {
        "v": VERSION,
        "run": run.run,
        "workload": run.record.workload,
        "target": run.record.target,
        "created": format_time(run.record.created),
        "state": run.standing.value,
        "resumable": run.standing.is_resumable,
        "pid": None if run.driver is None else run.driver.pid,
        "exit_code": None if run.end is None else run.end.exit_code,
        "tasks": run.tasks,
        "succeeded": run.succeeded,
        "failed": run.failed,
        "rests": run.rests,
    }


def describe_tasks(tasks: int | None, succeeded: int, failed: int) -> str:
    """How far a run is: `3/10, 1 failed`."""
    if tasks is None:
        return "-"
    done = f"{succeeded + failed:,}/{tasks:,}"
    return f"{done}, {failed:,} failed" if failed else done


def _row(run: RunSummary | Unreadable) -> tuple[str, ...]:
    if isinstance(run, Unreadable):
        return (printable(run.run), "-", "-", "-", printable(run.why))
    return (
        run.run,
        printable(run.record.target),
        format_moment(run.record.created),
        describe_tasks(run.tasks, run.succeeded, run.failed),
        describe_standing(
            run.standing, pid=None if run.driver is None else run.driver.pid, rests=run.rests
        ),
    )


def _line(row: Iterable[str], widths: Sequence[int]) -> str:
    cells = list(row)
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join((*padded, cells[-1]))
