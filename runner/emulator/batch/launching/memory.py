"""How much memory a machine of a size has, by what its series has for each core.

It must not know whether a node is held to it. Source: "Sizes for virtual machines in Azure".
"""

from __future__ import annotations

import re

from runner.emulator.batch.core.cores import cores_of

_GIB = 1 << 30
_NAME = re.compile(
    r"standard_(?P<family>[a-z]+)(?P<number>\d+)(?:-\d+)?(?P<traits>[a-z]*)"
    r"(?:_(?!v\d+$)(?P<accelerator>[a-z]+\d+[a-z]*))?(?:_v(?P<version>\d+))?",
    re.IGNORECASE,
)
# Whose sizes have names that tell, or where no rule would.
_KNOWN_GIB = {
    **{f"standard_a{n}_v2": 2.0 * n for n in (1, 2, 4, 8)},
    **{f"standard_a{n}m_v2": 8.0 * n for n in (2, 4, 8)},
    "standard_b1ls": 0.5,
    "standard_b1s": 1.0,
    "standard_b1ms": 2.0,
    "standard_b2s": 4.0,
    **{f"standard_b{n}ms": 4.0 * n for n in (2, 4, 8, 12, 16, 20)},
    **{f"standard_b2{trait}ts_v2": 1.0 for trait in ("", "a", "p")},
    **{f"standard_e64{traits}_v3": 432.0 for traits in ("", "i", "s", "is")},
    **{f"standard_e64{traits}_v4": 504.0 for traits in ("", "s", "d", "ds")},
    **{
        f"standard_e{n}{traits}_v5": 672.0
        for n in (96, 104)
        for traits in ("", "s", "d", "ds", "as", "ads", "bs", "bds", "i", "is", "id", "ids")
    },
    **{f"standard_e96{traits}_v4": 672.0 for traits in ("a", "as")},
}
_OLD_D = {1: 3.5, 2: 7, 3: 14, 4: 28, 5: 56, 11: 14, 12: 28, 13: 56, 14: 112, 15: 140}
_OLD = re.compile(r"standard_ds?(?P<number>\d+)_v2")
_PER_CORE = {"d": 4.0, "dc": 4.0, "e": 8.0, "ec": 8.0, "f": 2.0, "fx": 21.0, "l": 8.0, "b": 4.0}


def memory_of(vm_size: str) -> int | None:
    """The bytes of memory of a size, None where its name does not tell."""
    gib = _gib_of(vm_size.lower())
    return None if gib is None else int(gib * _GIB)


def _gib_of(size: str) -> float | None:
    known = _KNOWN_GIB.get(size)
    if known is not None:
        return known
    old = _OLD.fullmatch(size)
    if old is not None:
        return _OLD_D.get(int(old["number"]))
    match = _NAME.fullmatch(size)
    if match is None or match["accelerator"] or cores_of(size) is None:
        return None
    version = int(match["version"] or 1)
    family = match["family"]
    per_core = _PER_CORE.get(family)
    if per_core is None or (family in {"d", "e", "b", "l", "dc", "ec"} and version == 1):
        return None
    if family == "dc" and version < 4:
        return None
    if family == "f" and version >= 6:
        per_core = {"l": 2.0, "m": 8.0}.get(_sized(match["traits"]), 4.0)
    elif family in {"d", "b"} and "l" in match["traits"]:
        per_core = 2.0
    # By the full number: fewer cores in use (`E8-4s`) leave the memory as it is.
    return per_core * int(match["number"])


def _sized(traits: str) -> str:
    return next((letter for letter in traits if letter in "lm"), "")
