"""The view laid out for a window: what fits, the most important first.

It must not know how a terminal is drawn on, nor look at anything but the view.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.cli.live.heat import describe_pool, grid, grid_rows, group_size, legend, listing
from runner.cli.live.numbers import LABEL_CELLS, count_rows, number_rows
from runner.cli.live.signs import Signs
from runner.cli.live.spans import BLANK, Row, beside, cut, cut_row, join, row_cells, spread
from runner.cli.live.view import View
from runner.frozen import dataclass
from runner.plan.prices.node_price import write_amount
from runner.report.activity import Phase, Stand
from runner.report.as_text import format_seconds, printable, shorten_node
from runner.report.cost import Cost

WIDE_CELLS = 120
"""From so many cells on there are two columns."""
WIDE_ROWS = 30
_COLUMN_GAP = 4
_ERRORS_SHOWN = 2
_SMALL_ROWS = 12
_LINES_ABOVE = 4
_LISTED_NODES = 8
_HALF = 2
_STEP_GAP = 3
_POOL, _LEGEND = 7, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some rows, and how much they matter: the least goes last."""

    rank: int
    rows: Sequence[Row]
    more: int = 0
    """So many rows more are worth nothing less."""


def running_shown(width: int, height: int) -> int:
    """How many of the tasks that run there is room for at most."""
    return height if width >= WIDE_CELLS and height >= WIDE_ROWS else 0


