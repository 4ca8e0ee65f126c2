"""What is kept: containers, blobs and uncommitted blocks, and the keys that find them.

It must not know where records or contents are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

ContentId = NewType("ContentId", str)
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerKey:
    """Finds a container."""

    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobKey:
    """Finds a blob."""

    container: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockKey:
    """Finds an uncommitted block."""

    container: str
    blob: str
    block_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container; `etag` is without quotes."""

    key: ContainerKey
    etag: str
    modified: datetime
    metadata: Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a blob's content: one file; the block id where it came as a block."""

    content: ContentId
    size_bytes: int
    block_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentHeaders:
    """The standard HTTP headers that are stored with a blob; None where not set."""

    content_type: str = "application/octet-stream"
    content_encoding: str | None = None
    content_language: str | None = None
    content_disposition: str | None = None
    cache_control: str | None = None
    content_md5: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A committed block blob; `etag` is without quotes."""

    key: BlobKey
    etag: str
    created: datetime
    modified: datetime
    headers: ContentHeaders
    metadata: Metadata
    segments: tuple[Segment, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block that is uploaded and not yet part of its blob."""

    key: BlockKey
    segment: Segment


Record = Container | Blob | Block
Key = ContainerKey | BlobKey | BlockKey
