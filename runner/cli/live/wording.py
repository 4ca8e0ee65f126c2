"""What is worth a line of its own while a run goes, and the numbers between, in words.

It must not know where the lines go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from runner.report.as_text import (
    describe_end,
    format_bytes,
    format_rate,
    format_seconds,
    plural,
    printable,
    shorten_node,
)
from runner.report.fold import Report
from runner.report.toll import toll_of
from runner.run.events import (
    GONE,
    HALTED,
    Event,
    JobCreated,
    RunStarted,
    StartTaskFailed,
    TaskFinished,
)

_FAILURES_SHOWN = 10
"""The digest has them all again; so many are enough to see that something is wrong."""
_TAIL_LINES = 3


def describe_event(event: Event, report: Report) -> Iterator[str]:
    """Lines for what happens once, or goes wrong; none for what only counts."""
    match event:
        case RunStarted():
            size = format_bytes(report.input_bytes)
            yield f"{plural(report.tasks, 'task')}, {plural(report.files, 'file')} ({size})"
        case JobCreated():
            yield f"job {event.job} on pool {event.pool}"
        case StartTaskFailed():
            yield from _describe_start_task(event, len(report.start_task_failures))
        case TaskFinished(succeeded=False) if event.cause != HALTED:
            yield from _describe_failure(event, len(report.failures))
        case _:
            pass


def _describe_failure(event: TaskFinished, number: int) -> Iterator[str]:
    if number <= _FAILURES_SHOWN:
        yield describe_end(event)
        tail = (event.stderr_tail or "").splitlines()
        yield from (f"    {printable(line)}" for line in tail[-_TAIL_LINES:])
    elif number == _FAILURES_SHOWN + 1:
        yield "further failures are counted from here on, and told at the end"


def _describe_start_task(event: StartTaskFailed, number: int) -> Iterator[str]:
    """Nodes mostly fail alike: what was printed is shown of the first."""
    cause = event.message if event.exit_code is None else f"exit code {event.exit_code}"
    why = f": {cause}" if cause else ""
    yield printable(f"{event.command} failed on node {shorten_node(event.node)}{why}")
    tail = event.stderr_tail.splitlines() if number == 1 else ()
    yield from (f"    {printable(line)}" for line in tail[-_TAIL_LINES:])


def describe_numbers(report: Report, *, rate: float | None, left: float | None) -> str:
    """How far a run is, in a line; `rate` in tasks a second, `left` in seconds."""
    done = report.succeeded + len(report.failures)
    parts = [f"{report.files_there:,}/{report.files:,} files up"] if report.files else []
    parts.append(f"{done:,}/{report.tasks:,} tasks done")
    parts += [f"{count:,} {words}" for count, words in toll_of(report).over]
    if done and rate:
        parts.append(format_rate(rate))
    if left is not None:
        parts.append(f"about {format_seconds(max(1.0, left), is_whole=True)} left")
    nodes = describe_nodes(report)
    if report.job is not None and not report.nodes:
        nodes = "no node yet"
    return f"{', '.join(parts)}{f'; {nodes}' if nodes else ''}"


def describe_nodes(report: Report) -> str:
    """How many nodes are in which state: `nodes: 2 idle, 1 running`."""
    counts = Counter(tuple(report.nodes.values()))  # others may come while we count
    del counts[GONE]
    parts = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
    return f"nodes: {printable(parts)}" if parts else ""
