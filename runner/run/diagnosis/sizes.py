"""What the name of a VM size tells: its cores, its processor, the generations it can start.

Source: "Azure VM sizes naming conventions" and "Support for generation 2 VMs on Azure". It must not
know where a size is sold, nor prices; what a name does not tell is None.
"""

from __future__ import annotations

import re

from runner.frozen import dataclass

_NAME = re.compile(
    r"(?P<tier>standard|basic)_(?P<family>[a-z]{1,3})(?P<number>\d+)(?:-(?P<enabled>\d+))?"
    r"(?P<features>[a-z]*)(?:_(?P<accelerator>(?!v\d)[a-z]+\d*[a-z]*))?(?:_v(?P<version>\d{1,2}))?"
    r"(?:_promo)?",
    re.IGNORECASE,
)
# Of the oldest families the number says which one it is, and not how large.
_OLD_A = {0: 1, 1: 1, 2: 2, 3: 4, 4: 8, 5: 2, 6: 4, 7: 8, 8: 8, 9: 16, 10: 8, 11: 16}
_OLD_D = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 11: 2, 12: 4, 13: 8, 14: 16, 15: 20}
_OLD_G = {1: 2, 2: 4, 3: 8, 4: 16, 5: 32}
_FIRST_ONLY = {("d", 1), ("d", 2), ("d", 3), ("e", 3), ("a", 1), ("a", 2), ("f", 1), ("g", 1)}
"""Families and versions without premium disks, which start images of the first generation alone."""
_NEWEST = 6
"""From this version on, families of general use start images of the second generation alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VmSize:
    """What a name says; `family` is as quotas are counted by it: letters and version."""

    name: str
    family: str
    cores: int | None
    is_arm: bool
    generations: frozenset[int] | None


def read_vm_size(name: str) -> VmSize | None:
    """What the name of a size tells; None where it is not formed as such names are."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    letters, features = match["family"].lower(), match["features"].lower()
    version, number = int(match["version"] or 1), int(match["number"])
    base, premium = letters, "s" in features
    if base in {"ds", "gs"}:  # as in DS2_v2, the premium disks stand before the number
        base, premium = base[0], True
    is_arm = "p" in features
    accelerator = (match["accelerator"] or "").lower()
    return VmSize(
        name=name,
        family=letters + features + accelerator + (f"v{version}" if match["version"] else ""),
        cores=_cores(base, version, number, match["enabled"]),
        is_arm=is_arm,
        generations=_generations(base, version, premium=premium, is_arm=is_arm),
    )


def _cores(base: str, version: int, number: int, enabled: str | None) -> int | None:
    if enabled is not None:
        return int(enabled)
    if base == "a" and version == 1:
        return _OLD_A.get(number)
    if base == "d" and version <= 2:
        return _OLD_D.get(number)
    if base == "g":
        return _OLD_G.get(number)
    return number or None


def _generations(base: str, version: int, *, premium: bool, is_arm: bool) -> frozenset[int] | None:
    if is_arm:
        return frozenset({2})
    if not premium and (base, version) in _FIRST_ONLY:
        return frozenset({1})
    if base == "dc" and version >= 2:
        return frozenset({2})
    if base in {"d", "e", "f"}:
        return frozenset({2}) if version >= _NEWEST else frozenset({1, 2}) if premium else None
    return None


def suggest_vm_size(name: str) -> str | None:
    """What was probably meant by a name that is not formed as those of sizes are."""
    text = re.sub(r"[\s_-]+", "_", name.strip())
    text = re.sub(r"_?v(\d+)$", r"_v\1", text, flags=re.IGNORECASE)
    retiered = re.sub(r"^[a-z]+_", "Standard_", text, flags=re.IGNORECASE)
    candidates = (text, f"Standard_{text}", retiered)
    return next((each for each in candidates if read_vm_size(each) is not None), None)
