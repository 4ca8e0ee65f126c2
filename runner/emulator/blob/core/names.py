"""The rules for names and metadata, and the limits on sizes and counts.

It must not know where a name or a value came from.
"""

from __future__ import annotations

import base64
import binascii
import re

from runner.emulator.blob.core.records import Metadata
from runner.emulator.blob.core.refusals import (
    EMPTY_METADATA_KEY,
    INVALID_BLOB_OR_BLOCK,
    INVALID_BLOCK_ID,
    INVALID_METADATA,
    INVALID_RESOURCE_NAME,
    METADATA_TOO_LARGE,
    RESOURCE_NAME_LENGTH,
    RefusedError,
)

# "Scalability and performance targets for Blob Storage", versions since 2019-12-12.
MAXIMUM_PUT_BLOB_BYTES = 5000 * 1024 * 1024
MAXIMUM_BLOCK_BYTES = 4000 * 1024 * 1024
MAXIMUM_APPEND_BLOCK_BYTES = 100 * 1024 * 1024
MAXIMUM_COMMITTED_BLOCKS = 50_000
MAXIMUM_UNCOMMITTED_BLOCKS = 100_000
MAXIMUM_BLOB_NAME_CHARACTERS = 1024
MAXIMUM_BLOCK_ID_BYTES = 64
MAXIMUM_METADATA_BYTES = 8 * 1024

# "Naming and Referencing Containers, Blobs, and Metadata"
_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
_SYSTEM_CONTAINERS = frozenset({"$root", "$logs", "$web"})
_METADATA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def check_container_name(name: str) -> None:
    """Raises `RefusedError` unless the name is one that a container may have."""
    if name in _SYSTEM_CONTAINERS:
        return
    if not _CONTAINER.fullmatch(name):
        raise RefusedError(INVALID_RESOURCE_NAME)
    if not 3 <= len(name) <= 63:
        raise RefusedError(RESOURCE_NAME_LENGTH)


def check_blob_name(name: str) -> None:
    """Raises `RefusedError` unless the name has between 1 and 1,024 characters."""
    if not 1 <= len(name) <= MAXIMUM_BLOB_NAME_CHARACTERS:
        raise RefusedError(RESOURCE_NAME_LENGTH)


def check_metadata(metadata: Metadata) -> None:
    """Raises `RefusedError` unless names are C# identifiers and all fits into 8 KiB."""
    for name, value in metadata:
        if not name:
            raise RefusedError(EMPTY_METADATA_KEY)
        if not _METADATA_NAME.fullmatch(name) or not is_printable(value):
            raise RefusedError(INVALID_METADATA)
    if sum(len(name) + len(value) for name, value in metadata) > MAXIMUM_METADATA_BYTES:
        raise RefusedError(METADATA_TOO_LARGE)


def check_block_id(block_id: str) -> None:
    """Raises `RefusedError` unless the id is base64 of 1 to 64 bytes."""
    try:
        size_bytes = len(base64.b64decode(block_id, validate=True))
    except (binascii.Error, ValueError) as error:
        raise RefusedError(INVALID_BLOCK_ID) from error
    if not size_bytes:
        raise RefusedError(INVALID_BLOCK_ID)
    if size_bytes > MAXIMUM_BLOCK_ID_BYTES:
        raise RefusedError(INVALID_BLOB_OR_BLOCK)


def is_printable(value: str) -> bool:
    """Whether a header's value can also stand in an XML document."""
    return not _UNPRINTABLE.search(value)
