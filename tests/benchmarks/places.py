"""Folders to work in, each of which costs the file system the same.

ext4 gives nobody the number of a file that was deleted within the last minutes: it passes over all
of them, one by one, for each file that is made near by. Where thousands were just deleted, a file
takes half a millisecond of processor time, which is fifty times as much as elsewhere. So nothing is
deleted between two measurements, and each has a folder in another part of the disk. It must not
know what the folders are for.
"""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
from contextlib import suppress
from pathlib import Path

_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
"""FS_IOC_GETFLAGS and FS_IOC_SETFLAGS of ioctl (2)."""
_TOP_OF_TREE = 0x00020000
"""FS_TOPDIR_FL, as `chattr +T` sets it: folders within are spread over the disk."""
_LARGE_BYTES = 1_000_000


def spread_folders(folder: Path) -> None:
    """Has folders that are made in this one lie apart, where the file system knows how."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            content = fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("l", 0))
            (flags,) = struct.unpack("l", content)
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("l", flags | _TOP_OF_TREE))
    finally:
        os.close(descriptor)


def new_place(folder: Path) -> Path:
    """A new folder."""
    return Path(tempfile.mkdtemp(dir=folder))


def give_back_room(place: Path) -> None:
    """Empties large files; all are deleted with the folder above, at the end."""
    for path in place.rglob("*"):
        with suppress(FileNotFoundError):
            if not path.is_symlink() and path.is_file() and path.stat().st_size > _LARGE_BYTES:
                os.truncate(path, 0)
