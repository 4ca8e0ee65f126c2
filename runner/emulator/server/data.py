"""The emulator's data directory: made, checked and locked.

It must not know what is kept in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.emulator.privacy import make_private_directory
from runner.emulator.storage.error import DataError


@contextmanager
def open_data(directory: Path | None) -> Iterator[Path]:
    """The directory, locked against a second emulator; without one, a temporary directory.

    One that is made is its owner's alone; one that is there is for its owner to open or close.
    The temporary one is removed at the end. Raises `DataError`.
    """
    if directory is None:
        # Imported here: it takes a while.
        import tempfile

        with tempfile.TemporaryDirectory(prefix="batch-run-emulator-") as temporary:
            yield Path(temporary)
        return
    try:
        if not directory.is_dir():
            make_private_directory(directory)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataError(f"data directory {directory} cannot be used: {error.strerror}") from error
    try:
        _lock(lock, directory)
        yield directory
    finally:
        os.close(lock)


def _lock(lock: int, directory: Path) -> None:
    # Imported here: Windows has no fcntl, and nothing else of this module needs it.
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        message = f"data directory {directory} is in use by another emulator"
        raise DataError(message) from error
