"""A long list of texts in little memory: one run of bytes, and where each text ends.

It knows nothing of what the texts name.
"""

from __future__ import annotations

from array import array


class NameTable:
    """Texts by index; about as many bytes as they have characters, and eight more for each."""

    __slots__ = ("_bytes", "_ends")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", (0,))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        """Raises `IndexError`; a negative index is none."""
        ends = self._ends
        if index < 0:
            raise IndexError(index)
        return self._bytes[ends[index] : ends[index + 1]].decode()

    def append(self, text: str) -> None:
        """Adds a text; raises `UnicodeEncodeError` where it is no Unicode."""
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))
