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