def lay_out(view: View, *, width: int, height: int, signs: Signs) -> list[Row]:
    """Rows that take no more than `width` cells each, and leave some of the window to the lines
    above, but in the smallest ones.
    """
    if width < 1 or height < 1:
        return []
    most = height - 1 if height <= _SMALL_ROWS else height - max(_LINES_ABOVE, height // 4)
    rows = (_wide if running_shown(width, height) else _narrow)(view, width, max(1, most), signs)
    return [cut_row(row, width, signs.cut) for row in rows]


def _narrow(view: View, width: int, most: int, signs: Signs) -> list[Row]:
    up, down, tasks = number_rows(view, signs, width)
    parts = [
        # Apart from the lines above.
        _Part(rank=12, rows=[BLANK]),
        _Part(rank=0, rows=[_head(view, signs, width)]),
        _Part(rank=3, rows=[_phases(view, signs, width)]),
        _Part(rank=10, rows=[BLANK]),
        _Part(rank=4, rows=up),
        _Part(rank=5, rows=down),
        _Part(rank=1, rows=tasks),
        _Part(rank=6, rows=count_rows(view.tasks, signs, width)),
        _Part(rank=2, rows=_alarms(view, signs, width)),
    ]
    return _with_pool(parts, view, width, most, signs, listed=_LISTED_NODES)


def _wide(view: View, width: int, most: int, signs: Signs) -> list[Row]:
    """Numbers and what runs at the left, the pool at the right."""
    top = [BLANK, _head(view, signs, width), _phases(view, signs, width), BLANK]
    top.extend(_alarms(view, signs, width))
    half = (width - _COLUMN_GAP) // _HALF
    most -= len(top)
    up, down, tasks = number_rows(view, signs, half)
    left = [*up, *down, *tasks, *count_rows(view.tasks, signs, half)]
    left.extend(_running(view, signs, half, most - len(left) - 2))
    right = _with_pool([], view, width - half - _COLUMN_GAP, most, signs, listed=most)
    return [*top, *beside(left[:most], right[:most], half, _COLUMN_GAP)]


def _with_pool(
    parts: list[_Part], view: View, width: int, most: int, signs: Signs, *, listed: int
) -> list[Row]:
    """The parts that fit, and under them the pool in the room that is left."""
    pool, inner = view.pool, max(1, width - LABEL_CELLS)
    if pool.nodes or pool.target:
        words = legend(pool, signs, inner)
        if parts:
            parts.append(_Part(rank=11, rows=[BLANK]))
        head: Row = ((f"{'pool':<{LABEL_CELLS}}", "bold"), (describe_pool(pool), ""))
        parts.append(_Part(rank=_POOL, rows=[head], more=bool(pool.nodes)))
        parts.append(_Part(rank=_LEGEND, rows=[_indent(row) for row in words]))
    kept = _choose(parts, most)
    rows = [row for part in kept for row in part.rows]
    left = most - len(rows)
    if not pool.nodes or left < 1 or not any(part.rank == 7 for part in kept):
        return rows
    has_legend = bool(kept) and kept[-1].rank == 9
    end = len(rows) - (len(kept[-1].rows) if has_legend else 0)
    if len(pool.nodes) <= min(listed, left):
        # Each line says what its sign means.
        return [*rows[:end], *map(_indent, listing(pool, signs, inner))]
    height = min(left, grid_rows(pool, inner))
    group = group_size(pool, inner, height)
    if group > 1:
        rows[end - 1] = (rows[end - 1][0], (describe_pool(pool, group), ""))
    return [*rows[:end], *map(_indent, grid(pool, signs, inner, height)), *rows[end:]]


def _choose(parts: Sequence[_Part], most: int) -> list[_Part]:
    """Those that fit together, in their order: whatever matters less gives way."""
    kept: set[int] = set()
    left = most
    for at in sorted(range(len(parts)), key=lambda at: parts[at].rank):
        size = len(parts[at].rows) + parts[at].more
        if size and size <= left:
            kept.add(at)
            left -= size
    return [part for at, part in enumerate(parts) if at in kept]


def _head(view: View, signs: Signs, width: int) -> Row:
    left: Row = (
        (printable(view.run), "bold"),
        (f" {signs.dot} {view.target}" if view.target else "", "dim"),
    )
    right: Row = ((format_seconds(view.seconds, is_whole=True), "bold"),)
    spent = "" if view.cost is None else _cost(view.cost)
    priced: Row = ((printable(spent), ""), (f" {signs.dot} ", "dim"), *right)
    if spent and row_cells(left) + row_cells(priced) < width:
        right = priced
    return spread(left, right, width, signs.cut)


def _cost(cost: Cost) -> str:
    """What the nodes have cost so far; empty where nobody knows, or nothing was there yet."""
    amount = cost.on_azure if cost.is_local else cost.amount
    if amount is None or cost.currency is None or not cost.node_hours:
        return ""
    return f"about {write_amount(amount, cost.currency)}{' on Azure' if cost.is_local else ''}"


def _phases(view: View, signs: Signs, width: int) -> Row:
    pieces: list[Row] = []
    for phase, stand in view.phases.items():
        sign, style = signs.stands[stand]
        words = "bold" if stand is Stand.NOW else "dim" if stand is Stand.TO_COME else ""
        pieces.append(((sign, style), (f" {phase.value}", words)))
    row = join(pieces, "   ")
    if row_cells(row) > width:
        pieces = [
            (piece[0], (f" {_SHORT[phase]}", piece[1][1]))
            for phase, piece in zip(view.phases, pieces, strict=True)
        ]
        row = join(pieces, " ")
    step = _written(view.step, signs)
    room = width - row_cells(row) - _STEP_GAP
    return spread(row, ((cut(step, room, signs.cut), "dim"),) if step and room > 0 else (), width)


_SHORT = {
    Phase.INPUTS: "in",
    Phase.POOL: "pool",
    Phase.TASKS: "tasks",
    Phase.OUTPUTS: "out",
    Phase.CLEANUP: "end",
}


def _alarms(view: View, signs: Signs, width: int) -> list[Row]:
    """What is waited for, and what the pool could not do."""
    errors = view.pool.errors[:_ERRORS_SHOWN]
    words = [*view.troubles, *(f"pool: {error}" for error in errors)]
    sign, style = signs.alarm
    return [
        ((f"{sign} ", style), (cut(_written(each, signs), width - 2, signs.cut), "red"))
        for each in words
    ]


def _running(view: View, signs: Signs, width: int, most: int) -> list[Row]:
    """The tasks that run longest, with their nodes."""
    if not view.running or most < 1:
        return []
    shown = view.running[:most]
    more = view.tasks.running - len(shown)
    words = "running" + (f", the longest of {view.tasks.running:,}" if more > 0 else "")
    rows: list[Row] = [BLANK, ((words, "bold"),)]
    for each in shown:
        time = "" if each.seconds is None else format_seconds(each.seconds, is_whole=True)
        node = cut(shorten_node(printable(each.node)), max(8, width // 4), signs.cut)
        right: Row = ((f"{node}  ", "dim"), (f"{time:>7}", ""))
        room = width - LABEL_CELLS - row_cells(right) - 1
        left: Row = (
            (f"{each.task:<{LABEL_CELLS - 1}} ", "cyan"),
            (cut(_written(each.item, signs), room, signs.cut), ""),
        )
        rows.append(spread(left, right, width, signs.cut))
    return rows


def _written(text: str, signs: Signs) -> str:
    """The text as this terminal writes it: what is counted in cells is what is seen."""
    shown = printable(text)
    return shown.encode("ascii", "backslashreplace").decode() if signs.is_ascii else shown


def _indent(row: Row) -> Row:
    return ((" " * LABEL_CELLS, ""), *row)
