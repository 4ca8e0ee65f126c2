"""What is raised where a closed set has no more cases.

It is here and not taken from `typing_extensions`, which takes longer to import than most packages
of the emulator. It must not know any set.
"""

from __future__ import annotations

from typing import NoReturn


def unforeseen(value: NoReturn) -> AssertionError:
    """To be raised; type checkers refuse it where there may be a value after all."""
    return AssertionError(f"no case for {value!r}")
