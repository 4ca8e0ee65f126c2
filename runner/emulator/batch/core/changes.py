"""When what changed last, so that what has changed since a moment is found without a search.

It must not know what a change is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime

from runner.emulator.batch.core.ids import Key


class ChangeIndex:
    """Changes by time; they mostly come in that order.

    What has changed again stays listed at its earlier change too, until `renew`.
    """

    __slots__ = ("_keys", "_moments")

    def __init__(self) -> None:
        self._moments: list[datetime] = []
        self._keys: list[Key] = []

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, moment: datetime, key: Key) -> None:
        """Notes a change."""
        if not self._moments or moment >= self._moments[-1]:
            self._moments.append(moment)
            self._keys.append(key)
        else:
            place = bisect_right(self._moments, moment)
            self._moments.insert(place, moment)
            self._keys.insert(place, key)

    def count_since(self, moment: datetime | None) -> int:
        """How many changes there were at a moment or later; for None, ever."""
        return len(self._keys) - self._start(moment)

    def since(self, moment: datetime | None) -> Sequence[Key]:
        """What has changed then; what changed several times may be there as often."""
        return self._keys[self._start(moment) :]

    def _start(self, moment: datetime | None) -> int:
        return 0 if moment is None else bisect_left(self._moments, moment)

    def renew(self, changes: Iterable[tuple[datetime, Key]]) -> None:
        """Lists these changes and no others."""
        listed = sorted(changes)
        self._moments = [moment for moment, _ in listed]
        self._keys = [key for _, key in listed]
