"""Locks on open files, which go with whoever holds them, however they end.

It must not know what the files are. Windows keeps others from removing what is open, lock or not.
"""

from __future__ import annotations

import contextlib
import sys
from typing import BinaryIO


def hold_lock(stream: BinaryIO) -> None:
    """Takes the lock of a file of our own until it is closed; some file systems have no locks."""
    if sys.platform != "win32":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def try_lock(stream: BinaryIO) -> bool:
    """Whether nobody else holds it; false too where that cannot be told."""
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
