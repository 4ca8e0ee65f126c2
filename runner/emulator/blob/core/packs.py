"""Keeps small contents together in larger files: to make a file costs more than to write so little.

It must not know what a content belongs to, nor how many refer to it.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from runner.emulator.blob.core.files import write_all
from runner.emulator.blob.core.records import ContentId

_PACK_BYTES = 16 * 1024 * 1024
"""A pack ends where it would become larger."""
_LOOSE_BYTES = 4 * 1024 * 1024
"""So much of a pack may be of nobody before the disk gets it back."""
_OPEN_FILES = 32
_MARK = "@"
# fallocate(2): FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
_PUNCH_HOLE = 0x01 | 0x02


class _Pack:
    """A file; `live` contents of it are referred to, and of `loose` stretches nothing is."""

    __slots__ = ("end", "live", "loose", "loose_bytes")

    def __init__(self) -> None:
        self.end = 0
        self.live = 0
        self.loose: list[tuple[int, int]] = []
        self.loose_bytes = 0


def is_packed(content: ContentId) -> bool:
    """Whether it lies in a pack; what does not has a file by itself."""
    return _MARK in content


def place_of(content: ContentId) -> tuple[str, int, int]:
    """The name of its pack, where it begins there, and how many bytes it has."""
    name, _, place = content.partition(_MARK)
    offset, _, size_bytes = place.partition("+")
    return name, int(offset, 16), int(size_bytes, 16)


class Packs:
    """The packs of one folder, of one thread; each is to go with the last content in it.

    A pack of before is read, and nothing is added to it: what follows its last content may be of a
    request that was never finished.
    """

    def __init__(self, folder: str, names: Iterator[str]) -> None:
        """`folder` ends with a slash; `names` are those of new packs."""
        self._folder = folder
        self._names = names
        self._packs: dict[str, _Pack] = {}
        self._current = ""
        self._files: dict[str, int] = {}

    def write(self, content: bytes) -> ContentId:
        """Adds a content, which counts as live; raises `OSError`."""
        size_bytes = len(content)
        name, pack = self._find_room(size_bytes)
        offset = pack.end
        write_all(self._file_of(name), content, offset)
        pack.end = offset + size_bytes
        pack.live += 1
        return ContentId(f"{name}{_MARK}{offset:x}+{size_bytes:x}")

    def reserve(self, size_bytes: int) -> ContentId:
        """A place for a content that others write; it counts as live."""
        name, pack = self._find_room(size_bytes)
        offset = pack.end
        pack.end += size_bytes
        pack.live += 1
        return ContentId(f"{name}{_MARK}{offset:x}+{size_bytes:x}")

    def read(self, content: ContentId, start: int, size_bytes: int) -> bytes:
        """A stretch of a content; raises `OSError`."""
        name, offset, _ = place_of(content)
        return os.pread(self._file_of(name), size_bytes, offset + start)

    def adopt(self, content: ContentId) -> bool:
        """A content of before is live; or it is not whole, and False."""
        if not self.is_whole(content):
            return False
        self._packs[content.partition(_MARK)[0]].live += 1
        return True

    def is_whole(self, content: ContentId) -> bool:
        """Whether all of a content of before is there."""
        name, offset, size_bytes = place_of(content)
        pack = self._packs.get(name)
        if pack is None:
            pack = _Pack()
            with suppress(FileNotFoundError):
                pack.end = os.stat(self._folder + name).st_size  # noqa: PTH116 - as all paths here
            self._packs[name] = pack
        return offset + size_bytes <= pack.end

    def holds(self, name: str) -> bool:
        """Whether a file is a pack with live contents."""
        pack = self._packs.get(name)
        return pack is not None and pack.live > 0

    def remove(self, contents: Iterable[ContentId]) -> list[str]:
        """Contents are not live any more; gives the paths of packs that are to be unlinked.

        Raises `OSError`.
        """
        by_pack: dict[str, list[ContentId]] = {}
        for content in contents:
            by_pack.setdefault(content.partition(_MARK)[0], []).append(content)
        return [
            self._folder + name for name, some in by_pack.items() if not self._loosen(name, some)
        ]

    def _loosen(self, name: str, contents: list[ContentId]) -> bool:
        """Whether other contents of the pack are still live."""
        pack = self._packs[name]
        pack.live -= len(contents)
        if not pack.live:
            del self._packs[name]
            file = self._files.pop(name, None)
            if file is not None:
                os.close(file)
            return False
        for content in contents:
            _, offset, size_bytes = place_of(content)
            pack.loose.append((offset, size_bytes))
            pack.loose_bytes += size_bytes
        if pack.loose_bytes >= _LOOSE_BYTES:
            file = self._file_of(name)
            for start, end in _merge(pack.loose):
                _punch(file, start, end - start)
            pack.loose.clear()
            pack.loose_bytes = 0
        return True

    def close(self) -> None:
        """Closes the files; they are opened again where they are used again."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _find_room(self, size_bytes: int) -> tuple[str, _Pack]:
        pack = self._packs.get(self._current)
        if pack is None or pack.end + size_bytes > _PACK_BYTES:
            name = next(self._names)
            self._open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            self._current = name
            pack = self._packs[name] = _Pack()
        return self._current, pack

    def _file_of(self, name: str) -> int:
        file = self._files.get(name)
        return self._open(name, os.O_RDWR) if file is None else file

    def _open(self, name: str, flags: int) -> int:
        if len(self._files) >= _OPEN_FILES:
            os.close(self._files.pop(next(iter(self._files))))
        file = os.open(self._folder + name, flags | os.O_CLOEXEC, 0o600)
        self._files[name] = file
        return file


def _merge(stretches: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """From where to where nothing is live, as few stretches as can be."""
    ordered = sorted(stretches)
    start, size_bytes = ordered[0]
    end = start + size_bytes
    for offset, size_bytes in ordered[1:]:
        if offset > end:
            yield start, end
            start = offset
        end = offset + size_bytes
    yield start, end


def find_fallocate(library: Any) -> Callable[..., int]:
    """What takes 64 bits of an offset: not all libraries have a name for it beside the plain one,
    which glibc has take fewer on small machines.
    """
    found: Callable[..., int] = getattr(library, "fallocate64", None) or library.fallocate
    return found


def _punch(file: int, offset: int, size_bytes: int) -> None:
    """Gives a stretch back to the disk, where the system can; else it waits for the whole pack."""
    if sys.platform != "linux":
        return
    # Imported here: most emulators end before anything is punched.
    import ctypes

    allocate = find_fallocate(ctypes.CDLL(None, use_errno=True))
    if allocate(file, _PUNCH_HOLE, ctypes.c_int64(offset), ctypes.c_int64(size_bytes)):
        code = ctypes.get_errno()
        if code not in (errno.EOPNOTSUPP, errno.ENOSYS):
            raise OSError(code, os.strerror(code))
