"""How many cores a machine of a size has, which its name tells.

It must not know prices, nor where a size is sold. Source: "Sizes for virtual machines in Azure".
"""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(?:standard|basic)_(?P<family>[a-z]+)(?P<number>\d+)(?:-(?P<enabled>\d+))?", re.IGNORECASE
)
# Of the oldest families the number says which one it is, and not how large.
_NUMBERED = {
    **dict.fromkeys(("standard_a0", "basic_a0", "standard_a1", "basic_a1"), 1),
    **dict.fromkeys(("standard_a2", "basic_a2", "standard_a5"), 2),
    **dict.fromkeys(("standard_a3", "basic_a3", "standard_a6"), 4),
    **dict.fromkeys(("standard_a4", "basic_a4", "standard_a7", "standard_a8"), 8),
    "standard_a9": 16,
    "standard_a10": 8,
    "standard_a11": 16,
}
_OLD_SERIES = re.compile(r"standard_(?P<family>ds?|gs?)(?P<number>\d+)(?:_v2)?", re.IGNORECASE)
_OLD_D = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 11: 2, 12: 4, 13: 8, 14: 16, 15: 20}
_OLD_G = {1: 2, 2: 4, 3: 8, 4: 16, 5: 32}
_CLOUD_SERVICE = {"small": 1, "medium": 2, "large": 4, "extralarge": 8}


def cores_of(vm_size: str) -> int | None:
    """The cores of a size, None where its name tells nothing."""
    size = vm_size.lower()
    known = _NUMBERED.get(size) or _CLOUD_SERVICE.get(size)
    if known is not None:
        return known
    old = _OLD_SERIES.fullmatch(size)
    if old is not None:
        series = _OLD_D if old["family"].startswith("d") else _OLD_G
        return series.get(int(old["number"]))
    match = _NAME.match(size)
    if match is None:
        return None
    return int(match["enabled"] or match["number"]) or None
