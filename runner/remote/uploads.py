"""Brings one file or text up into a blob, and makes sure that it arrived whole.

It must not know which blob that is, nor why it is wanted.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobClient, ContentSettings

from runner.errors import TransferError, describe_os_error

MEBIBYTE = 1024 * 1024
# Each thread holds one piece in memory, so pieces are smaller than the SDK's 64 MiB.
MOST_SINGLE_BYTES = 8 * MEBIBYTE
BLOCK_BYTES = 16 * MEBIBYTE
MOST_BLOCKS = 50_000

_TEXT = "text/plain; charset=utf-8"
_BINARY = "application/octet-stream"


def upload_file(blob: BlobClient, source: Path, check: Callable[[], None]) -> bytes:
    """Brings a file up with its MD5, replacing the blob; `check` may raise between two pieces.

    Gives the MD5 of what was sent.

    `TransferError` where the file cannot be read, or changes meanwhile, be it written to, touched,
    replaced or removed: the blob may be a mixture, and is taken away again.
    """
    try:
        with _open_file(source) as stream:
            before = os.fstat(stream.fileno())
            digest = _upload_stream(blob, stream, before.st_size, source, check)
            after = os.fstat(stream.fileno())
            is_same = _state(before) == _state(after) == _state_at(source)
    except OSError as error:
        raise TransferError(f"cannot read `{source}`: {describe_os_error(error)}") from error
    if digest is None or not is_same:
        raise _changed(blob, source)
    return digest


def _open_file(source: Path) -> IO[bytes]:
    """A pipe that took a file's place would have us wait for whoever writes to it."""
    descriptor = os.open(
        source,
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0),
    )
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    what = os.strerror(errno.EISDIR) if stat.S_ISDIR(mode) else "not a regular file"
    raise OSError(errno.EINVAL, what)


_State = tuple[int, int, int, int]


def _state(status: os.stat_result) -> _State:
    """What is another where a file was written to, touched or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _state_at(source: Path) -> _State | None:
    """None where there is nothing any more."""
    try:
        return _state(source.stat())
    except FileNotFoundError:
        return None


def _changed(blob: BlobClient, source: Path) -> TransferError:
    """The error for a file that changed; its blob is gone, or the hint says that it is not."""
    hint = "run again once nobody writes to it"
    try:
        blob.delete_blob()
    except ResourceNotFoundError:
        pass
    except AzureError:
        name = f"{blob.container_name}/{blob.blob_name}"
        hint += f"; blob `{name}` may be a mixture, and could not be deleted"
    return TransferError(f"`{source}` changed while it was uploaded", hint=hint)


def upload_text(blob: BlobClient, text: str) -> None:
    """Brings a text up as UTF-8."""
    content = text.encode()
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    _upload(blob, content, len(content), digest, _TEXT)


def _upload_stream(
    blob: BlobClient, stream: IO[bytes], size: int, source: Path, check: Callable[[], None]
) -> bytes | None:
    """The MD5 of what was sent; None where that is not what was read before."""
    if size > BLOCK_BYTES * MOST_BLOCKS:
        limit = BLOCK_BYTES * MOST_BLOCKS // 1024**3
        raise TransferError(f"`{source}` is larger than {limit} GiB")
    if size <= MOST_SINGLE_BYTES:
        content = stream.read(size + 1)
        if len(content) != size:
            return None
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        _upload(blob, content, len(content), digest, _BINARY)
        return digest
    md5 = hashlib.md5(usedforsecurity=False)
    while piece := stream.read(MEBIBYTE):
        check()
        md5.update(piece)
    stream.seek(0)
    checked = _CheckedStream(stream, check)
    _upload(blob, cast("IO[bytes]", checked), size, md5.digest(), _BINARY)  # all that the SDK uses
    return md5.digest() if checked.digest() == md5.digest() else None


def _upload(
    blob: BlobClient, content: bytes | IO[bytes], size: int, digest: bytes, content_type: str
) -> None:
    """Puts the content in one request and compares MD5s, or in blocks that carry their own."""
    in_blocks = size > MOST_SINGLE_BYTES
    answer = blob.upload_blob(
        content,
        length=size,
        overwrite=True,
        content_settings=ContentSettings(content_type=content_type, content_md5=bytearray(digest)),
        validate_content=in_blocks,
    )
    received = answer.get("content_md5")
    if not in_blocks and received and bytes(received) != digest:
        name = f"{blob.container_name}/{blob.blob_name}"
        raise TransferError(f"blob `{name}` did not arrive whole: its MD5 differs")


class _CheckedStream:
    """A file whose reading ends where `check` raises, so that no long upload outlives its run.

    It knows what was read: by that a file is found out that was written to behind our back.
    """

    def __init__(self, stream: IO[bytes], check: Callable[[], None]) -> None:
        self._stream = stream
        self._check = check
        self._md5 = hashlib.md5(usedforsecurity=False)

    def read(self, size: int = -1) -> bytes:
        """The next piece."""
        self._check()
        piece = self._stream.read(size)
        self._md5.update(piece)
        return piece

    def digest(self) -> bytes:
        """The MD5 of what was read since the last step back to the beginning."""
        return self._md5.digest()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Back to where a try began."""
        position = self._stream.seek(offset, whence)
        if position == 0:
            self._md5 = hashlib.md5(usedforsecurity=False)
        return position

    def tell(self) -> int:
        """Where the next piece begins."""
        return self._stream.tell()
