"""Opening and making files strictly below a directory, whatever links lie in between.

Each component is opened relative to the one above it and never through a link, so that nothing a
task does meanwhile can lead out. It must not know what the files are for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

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
def directory_below(root: Path, parts: Sequence[str], *, create: bool) -> Iterator[int]:
    """A descriptor of the directory `root/parts`; raises `OSError`, `ELOOP` or `ENOTDIR` at a link.

    With `create`, missing directories are made.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
            below = os.open(part, _DIRECTORY_FLAGS, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def open_below(root: Path, parts: Sequence[str]) -> int:
    """A read-only descriptor of `root/parts`; never blocks, not even on a named pipe."""
    with directory_below(root, parts[:-1], create=False) as directory:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(parts[-1], flags, dir_fd=directory)


def resolve_below(root: Path, parts: Sequence[str]) -> tuple[str, ...] | None:
    """The components that `root/parts` has once links are followed; None where they lead out."""
    real_root = os.path.realpath(root)
    real = os.path.realpath(Path(real_root, *parts))
    if real == real_root:
        return ()
    prefix = real_root.rstrip("/") + "/"
    return tuple(real[len(prefix) :].split("/")) if real.startswith(prefix) else None
