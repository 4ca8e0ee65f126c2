"""How much came home, where a run that was resumed brought some of it home again.

It must not know what the files are; it remembers three numbers a task.
"""

from __future__ import annotations

from array import array


class Deliveries:
    """Files and bytes of all tasks; of each task those that were told last."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self._files = array("Q")
        self._bytes = array("Q")
        self._life = array("Q")

    def add(self, task: int, size: int, *, life: int) -> None:
        """One more file of a task, in bytes; what earlier lives of the run told of it is void."""
        missing = task + 1 - len(self._files)
        if missing > 0:
            for numbers in (self._files, self._bytes, self._life):
                numbers.frombytes(bytes(numbers.itemsize * missing))
        if self._life[task] != life:
            self.files -= self._files[task]
            self.bytes -= self._bytes[task]
            self._files[task] = self._bytes[task] = 0
            self._life[task] = life
        self._files[task] += 1
        self._bytes[task] += size
        self.files += 1
        self.bytes += size
