"""Writes one blob into a file, and makes sure that it arrived whole.

It must not know which blob that is, nor why it is wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from azure.storage.blob import StorageStreamDownloader

from runner.errors import TransferError


def write_whole(
    downloader: StorageStreamDownloader[bytes],
    target: Path,
    name: str,
    check: Callable[[], None],
) -> int:
    """The blob's size in bytes; `TransferError` where length or, if there is one, MD5 differ.

    `check` may raise between two pieces.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    size = 0
    with target.open("wb") as stream:
        for piece in downloader.chunks():
            check()
            stream.write(piece)
            md5.update(piece)
            size += len(piece)
    if size != downloader.size:
        raise TransferError(
            f"blob `{name}` did not arrive whole: {size} of {downloader.size} bytes"
        )
    expected = downloader.properties.content_settings.content_md5
    if expected and bytes(expected) != md5.digest():
        raise TransferError(f"blob `{name}` did not arrive whole: its MD5 differs")
    return size
