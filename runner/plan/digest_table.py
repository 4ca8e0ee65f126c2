"""Numbers by digest in little memory: sixteen bytes or so for each, however many there are.

It knows nothing of what was digested, nor what the numbers count.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

_LEAST_PLACES = 1024
_KEY_BYTES = 8


class DigestTable:
    """The numbers that were added for each digest, of which it knows the first eight bytes.

    Whoever finds a number has to look whether it is of that digest. Open addressing: the key and
    one more than the number lie side by side, and 0 is a place that is free.
    """

    __slots__ = ("_count", "_keys", "_mask", "_numbers")

    def __init__(self) -> None:
        self._make(_LEAST_PLACES)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, digest: bytes, number: int) -> None:
        """One more number for a digest."""
        if 3 * self._count >= 2 * len(self._keys):
            self._grow()
        self._put(int.from_bytes(digest[:_KEY_BYTES], "little"), number)
        self._count += 1

    def find(self, digest: bytes) -> Iterator[int]:
        """All numbers of digests that begin as this one, in the order of their adding."""
        key = int.from_bytes(digest[:_KEY_BYTES], "little")
        keys, numbers, mask = self._keys, self._numbers, self._mask
        place = key & mask
        while numbers[place]:
            if keys[place] == key:
                yield numbers[place] - 1
            place = (place + 1) & mask

    def _make(self, places: int) -> None:
        self._keys = array("Q", bytes(places * _KEY_BYTES))
        self._numbers = array("Q", bytes(places * _KEY_BYTES))
        self._mask = places - 1

    def _put(self, key: int, number: int) -> None:
        keys, numbers, mask = self._keys, self._numbers, self._mask
        place = key & mask
        while numbers[place]:
            place = (place + 1) & mask
        keys[place], numbers[place] = key, number + 1

    def _grow(self) -> None:
        """Twice the places. What lies in a row that ends behind the first place is moved first, so
        that the numbers of one digest keep their order."""
        keys, numbers = self._keys, self._numbers
        places = len(keys)
        self._make(2 * places)
        start = next((place for place in range(places) if not numbers[place]), 0)
        for offset in range(places):
            place = (start + offset) & (places - 1)
            if numbers[place]:
                self._put(keys[place], numbers[place] - 1)
