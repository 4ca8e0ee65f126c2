"""How far files and tasks are: a bar each, with numbers beside it.

It must not know what else is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.cli.live.bars import bar
from runner.cli.live.signs import Sign, Signs
from runner.cli.live.spans import Row, cells, cut_row, wrap
from runner.cli.live.view import Flow, Tasks, View
from runner.frozen import dataclass
from runner.report.as_text import format_bytes, format_rate, format_seconds

LABEL_CELLS = 7
_LEAST_BAR, _MOST_BAR = 10, 60
_GAP = 2
_COUNT, _SIZE, _RATE, _LEFT = range(4)
# So that bars do not grow and shrink with each number.
_LEAST_CELLS = {_COUNT: 12, _SIZE: 8, _RATE: 10, _LEFT: 12}
# What gives way first where there is no room for a bar.
_GIVE_WAY = (_SIZE, _RATE, _LEFT, _COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A name, the parts of a bar, and beside it how many, how much, how fast and how long yet."""

    label: str
    parts: tuple[tuple[float, Sign], ...]
    fields: tuple[str, str, str, str]


def number_rows(view: View, signs: Signs, width: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows for what goes up, what comes down, and the tasks; bars and numbers in line."""
    lines = [
        None if view.up is None else _flow("up", view.up, signs),
        None if view.down is None else _flow("down", view.down, signs),
        _tasks(view.tasks, signs),
    ]
    bar_cells, columns = _measure([line for line in lines if line is not None], width)
    rows = [[] if line is None else [_row(line, bar_cells, columns, width)] for line in lines]
    return rows[0], rows[1], rows[2]


def count_rows(tasks: Tasks, signs: Signs, width: int) -> list[Row]:
    """The tasks by how they stand, each with the sign that it has in the bar."""
    counts = (
        (signs.succeeded, tasks.succeeded, "succeeded"),
        (signs.failed, tasks.failed, "failed"),
        *((signs.failed, count, words) for count, words in tasks.consequences),
        (signs.coming_home, tasks.coming_home, "coming home"),
        (signs.running, tasks.running, "running"),
        (signs.waiting, tasks.waiting, "waiting"),
    )
    pieces: list[Row] = [
        ((sign, style), (f" {count:,} {words}", "bold red" if words == "failed" else ""))
        for (sign, style), count, words in counts
        if count or words in {"succeeded", "running"}
    ]
    if tasks.retried:
        pieces.append(((f"{tasks.retried:,} run again", "yellow"),))
    return [
        ((" " * LABEL_CELLS, ""), *row) for row in wrap(pieces, "   ", max(1, width - LABEL_CELLS))
    ]


def _flow(label: str, flow: Flow, signs: Signs) -> Line:
    count = f"{flow.files:,}"
    if flow.all_files is not None:
        about = "~" if flow.is_guess else ""
        count = f"{count}/{about}{flow.all_files:,}"
    words = "file" if (flow.all_files or flow.files) == 1 else "files"
    done, everything = _share(flow)
    return Line(
        label=label,
        parts=((done, signs.succeeded), (max(0.0, everything - done), signs.waiting)),
        fields=(
            f"{count} {words}",
            format_bytes(flow.bytes),
            "" if flow.rate is None else f"{format_bytes(round(flow.rate))}/s",
            _left(flow.left),
        ),
    )


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f"{format_seconds(max(1.0, seconds), is_whole=True)} left"


def _share(flow: Flow) -> tuple[float, float]:
    """How much is done of how much: bytes, or where these are not known or none, files."""
    if flow.all_bytes:
        return flow.bytes, flow.all_bytes
    if flow.all_files:
        return flow.files, flow.all_files
    return 0, 1


def _tasks(tasks: Tasks, signs: Signs) -> Line:
    done = tasks.succeeded + tasks.unsuccessful
    is_over = done >= tasks.total
    return Line(
        label="tasks",
        parts=(
            (tasks.succeeded, signs.succeeded),
            (tasks.unsuccessful, signs.failed),
            (tasks.coming_home, signs.coming_home),
            (tasks.running, signs.running),
            (tasks.waiting, signs.waiting),
        ),
        fields=(
            f"{done:,}/{tasks.total:,} {'task' if tasks.total == 1 else 'tasks'}",
            "",
            "" if is_over else format_rate(tasks.rate) if tasks.rate else signs.unknown,
            "" if is_over else _left(tasks.left) or signs.unknown,
        ),
    )


def _measure(lines: Sequence[Line], width: int) -> tuple[int, dict[int, int]]:
    """How wide bars are, and each column beside them: as many as leave room for a bar."""
    columns = {
        at: max(least, *(cells(line.fields[at]) for line in lines))
        for at, least in _LEAST_CELLS.items()
    }
    for at in _GIVE_WAY:
        room = width - LABEL_CELLS - sum(columns.values()) - _GAP * len(columns)
        if room >= _LEAST_BAR:
            return min(room, _MOST_BAR), columns
        del columns[at]
    return max(0, min(width - LABEL_CELLS, _MOST_BAR)), columns


def _row(line: Line, bar_cells: int, columns: dict[int, int], width: int) -> Row:
    # Numbers end under one another, and what is counted stands beside its bar.
    fields = "".join(
        " " * _GAP + (line.fields[at].ljust(size) if at == _COUNT else line.fields[at].rjust(size))
        for at, size in sorted(columns.items())
    )
    row: Row = (
        (f"{line.label:<{LABEL_CELLS}}", "bold"),
        *bar(line.parts, bar_cells),
        (fields.rstrip(), ""),
    )
    return cut_row(row, width)
