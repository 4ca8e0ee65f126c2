"""What the page's script needs of a run, as compact JSON that is safe inside a page.

It must not know what the script makes of it. Times are milliseconds since the run began; texts are
escaped as they are shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from runner.report.as_text import printable
from runner.report.page.markup import SIGNS
from runner.report.page.view import MOST_TASKS, PageView, tasks_shown
from runner.report.trace import Attempt, TaskRow, TaskState
from runner.run.events import format_time

_STATES = tuple(TaskState)
# What failed tasks said is most of a page where many did: so much of it is in there.
_MOST_WORD_BYTES = 300_000
_NAMES_A_TASK = 3
_UNSAFE = {ord(each): f"\\u{ord(each):04x}" for each in ("<", ">", "&", "\u2028", "\u2029")}


class _Index:
    """Texts that stand many times, by their places in a list."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, value: str | None) -> int:
        """-1 for none."""
        return -1 if value is None else self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[str]:
        """The texts in the order of their places."""
        return [printable(each) for each in self._places]


def data_as_json(view: PageView) -> str:
    """The text of the page's data: nothing in it ends the element that it stands in."""
    trace = view.trace
    zero = trace.began or view.made
    nodes, steps, causes = _Index(), _Index(), _Index()
    for lane in view.lanes:
        nodes.place(lane.node.id)
    shown = tasks_shown(trace, MOST_TASKS)
    tasks = [_task(row, zero, nodes, steps, causes) for row in shown]
    value = {
        "run": view.record.run,
        "zero": format_time(zero),
        "seen": _since(trace.seen, zero),
        "goesOn": view.goes_on,
        "all": len(trace.tasks),
        "states": [[each.value, *SIGNS[each]] for each in _STATES],
        "lanes": [
            [
                lane.slots,
                _since(lane.since, zero),
                _since(lane.until, zero),
                [
                    [each.state, _since(each.since, zero), _since(each.until or lane.until, zero)]
                    for each in lane.node.states
                ],
            ]
            for lane in view.lanes
        ],
        "tasks": tasks,
        "words": _words(view, shown),
        "nodes": nodes.values,
        "steps": steps.values,
        "causes": causes.values,
    }
    return _compact(value)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)


def _task(row: TaskRow, zero: datetime, nodes: _Index, steps: _Index, causes: _Index) -> list[Any]:
    return [
        row.id,
        printable(row.item),
        steps.place(row.step),
        _STATES.index(row.state),
        row.times_begun,
        _since(row.added, zero),
        row.exit_code,
        causes.place(row.cause),
        row.output_files,
        row.output_bytes,
        _since(row.uploading_since, zero),
        [_attempt(each, zero, nodes, causes) for each in row.attempts],
        [printable(each.blob) for each in row.outputs[:_NAMES_A_TASK]],
    ]


def _attempt(attempt: Attempt, zero: datetime, nodes: _Index, causes: _Index) -> list[Any]:
    return [
        attempt.number,
        nodes.place(attempt.node),
        attempt.slot,
        _since(attempt.started, zero),
        _since(attempt.ended, zero),
        attempt.exit_code,
        causes.place(attempt.cause),
    ]


def _words(view: PageView, shown: Sequence[TaskRow]) -> Mapping[str, list[Any]]:
    """Of tasks that did not succeed: the service's message, the end of stderr, the command."""
    left = _MOST_WORD_BYTES
    words: dict[str, list[Any]] = {}
    for row in _failures_first(shown):
        tail = "\n".join(map(printable, (row.stderr_tail or "").splitlines()))
        script = view.scripts.get(row.id)
        script = None if script is None else "\n".join(map(printable, script.splitlines()))
        message = printable(row.message or "")
        if not (tail or script or message):
            continue
        words[row.id] = [message, tail, script]
        left -= len(_compact(words[row.id]).encode())
        if left < 0:
            break
    return words


def _failures_first(rows: Sequence[TaskRow]) -> Iterable[TaskRow]:
    yield from (row for row in rows if row.state is TaskState.FAILED)
    yield from (row for row in rows if row.state is not TaskState.FAILED)


def _since(at: datetime | None, zero: datetime) -> int | None:
    return None if at is None else round((at - zero).total_seconds() * 1000)
