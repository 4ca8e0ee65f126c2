r"""The trace as a table: a line an attempt, its fields between tabs.

It renders a trace and nothing else. Times are RFC 3339 in UTC, durations seconds; what is not known
is empty. In fields a tab is `\t`, the end of a line `\n` or `\r`, a backslash two, and any other
character that does not print is escaped as in a Python string. So is what a field may not begin
with: a quotation mark, behind which many readers of tables take all for quoted, and a sign by which
spreadsheets know formulas (`=`, `+`, `-`, `@`), which they calculate whoever wrote it. Numbers keep
their signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from runner.report.trace import Attempt, TaskRow, TaskState, Trace, seconds_between
from runner.run.events import format_time

COLUMNS = (
    "task",
    "step",
    "item",
    "state",
    "attempt",
    "attempts",
    "node",
    "slot",
    "added",
    "started",
    "ended",
    "queue_seconds",
    "run_seconds",
    "upload_seconds",
    "exit_code",
    "cause",
    "message",
    "outputs",
    "output_bytes",
)
_NOT_FIRST = frozenset('"=+-@')
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")
_RETRIED = "retried"
"""The state of an attempt that was followed by another."""


def trace_as_tsv(trace: Trace) -> Iterator[str]:
    """The lines, each with its end: the names of the columns, then each task's attempts in order.

    A task of which no attempt is known has one line without any.
    """
    yield "\t".join(COLUMNS) + "\n"
    for task in trace.tasks:
        for attempt in task.attempts or (None,):
            yield "\t".join(_fields(task, attempt)) + "\n"


def _fields(task: TaskRow, attempt: Attempt | None) -> Iterator[str]:
    is_last = attempt is task.last
    goes_on = is_last and task.state is not TaskState.RETRYING
    yield task.id
    yield _text(task.step)
    yield _text(task.item)
    yield task.state.value if goes_on or attempt is None else _RETRIED
    yield "" if attempt is None else str(attempt.number)
    yield str(task.times_begun)
    yield _text(None if attempt is None else attempt.node)
    yield _number(None if attempt is None else attempt.slot)
    yield _time(task.added)
    yield _time(None if attempt is None else attempt.started)
    yield _time(None if attempt is None else attempt.ended)
    is_first = attempt is not None and attempt.number == 1
    yield _seconds(task.queue_seconds if is_first else None)
    yield _seconds(None if attempt is None else attempt.seconds)
    yield _seconds(seconds_between(task.uploading_since, task.ended) if is_last else None)
    yield _number(task.exit_code if attempt is None else attempt.exit_code)
    yield _text(task.cause if attempt is None else attempt.cause)
    yield _text(task.message if attempt is None else attempt.message)
    yield str(task.output_files if is_last else 0)
    yield str(task.output_bytes if is_last else 0)


def _text(text: str | None) -> str:
    if not text:
        return ""
    if text[0] in _NOT_FIRST and not _NUMBER.match(text):
        return f"\\x{ord(text[0]):02x}{_escape(text[1:])}"
    return _escape(text)


def _escape(text: str) -> str:
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(
        each
        if each.isprintable() and each != "\\"
        else each.encode("unicode_escape", "backslashreplace").decode("ascii")
        for each in text
    )


def _time(moment: datetime | None) -> str:
    return "" if moment is None else format_time(moment)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}"


def _number(number: int | None) -> str:
    return "" if number is None else str(number)
