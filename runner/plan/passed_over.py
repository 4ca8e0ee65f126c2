"""What lies among files to bring up and is no file: links to folders, pipes, sockets, devices.

Of any number of them a count and a few are kept. It knows nothing of blobs.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable

from runner.plan.model import PassedOver

FOLDER_LINK = "link to a folder"
_FIRST = 5
_OF_MODES = {
    stat.S_IFDIR: FOLDER_LINK,  # a folder itself is gone into
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class PassedOverWatch:
    """Counts those of one upload."""

    def __init__(self, source: str) -> None:
        """`source` is what is written as `from`."""
        self._source = source.rstrip("/")
        self._count = 0
        self._first: list[tuple[str, str]] = []

    def note(self, below: str, mode: int) -> None:
        """One of them below `from`, by its path there; `mode` is as `os.stat` has it."""
        self._count += 1
        if len(self._first) < _FIRST:
            what = _OF_MODES.get(stat.S_IFMT(mode), "no file")
            self._first.append((f"{self._source}/{below}", what))

    @property
    def found(self) -> PassedOver:
        """Those so far."""
        return PassedOver(count=self._count, first=tuple(self._first))


def all_passed_over(parts: Iterable[PassedOver]) -> PassedOver:
    """All of them as one."""
    known = tuple(parts)
    first = tuple(each for part in known for each in part.first)
    return PassedOver(count=sum(part.count for part in known), first=first[:_FIRST])
