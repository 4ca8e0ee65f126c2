"""Picks one page out of sorted names: prefix, delimiter, marker and size.

It must not know what the names stand for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from runner.emulator.storage.record import record

_LAST = chr(0x10FFFF)


@record(frozen=True, slots=True, kw_only=True)
class Page:
    """Names and common prefixes in order; where the next page starts, or None."""

    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    next_name: str | None


def list_page(
    names: Sequence[str], *, prefix: str, delimiter: str, start: str, maximum: int
) -> Page:
    """One page of `names`, which are sorted; `start` is a page's `next_name`, or empty.

    Its cost grows with the page and not with the number of names.
    """
    found: list[str] = []
    prefixes: list[str] = []
    position = bisect_left(names, max(prefix, start))
    end = end_of_prefix(names, prefix, position)
    while position < end and len(found) + len(prefixes) < maximum:
        name = names[position]
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        if cut < 0:
            found.append(name)
            position += 1
        else:
            common = name[: cut + len(delimiter)]
            prefixes.append(common)
            position = end_of_prefix(names, common, position)
    return Page(
        names=tuple(found),
        prefixes=tuple(prefixes),
        next_name=names[position] if position < end else None,
    )


def end_of_prefix(names: Sequence[str], prefix: str, low: int) -> int:
    """The position after the last name that starts with `prefix`."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return len(names)
    return bisect_left(names, stem[:-1] + chr(ord(stem[-1]) + 1), low)
