"""Times as a spec writes them: `90s`, `30m`, `24h`, `7d`, `1h30m`.

It knows nothing of what they bound.
"""

from __future__ import annotations

import re
from datetime import timedelta

# The same expression stands in the schema; six digits keep the sum within a `timedelta`.
_DURATION = re.compile(
    r"(?=[0-9])(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?$"
)


def parse_duration(text: str) -> timedelta:
    """The time that the text stands for. Raises `ValueError` where it is none."""
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(f"not a time such as `90s`, `30m`, `24h`, `7d` or `1h30m`: `{text}`")
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def write_duration(time: timedelta) -> str:
    """The time as a spec would write it, to the second: `1h30m`."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
