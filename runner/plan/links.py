"""Which files to bring up are links to somewhere else, since nobody sees that in their names.

Of any number of them a count and a few are kept. It knows nothing of blobs.
"""

from __future__ import annotations

import os
from pathlib import Path

from runner.plan.model import OutsideLinks

_FIRST = 5


class LinkWatch:
    """Looks where links of one upload lead: inside are the spec's folder and what `from` names."""

    def __init__(self, folder: Path, source: str) -> None:
        """`folder` is the spec's, `source` what is written as `from`."""
        self._source = source
        self._path = folder / source
        self._insides: tuple[str, ...] | None = None
        self._spec_folder = folder
        self._count = 0
        self._first: list[tuple[str, str]] = []

    def note(self, below: str) -> None:
        """One link below `from`, by its path there. Raises `OSError`."""
        target = _real(self._path / below)
        if self._insides is None:
            self._insides = (_real(self._spec_folder), _real(self._path))
        if not any(_is_in(target, each) for each in self._insides):
            self._add(f"{self._source.rstrip('/')}/{below}", target)

    def note_source(self) -> None:
        """What `from` itself leads to: a link in the spec's folder may lead out of it."""
        folder = _real(self._spec_folder)
        # What is written as a path from elsewhere hides nothing.
        if not _is_in(os.path.normpath(os.path.join(folder, self._source)), folder):  # noqa: PTH118
            return
        target = _real(self._path)
        if not _is_in(target, folder):
            self._add(self._source, target)

    @property
    def found(self) -> OutsideLinks:
        """Those that lead out, so far."""
        return OutsideLinks(count=self._count, first=tuple(self._first))

    def _add(self, path: str, target: str) -> None:
        self._count += 1
        if len(self._first) < _FIRST:
            self._first.append((path, target))


def together(parts: tuple[OutsideLinks, ...]) -> OutsideLinks:
    """All of them as one."""
    first = tuple(link for part in parts for link in part.first)
    return OutsideLinks(count=sum(part.count for part in parts), first=first[:_FIRST])


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
