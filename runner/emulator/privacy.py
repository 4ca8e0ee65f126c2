"""Directories and files that nobody but their owner can read: they hold keys, URLs and contents.

It must not know what is kept in them.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_DIRECTORY = 0o700
_FILE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private_directory(directory: Path) -> None:
    """Makes a directory, or closes the one that is there to others; raises `OSError`.

    Those above it that are missing are made as usual.
    """
    directory.mkdir(mode=_DIRECTORY, parents=True, exist_ok=True)
    _close(directory, _DIRECTORY)


def make_private_file(path: Path) -> None:
    """Makes a file, empty, or closes the one that is there to others; raises `OSError`."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE))
    _close(path, _FILE)


def open_private_file(path: Path, *, append: bool = False) -> int:
    """A descriptor for writing to a file, private if it is new; raises `OSError`."""
    flags = os.O_APPEND if append else os.O_TRUNC
    return os.open(path, os.O_WRONLY | os.O_CREAT | flags, _FILE)


def _close(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        # Some file systems have no modes: whoever mounted them says who may read.
        with suppress(PermissionError):
            path.chmod(mode)
