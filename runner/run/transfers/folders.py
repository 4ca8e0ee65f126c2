"""Folders below a root, opened so that no link leads out of it, whoever plants one meanwhile.

It must not know what is put there, nor why.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from typing_extensions import Buffer

from runner.errors import TransferError

_BY_DESCRIPTOR = {os.open, os.mkdir, os.rename, os.unlink, os.stat} <= os.supports_dir_fd
"""Whether the system opens names relative to an open folder; Windows does not."""
# A folder that may be searched and not listed is opened too, where the system knows how.
_OPEN = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | getattr(os, "O_BINARY", 0)
_CLOSED_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_MOST_OPEN = 16
_AHEAD_BYTES = 8 * 1024 * 1024


class NewFile(io.BufferedWriter):
    """A file that the system brings to the disk while it is written, so that it is there sooner."""

    _fresh_bytes = 0

    def write(self, piece: Buffer, /) -> int:
        """Writes all of it."""
        count = super().write(piece)
        self._fresh_bytes += count
        if self._fresh_bytes >= _AHEAD_BYTES:
            self.flush()
            self.begin_to_land()
        return count

    def begin_to_land(self) -> None:
        """Has the system begin to bring what was flushed to the disk, and does not wait for it."""
        fresh, self._fresh_bytes = self._fresh_bytes, 0
        if sys.platform == "linux":
            # What nobody needs in memory is written before it is dropped; we say so of what was
            # written just now, so that it is not there yet when the system would drop it.
            with contextlib.suppress(OSError):
                start = max(self.tell() - fresh, 0)
                os.posix_fadvise(self.fileno(), start, fresh, os.POSIX_FADV_DONTNEED)


class Folder:
    """An open folder: what is done to a name happens there, wherever its path leads by now."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor
        self._identity: tuple[int, int] | None = None
        if descriptor is not None:
            here = os.fstat(descriptor)
            self._identity = here.st_dev, here.st_ino
        # The system lets one change a folder at a time, and has the others wait at work.
        self._changing = threading.Lock()

    def _of(self, name: str) -> str | Path:
        return name if self._descriptor is not None else self._path / name

    def create(self, name: str) -> NewFile:
        """A new file, open for writing; raises `OSError` where there is anything of this name."""
        flags = _NEW | _CLOSED_ON_EXEC
        with self._changing:
            descriptor = os.open(self._of(name), flags, 0o666, dir_fd=self._descriptor)
        return NewFile(io.FileIO(descriptor, "wb"))

    def look_at(self, name: str) -> os.stat_result | None:
        """What is there, a link itself; None where there is nothing. Raises `OSError`."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self._of(name), dir_fd=self._descriptor, follow_symlinks=False)
        return None

    def replace(self, name: str, by: str) -> None:
        """Gives the file `by` this name; a link of this name is replaced, not followed."""
        with self._changing:
            os.replace(
                self._of(by),
                self._of(name),
                src_dir_fd=self._descriptor,
                dst_dir_fd=self._descriptor,
            )

    def remove(self, name: str) -> None:
        """Removes a file if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._of(name), dir_fd=self._descriptor)

    def is_at(self, path: str) -> bool:
        """Whether a path leads here, links followed; false where it cannot be told."""
        with contextlib.suppress(OSError):
            there = os.stat(path)  # noqa: PTH116 - asked for each file
            return (there.st_dev, there.st_ino) == self._identity
        return False

    def close(self) -> None:
        """Gives the folder back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Folders:
    """Folders below one root that stay open for a while: mostly the next file goes to the same.

    May be used by several threads; each `take` is followed by a `give_back`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._prefix = os.path.join(root, "")  # noqa: PTH118 - joined to a text for each file
        self._lock = threading.Lock()
        self._kept: dict[str, Folder] = {}
        self._users: dict[Folder, int] = {}

    def take(self, below: str) -> Folder:
        """The folder, opened as by `open_folder`, or still open where its path leads there yet."""
        with self._lock:
            folder = self._kept.get(below)
            if folder is not None and folder.is_at(self._prefix + below):
                self._users[folder] += 1
                return folder
            self._let_go(below)
            folder = _open(self._root, PurePosixPath(below))
            self._kept[below] = folder
            self._users[folder] = 1
            while len(self._kept) > _MOST_OPEN:
                self._let_go(next(iter(self._kept)))
            return folder

    def give_back(self, folder: Folder) -> None:
        """Whoever took it does nothing in it any more."""
        with self._lock:
            self._users[folder] -= 1
            if not self._users[folder] and folder not in self._kept.values():
                self._close(folder)

    def close(self) -> None:
        """Closes all that nobody uses."""
        with self._lock:
            for below in tuple(self._kept):
                self._let_go(below)

    def _let_go(self, below: str) -> None:
        folder = self._kept.pop(below, None)
        if folder is not None and not self._users[folder]:
            self._close(folder)

    def _close(self, folder: Folder) -> None:
        del self._users[folder]
        folder.close()


@contextmanager
def open_folder(root: Path, below: PurePosixPath) -> Iterator[Folder]:
    """The folder `below` a root, both made where they are missing.

    A link on the way is taken if it leads to a place within the root: raises `TransferError` where
    it does not, and `OSError` where there is no folder to be had, or where a link is planted while
    we look.
    """
    folder = _open(root, below)
    try:
        yield folder
    finally:
        folder.close()


def _open(root: Path, below: PurePosixPath) -> Folder:
    root.mkdir(parents=True, exist_ok=True)
    real = Path(os.path.realpath(root))
    way = _find_way(root, real, below)
    if not _BY_DESCRIPTOR:
        folder = real.joinpath(*way)
        folder.mkdir(parents=True, exist_ok=True)
        return Folder(folder, None)
    descriptor = os.open(real, _OPEN | _CLOSED_ON_EXEC)
    try:
        for part in way:
            inner = _step(descriptor, part)
            os.close(descriptor)
            descriptor = inner
    except BaseException:
        os.close(descriptor)
        raise
    return Folder(real.joinpath(*way), descriptor)


def _find_way(root: Path, real: Path, below: PurePosixPath) -> tuple[str, ...]:
    """The names that lead from the real root to the folder, links resolved as they are now."""
    existing = folder = root.joinpath(*below.parts)
    while not os.path.lexists(existing):
        existing = existing.parent
    found = Path(os.path.realpath(existing))
    if not found.is_relative_to(real):
        raise TransferError(f"{shown(folder)} leads out of {shown(root)} by a link")
    return (*found.relative_to(real).parts, *folder.relative_to(existing).parts)


def _step(descriptor: int, name: str) -> int:
    """Opens a folder within an open one, no link, and makes it where it is missing."""
    flags = _OPEN | _NO_LINK | _CLOSED_ON_EXEC
    try:
        return os.open(name, flags, dir_fd=descriptor)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=descriptor)
        return os.open(name, flags, dir_fd=descriptor)


def shown(path: Path | str) -> str:
    """In backticks, or with escapes where a name would break the line."""
    text = os.fspath(path)
    return f"`{text}`" if text.isprintable() else ascii(text)
