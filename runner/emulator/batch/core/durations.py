"""Durations as Batch writes them, which stand in what clients declare.

It must not know which properties hold them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

UNLIMITED = "P10675199DT2H48M5.4775807S"
"""The longest time the service can write: no limit."""

_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>\d{1,18})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,18})H)?(?:(?P<minutes>\d{1,18})M)?"
    r"(?:(?P<seconds>\d{1,18}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_LONGEST = timedelta(days=10_675_199)
# Beyond it a limit has no meaning, and its end may have no date.
_LONGEST_LIMIT = timedelta(days=100_000)


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> timedelta | None:
    """An ISO 8601 duration in days and smaller; None where it is not one."""
    match = _DURATION.fullmatch(text)
    if match is None or text in ("P", "-P"):
        return None
    try:
        length = timedelta(
            days=int(match["days"] or 0),
            hours=int(match["hours"] or 0),
            minutes=int(match["minutes"] or 0),
            seconds=float(match["seconds"] or 0),
        )
    except OverflowError:
        return None
    return -length if match["sign"] else length


def format_duration(length: timedelta) -> str:
    """The service's own form of a duration: `PT90M` comes back as `PT1H30M`."""
    if length >= _LONGEST:
        return UNLIMITED
    sign = "-" if length < timedelta() else ""
    length = abs(length)
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{length.microseconds:06d}".rstrip("0") if length.microseconds else ""
    time = f"{hours}H" if hours else ""
    time += f"{minutes}M" if minutes else ""
    time += f"{seconds}{fraction}S" if seconds or fraction else ""
    days = f"{length.days}D" if length.days else ""
    if not days and not time:
        return "PT0S"
    return f"{sign}P{days}" + (f"T{time}" if time else "")


def limit_of(text: str) -> timedelta | None:
    """A checked duration as a limit: None where it is unlimited."""
    length = parse_duration(text)
    return None if length is None or length >= _LONGEST_LIMIT else length
