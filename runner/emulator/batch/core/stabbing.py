"""Ranges of whole numbers, and which of them a number lies in, without a look at the others.

It must not know what the ranges are of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Bounds: TypeAlias = tuple[int, int]
"""Both ends, inclusive; none is negative."""

_Block: TypeAlias = tuple[int, int]
"""The numbers that have one beginning once so many binary digits are cut off: how many, and it."""


class StabbingIndex:
    """Cuts each range into the largest blocks of binary numbers that it holds whole.

    There are at most two of each size; a number is in one block of each size.
    """

    def __init__(self) -> None:
        self._blocks: dict[_Block, dict[Bounds, None]] = {}
        self._sizes: dict[int, int] = {}

    def add(self, bounds: Bounds) -> None:
        """Notes a range that is not there yet."""
        for block in _cut(bounds):
            held = self._blocks.setdefault(block, {})
            if not held:
                self._sizes[block[0]] = self._sizes.get(block[0], 0) + 1
            held[bounds] = None

    def remove(self, bounds: Bounds) -> None:
        """Forgets a range that is there."""
        for block in _cut(bounds):
            held = self._blocks[block]
            del held[bounds]
            if not held:
                del self._blocks[block]
                self._sizes[block[0]] -= 1
                if not self._sizes[block[0]]:
                    del self._sizes[block[0]]

    def around(self, number: int) -> tuple[Bounds, ...]:
        """The ranges that a number lies in."""
        return tuple(
            bounds
            for size in self._sizes
            for bounds in self._blocks.get((size, number >> size), ())
        )


def _cut(bounds: Bounds) -> Iterator[_Block]:
    start, end = bounds
    size = 0
    while start <= end:
        if start & 1:
            yield size, start
            start += 1
        if not end & 1:
            yield size, end
            end -= 1
        start >>= 1
        end >>= 1
        size += 1
