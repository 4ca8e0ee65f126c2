"""How a run goes that has not ended, in two or three lines: its phase, numbers, rate and nodes.

It must not know who asks, nor how often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from runner.report.as_text import format_rate, format_seconds, plural, printable
from runner.report.fold import Report
from runner.report.pace import Pace

_READY = frozenset({"idle", "running"})


def progress_as_text(report: Report, *, running: int, pace: Pace | None) -> Iterator[str]:
    """No line of a run that has not begun; `running` is how many tasks run."""
    if not report.has_begun:
        return
    done = report.succeeded + len(report.failures)
    left = report.tasks - report.left_out - done
    parts = [
        f"{done:,} of {plural(report.tasks - report.left_out, 'task')} done",
        f"{running:,} running",
    ]
    if report.files:
        parts.insert(0, f"{report.files_there:,} of {plural(report.files, 'file')} up")
    rate = None if pace is None else pace.rate()
    if rate:
        parts.append(format_rate(rate))
    seconds = None if pace is None or left <= 0 else pace.seconds_left(left)
    if seconds is not None:
        parts.append(f"about {format_seconds(seconds)} left")
    yield f"now: {_phase(report, running, left)}; {', '.join(parts)}"
    yield from _pool(report)


def _phase(report: Report, running: int, left: int) -> str:
    if left <= 0 or report.cleaned:
        return "cleaning up"
    if running or report.started:
        return "tasks run" if running else "waiting for tasks to run"
    if report.job is None or not report.added:
        return "inputs go up"
    if not any(state in _READY for state in report.nodes.values()):
        return "waiting for nodes"
    return "waiting for the first task"


def _pool(report: Report) -> Iterator[str]:
    pool, states = report.pool_change, report.nodes.values()
    if pool is not None:
        size = (pool.dedicated + pool.spot, pool.target_dedicated + pool.target_spot)
        yield from pool_as_text(size, pool.allocation, states, report.pool_errors)
        return
    if states:
        yield printable(f"nodes: {_listed(states)}")
    yield from _in_trouble(report.pool_errors)


def pool_as_text(
    size: tuple[int, int], allocation: str, states: Iterable[str], errors: Iterable[str]
) -> Iterator[str]:
    """How many nodes there are and are wanted (`size`), in which states, and what is wrong."""
    nodes, wanted = size
    listed = _listed(states)
    told = f": {listed}" if listed else ""
    yield printable(f"pool: {nodes:,} of {plural(wanted, 'node')}, {allocation}{told}")
    yield from _in_trouble(errors)


def _listed(states: Iterable[str]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(Counter(states).items()))


def _in_trouble(errors: Iterable[str]) -> Iterator[str]:
    for error in errors:
        yield printable(f"the pool is in trouble: {error}")
