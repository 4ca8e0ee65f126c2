"""What tasks leave for those that need them, as one digest each, and of ranges of tasks.

It must not know how that became known.
"""

from __future__ import annotations

import hashlib

from runner.plan.identity import DIGEST_BYTES
from runner.plan.model import TaskRange


class Products:
    """The digests of what tasks leave, by their numbers from 1."""

    def __init__(self, total: int) -> None:
        self._digests = bytearray((total + 1) * DIGEST_BYTES)
        self._is_known = bytearray(total + 1)
        self._last: tuple[tuple[TaskRange, ...], bytes] | None = None

    def put(self, number: int, digest: bytes) -> None:
        """What a task leaves is known."""
        self._digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES] = digest
        self._is_known[number] = 1
        self._last = None

    def first_unknown(self, needs: tuple[TaskRange, ...]) -> int | None:
        """The first task of some ranges of which it is not known what it leaves."""
        for need in needs:
            found = self._is_known.find(0, need.first, need.last + 1)
            if found >= 0:
                return found
        return None

    def of(self, needs: tuple[TaskRange, ...]) -> bytes | None:
        """One digest for all tasks of some ranges; None where one of them is not known."""
        if self._last is not None and self._last[0] == needs:
            return self._last[1]  # tasks of one step often need the same: all of another
        if self.first_unknown(needs) is not None:
            return None
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for need in needs:
            digest.update(self._digests[need.first * DIGEST_BYTES : (need.last + 1) * DIGEST_BYTES])
        self._last = (needs, digest.digest())
        return self._last[1]
