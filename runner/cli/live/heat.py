"""The heat map of a pool: a cell a node, or for large pools a cell for several, and a legend.

It must not know what else is shown.
"""

from __future__ import annotations

from collections import Counter

from runner.cli.live.signs import Sign, Signs, describe_state, severity
from runner.cli.live.spans import Row, cells, cut, wrap
from runner.cli.live.view import Node, Pool
from runner.report.as_text import plural, printable, shorten_node

_LEAST_NAME = 8
# The sign, and what parts it, the name, the slots and the state from one another.
_GAPS = 6
_MOST_PIPS = 16


def shown_state(node: Node) -> str:
    """Its state; that it runs tasks is known sooner than that it says so."""
    return "running" if node.busy and node.state == "idle" else node.state


def describe_pool(pool: Pool, group: int = 1) -> str:
    """How many nodes there are and are wanted, and how busy they are."""
    there = len(pool.nodes)
    of = f" of {pool.target:,}" if pool.target is not None and pool.target != there else ""
    parts = [f"{there:,}{of} {'node' if there == 1 and not of else 'nodes'}"]
    busy = sum(node.busy for node in pool.nodes)
    if pool.slots is not None and there:
        parts.append(f"{busy:,} of {plural(there * pool.slots, 'slot')} busy")
    elif busy:
        parts.append(f"{plural(busy, 'slot')} busy")
    if pool.is_resizing:
        parts.append("resizing")
    if group > 1:
        parts.append(f"a cell is {group} nodes: the worst of them")
    return ", ".join(parts)


def legend(pool: Pool, signs: Signs, width: int) -> list[Row]:
    """The signs that occur, with how many nodes have them, the worst first."""
    counts = Counter(map(shown_state, pool.nodes))
    pieces: list[Row] = []
    for state, count in sorted(counts.items(), key=lambda each: (severity(each[0]), each[0])):
        sign, style = signs.state(state)
        pieces.append(((sign, style), (f" {printable(describe_state(state))} {count:,}", "")))
    return wrap(pieces, "   ", width)


def grid_rows(pool: Pool, width: int) -> int:
    """How many rows a grid has where each node has its cell, and room beside it."""
    per_row = max(1, width // 2)
    return -(-len(pool.nodes) // per_row)


def group_size(pool: Pool, width: int, rows: int) -> int:
    """How many nodes a cell has to stand for, so that all fit into so many rows."""
    return max(1, -(-len(pool.nodes) // max(1, width * rows)))


def grid(pool: Pool, signs: Signs, width: int, rows: int) -> list[Row]:
    """A cell a node, with room between them where there is enough of it."""
    if not pool.nodes or rows < 1 or width < 1:
        return []
    group = group_size(pool, width, rows)
    found = [
        min((_cell(each, pool, signs) for each in pool.nodes[start : start + group]), key=_worst)[1]
        for start in range(0, len(pool.nodes), group)
    ]
    is_loose = len(found) <= rows * (width // 2)
    per_row = max(1, width // 2 if is_loose else width)
    return [
        _merge(found[start : start + per_row], " " if is_loose else "")
        for start in range(0, len(found), per_row)
    ]


def listing(pool: Pool, signs: Signs, width: int) -> list[Row]:
    """A line a node: its sign, its name, its slots, its state."""
    names = [printable(node.id) for node in pool.nodes]
    longest = max(map(cells, names), default=0)
    slots = pool.slots or 0
    pips = min(slots, _MOST_PIPS) if slots > 1 else 0
    words = max(
        (cells(printable(describe_state(shown_state(each)))) for each in pool.nodes), default=0
    )
    beside = _GAPS + words + (pips + 2 * len(str(slots)) + _GAPS if pips else 0)
    name_cells = max(_LEAST_NAME, width - beside)
    if longest > name_cells:
        names = [shorten_node(name) for name in names]
        longest = max(map(cells, names), default=0)
    name_cells = min(longest, name_cells)
    rows: list[Row] = []
    for node, whole in zip(pool.nodes, names, strict=True):
        _, (sign, style) = _cell(node, pool, signs)
        name = cut(whole, name_cells, signs.cut)
        row: list[tuple[str, str]] = [
            (sign, style),
            (f" {name}{' ' * (name_cells - cells(name))}  ", ""),
        ]
        if pips:
            full = -(-node.busy * pips // slots)
            row.append((signs.succeeded[0] * full, "green"))
            row.append((signs.free * (pips - full), "dim"))
            row.append((f"  {node.busy}/{slots}", ""))
        row.append((f"  {printable(describe_state(shown_state(node)))}", style))
        rows.append(tuple(row))
    return rows


def _cell(node: Node, pool: Pool, signs: Signs) -> tuple[int, Sign]:
    """How bad it is, and its sign: of a node that runs tasks, how busy it is."""
    state = shown_state(node)
    sign, style = signs.state(state)
    if state == "running" and pool.slots is not None and pool.slots > 1:
        level = node.busy * len(signs.busy) // pool.slots
        sign = signs.busy[min(max(level - 1, 0), len(signs.busy) - 1)]
    return severity(state), (sign, style)


def _worst(cell: tuple[int, Sign]) -> int:
    return cell[0]


def _merge(found: list[Sign], between: str) -> Row:
    """One piece for neighbours of one style."""
    spans: list[tuple[str, str]] = []
    for sign, style in found:
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + between + sign, style)
        else:
            if spans:
                spans[-1] = (spans[-1][0] + between, spans[-1][1])
            spans.append((sign, style))
    return tuple(spans)
