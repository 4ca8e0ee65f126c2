"""Times, numbers and ETags as Batch writes them.

It must not know which properties hold them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import lru_cache

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)
_TICKS_AT_UNIX_EPOCH = 621_355_968_000_000_000
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:\d\d)?",
    re.IGNORECASE | re.ASCII,
)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def format_moment(moment: datetime) -> str:
    """Seven digits of a second, in UTC; the service leaves trailing zeros out."""
    # Not by `strftime`, which takes four times as long: a page of tasks has thousands of moments.
    text = moment.astimezone(timezone.utc).isoformat()
    return f"{text[:26].rstrip('0')}Z" if moment.microsecond else f"{text[:19]}Z"


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


@lru_cache(maxsize=64)
def _http_date(seconds: int) -> str:
    return format_datetime(_UNIX_EPOCH + timedelta(seconds=seconds), usegmt=True)


def http_date(moment: datetime) -> str:
    """The form of `Date` and `Last-Modified`."""
    return _http_date((moment - _UNIX_EPOCH) // _SECOND)


def etag_of(modified: datetime) -> str:
    """The time of the last change in ticks of 100 ns, without the quotes, as the service does."""
    microseconds = (modified - _UNIX_EPOCH) // _MICROSECOND
    return f"0x{_TICKS_AT_UNIX_EPOCH + microseconds * 10:X}"
