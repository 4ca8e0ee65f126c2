"""Writes one blob into an open file, and makes sure that it arrived whole.

It must not know which blob that is, nor why it is wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import StorageStreamDownloader

from runner.errors import TransferError
from runner.remote.faults import service_code
from runner.run.services import Downloaded

_ANOTHER_VERSION = "ConditionNotMet"
"""The SDK asks for each further piece of the version that the first one was of (`If-Match`)."""


def write_whole(
    downloader: StorageStreamDownloader[bytes],
    stream: BinaryIO,
    name: str,
    check: Callable[[], None],
) -> Downloaded:
    """What came; `TransferError` where length or, if there is one, MD5 differ from the blob's.

    So it is where the blob is written to meanwhile. `check` may raise between two pieces.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    size = 0
    try:
        for piece in downloader.chunks():
            check()
            stream.write(piece)
            md5.update(piece)
            size += len(piece)
    except HttpResponseError as error:
        if service_code(error) != _ANOTHER_VERSION:
            raise
        raise TransferError(f"blob `{name}` changed while it was downloaded") from error
    if size != downloader.size:
        raise TransferError(
            f"blob `{name}` did not arrive whole: {size} of {downloader.size} bytes"
        )
    expected = downloader.properties.content_settings.content_md5
    if expected and bytes(expected) != md5.digest():
        raise TransferError(f"blob `{name}` did not arrive whole: its MD5 differs")
    return Downloaded(size_bytes=size, md5=md5.digest())
