"""Hints that name what could have been meant.

It knows only strings.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_MOST_LISTED = 20
_LONGEST_COMPARED = 100
_MOST_COMPARED = 1_000


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant, if one is close."""
    compared = islice(candidates, _MOST_COMPARED)
    by_lower = {candidate.lower(): candidate for candidate in compared}
    close = get_close_matches(name.lower()[:_LONGEST_COMPARED], by_lower, n=1)
    return by_lower[close[0]] if close else None


def suggest(name: str, candidates: Iterable[str], *, label: str = "allowed") -> str:
    """`did you mean ...?` where one candidate is close, then what there is."""
    known = list(candidates)
    listed = ", ".join(f"`{candidate}`" for candidate in known[:_MOST_LISTED]) or "none"
    more = ", ..." if len(known) > _MOST_LISTED else ""
    meant = closest(name, known)
    return f"{f'did you mean `{meant}`? ' if meant else ''}{label}: {listed}{more}"


def shorten(text: str, most: int = 60) -> str:
    """The text in one line of at most `most` characters, for use in a message."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
