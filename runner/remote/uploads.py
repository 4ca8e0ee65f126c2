"""Brings one file or text up into a blob, and makes sure that it arrived whole.

It must not know which blob that is, nor why it is wanted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from azure.storage.blob import BlobClient, ContentSettings

from runner.errors import TransferError

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

    `TransferError` where the file cannot be read, or changes meanwhile: the blob may be a mixture.
    """
    try:
        with source.open("rb") as stream:
            before = os.fstat(stream.fileno())
            digest = _upload_stream(blob, stream, before.st_size, source, check)
            after = os.fstat(stream.fileno())
    except OSError as error:
        raise TransferError(f"cannot read `{source}`: {error.strerror or error}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise TransferError(f"`{source}` changed while it was uploaded")
    return digest


def upload_text(blob: BlobClient, text: str) -> None:
    """Brings a text up as UTF-8."""
    content = text.encode()
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    _upload(blob, content, len(content), digest, _TEXT)


def _upload_stream(
    blob: BlobClient, stream: IO[bytes], size: int, source: Path, check: Callable[[], None]
) -> bytes:
    if size > BLOCK_BYTES * MOST_BLOCKS:
        limit = BLOCK_BYTES * MOST_BLOCKS // 1024**3
        raise TransferError(f"`{source}` is larger than {limit} GiB")
    if size <= MOST_SINGLE_BYTES:
        content = stream.read()
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        _upload(blob, content, len(content), digest, _BINARY)
        return digest
    md5 = hashlib.md5(usedforsecurity=False)
    while piece := stream.read(MEBIBYTE):
        check()
        md5.update(piece)
    stream.seek(0)
    checked = cast("IO[bytes]", _CheckedStream(stream, check))  # all that the SDK uses
    _upload(blob, checked, size, md5.digest(), _BINARY)
    return md5.digest()


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
    """A file whose reading ends where `check` raises, so that no long upload outlives its run."""

    def __init__(self, stream: IO[bytes], check: Callable[[], None]) -> None:
        self._stream = stream
        self._check = check

    def read(self, size: int = -1) -> bytes:
        """The next piece."""
        self._check()
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Back to where a try began."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Where the next piece begins."""
        return self._stream.tell()
