"""Bars of several parts, in whole cells.

It must not know what the parts are.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.cli.live.signs import Sign
from runner.cli.live.spans import Row


def bar(parts: Sequence[tuple[float, Sign]], width: int) -> Row:
    """The parts by their sizes in so many cells; of what there is, each has one at least."""
    total = sum(size for size, _ in parts)
    if not total or width < 1:
        sign, style = parts[-1][1]
        return ((sign * max(0, width), style),)
    exact = [size * width / total for size, _ in parts]
    counts = [max(int(each), 1 if each > 0 else 0) for each in exact]
    while sum(counts) > width:
        largest = max(range(len(counts)), key=lambda number: counts[number] - exact[number])
        if counts[largest] <= 1:
            largest = max(range(len(counts)), key=counts.__getitem__)
        counts[largest] -= 1
    while sum(counts) < width:
        missing = max(range(len(counts)), key=lambda number: exact[number] - counts[number])
        counts[missing] += 1
    return tuple(
        (sign * count, style)
        for count, (_, (sign, style)) in zip(counts, parts, strict=True)
        if count
    )
