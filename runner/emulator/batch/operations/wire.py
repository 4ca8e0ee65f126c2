"""Times, durations and ETags as Batch writes them.

It must not know which properties hold them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import lru_cache

UNLIMITED = "P10675199DT2H48M5.4775807S"
"""The longest time the service can write: no limit."""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TICKS_AT_UNIX_EPOCH = 621_355_968_000_000_000
_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>\d{1,18})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,18})H)?(?:(?P<minutes>\d{1,18})M)?"
    r"(?:(?P<seconds>\d{1,18}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:\d\d)?",
    re.IGNORECASE | re.ASCII,
)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_LONGEST = timedelta(days=10_675_199)
# Beyond it a limit has no meaning, and its end may have no date.
_LONGEST_LIMIT = timedelta(days=100_000)


def format_moment(moment: datetime) -> str:
    """Seven digits of a second, in UTC; the service leaves trailing zeros out."""
    # Not by `strftime`, which takes four times as long: a page of tasks has thousands of moments.
    text = moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return f"{text[:26].rstrip('0').rstrip('.')}Z"


def format_full_moment(moment: datetime) -> str:
    """All seven digits, as error messages have them."""
    text = moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return f"{text[:26]}0Z"


def parse_moment(text: str) -> datetime | None:
    """The moment that a text names, in UTC, which is its zone where it names none.

    None where it is not one, or has no date in UTC: before the year 1, after 9999.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    day, time, seconds, fraction, zone = match.groups()
    zone = "+00:00" if zone is None or zone.upper() == "Z" else zone
    micro = (fraction or "").ljust(6, "0")[:6]
    try:
        moment = datetime.fromisoformat(f"{day}T{time or '00:00'}:{seconds or '00'}.{micro}{zone}")
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def parse_whole(text: str) -> int | None:
    """The number that a parameter or header gives; None where it is no integer of up to 18 digits.

    Not by `int` alone, which takes the digits of all scripts, and underscores between them.
    """
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def http_date(moment: datetime) -> str:
    """The form of `Date` and `Last-Modified`."""
    return format_datetime(moment.astimezone(timezone.utc), usegmt=True)


def etag_of(modified: datetime) -> str:
    """The time of the last change in ticks of 100 ns, without the quotes, as the service does."""
    microseconds = (modified - _UNIX_EPOCH) // timedelta(microseconds=1)
    return f"0x{_TICKS_AT_UNIX_EPOCH + microseconds * 10:X}"


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
