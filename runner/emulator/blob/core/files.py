"""Writes and removes the files of contents: large ones in threads, beside the loop.

It must not know what a content is called, nor who refers to it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

PIECE_BYTES = 1024 * 1024
"""So much of a large content is handed to a thread at a time."""

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
# Of writev(2); no system takes fewer.
_PIECES_AT_ONCE = 512
# To remove a larger file takes longer than to have a thread do it.
_SOON_GONE_BYTES = 4 * 1024 * 1024


class ContentSizeError(Exception):
    """The content is not as long as was said."""


def remove_file(path: str) -> None:
    """Removes a file, if it is there; raises `OSError`."""
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - of many files


def remove_files(paths: Sequence[str]) -> None:
    """The same of several, soon: in a thread, unless that costs more; raises `OSError`."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        _remove_all(paths)
        return
    if len(paths) == 1 and _size_of(paths[0]) <= _SOON_GONE_BYTES:
        remove_file(paths[0])
    else:
        loop.run_in_executor(None, _remove_all, paths)


def write_at(path: str, content: bytes, offset: int) -> None:
    """Writes into a file, made where it is not there; raises `OSError`."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        write_all(file, content, offset)
    finally:
        os.close(file)


def write_all(file: int, content: bytes, offset: int) -> None:
    """Writes all of a content into an open file; raises `OSError`."""
    written = os.pwrite(file, content, offset)
    while written < len(content):
        written += os.pwrite(file, content[written:], offset + written)


async def write_large(
    path: str, pieces: AsyncIterator[bytes], size_bytes: int, md5: hashlib._Hash
) -> None:
    """Digests a content and writes it to a new file, in a thread while the next pieces arrive.

    Raises `ContentSizeError`, `OSError`, and what `pieces` raise; what is there of the file stays.
    """
    loop = asyncio.get_running_loop()
    received_bytes = 0
    taking: asyncio.Future[None] | None = None
    batch: list[bytes] = []
    batch_bytes = 0
    file = _LargeFile(path, md5)
    try:
        async for piece in pieces:
            received_bytes += len(piece)
            batch_bytes += len(piece)
            batch.append(piece)
            if batch_bytes >= PIECE_BYTES:
                if taking is not None:
                    await taking
                taking = loop.run_in_executor(None, file.take, batch)
                batch, batch_bytes = [], 0
        if taking is not None:
            await taking
        taking = loop.run_in_executor(None, file.take, batch)
    finally:
        try:
            if taking is not None:
                await taking
        finally:
            file.close()
    if received_bytes != size_bytes:
        raise ContentSizeError


class _LargeFile:
    """A new file that threads write to, one after the other."""

    def __init__(self, path: str, md5: hashlib._Hash) -> None:
        self._file: int | None = os.open(path, _NEW_FILE, 0o600)
        self._md5 = md5
        self._lock = threading.Lock()

    def take(self, batch: list[bytes]) -> None:
        with self._lock:
            # Whoever gave up closes it while this may still be about to begin.
            if self._file is not None:
                for piece in batch:
                    self._md5.update(piece)
                _write_pieces(self._file, batch)

    def close(self) -> None:
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _write_pieces(file: int, batch: list[bytes]) -> None:
    """Writes pieces as they are: to join them first would cost as much as to write them."""
    for start in range(0, len(batch), _PIECES_AT_ONCE):
        some = batch[start : start + _PIECES_AT_ONCE]
        written = os.writev(file, some)
        if written < sum(map(len, some)):
            rest = memoryview(b"".join(some))[written:]
            while rest:
                rest = rest[os.write(file, rest) :]


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - of many files
    except FileNotFoundError:
        return 0


def _remove_all(paths: Sequence[str]) -> None:
    for path in paths:
        remove_file(path)
