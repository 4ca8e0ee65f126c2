"""Opening and making files strictly below a directory, whatever links lie in between.

Each component is opened relative to the one above it and never through a link, so that nothing a
task does meanwhile can lead out. It must not know what the files are for.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from runner.emulator.batch.node.users import Owner

ABSENT = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENAMETOOLONG,
        errno.ELOOP,  # a link put in the way since links were resolved
        errno.ENXIO,  # a socket, on Linux
        errno.EOPNOTSUPP,  # a socket, on macOS
    }
)
"""Error numbers which say that there is no such file to open."""

_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class OutsideError(ValueError):
    """A path that is absolute or leads above the directory that it belongs to."""


def parts_below(path: str) -> tuple[str, ...]:
    """The components of a relative path with `/`; empty ones and `.` are dropped.

    Raises `OutsideError` for an absolute path, `..` or a null character.
    """
    parts = tuple(part for part in path.split("/") if part not in {"", "."})
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise OutsideError(path)
    return parts


@contextmanager
def directory_below(
    root: Path, parts: Sequence[str], *, create: bool, owner: Owner | None = None
) -> Iterator[int]:
    """A descriptor of the directory `root/parts`; raises `OSError`, `ELOOP` or `ENOTDIR` at a link.

    With `create`, missing directories are made, and given to the owner.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            made = create and _make(part, descriptor)
            below = os.open(part, _DIRECTORY_FLAGS, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
            if made and owner is not None:
                os.fchown(descriptor, owner.user, owner.group)
                os.fchmod(descriptor, owner.folder_mode)
        yield descriptor
    finally:
        os.close(descriptor)


def _make(name: str, parent: int) -> bool:
    """Makes a directory; whether it was missing."""
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return False
    return True


def resolve_below(root: Path, parts: Sequence[str]) -> tuple[str, ...] | None:
    """The components that `root/parts` has once links are followed; None where they lead out."""
    real_root = os.path.realpath(root)
    real = os.path.realpath(Path(real_root, *parts))
    if real == real_root:
        return ()
    prefix = real_root.rstrip("/") + "/"
    return tuple(real[len(prefix) :].split("/")) if real.startswith(prefix) else None


def open_regular_below(root: Path, parts: Sequence[str]) -> int | None:
    """A read-only descriptor of the regular file `root/parts`, links followed below `root` alone.

    None where there is no such file, or a directory, pipe, socket or device; never blocks. Raises
    `OSError` where it may not be read.
    """
    resolved = resolve_below(root, parts)
    if not resolved:
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with directory_below(root, resolved[:-1], create=False) as directory:
            descriptor = os.open(resolved[-1], flags, dir_fd=directory)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None
