"""What is kept: containers, blobs, uncommitted blocks, settings, and the keys that find them.

It must not know where records or contents are stored.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NewType

from runner.emulator.storage.record import record

ContentId = NewType("ContentId", str)
Metadata = tuple[tuple[str, str], ...]


@record(frozen=True, slots=True, kw_only=True)
class ContainerKey:
    """Finds a container."""

    container: str


@record(frozen=True, slots=True, kw_only=True)
class BlobKey:
    """Finds a blob, or one of its snapshots."""

    container: str
    blob: str
    snapshot: str = ""
    """When the snapshot was made, as the service writes it; empty for the blob itself."""


@record(frozen=True, slots=True, kw_only=True)
class BlockKey:
    """Finds an uncommitted block."""

    container: str
    blob: str
    block_id: str


@record(frozen=True, slots=True, kw_only=True)
class SettingsKey:
    """Finds the settings of the account's Blob service."""


@record(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease as it was last asked for; what it is by now follows from the time (`leases`)."""

    lease_id: str
    duration_seconds: int | None
    """None: infinite."""
    expires: datetime | None
    breaks: datetime | None = None
    """When the lease is broken; None while nobody breaks it."""


class PublicAccess(Enum):
    """What anybody may read of a container (`x-ms-blob-public-access`)."""

    NONE = ""
    BLOB = "blob"
    CONTAINER = "container"


@record(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """A stored access policy; fields are as sent, empty where they were not."""

    policy_id: str
    start: str = ""
    expiry: str = ""
    permissions: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Container:
    """A container; `etag` is without quotes."""

    key: ContainerKey
    etag: str
    modified: datetime
    metadata: Metadata
    lease: Lease | None = None
    access: PublicAccess = PublicAccess.NONE
    policies: tuple[AccessPolicy, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a blob's content: one file; the block id where it came as a block."""

    content: ContentId
    size_bytes: int
    block_id: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class ContentHeaders:
    """The standard HTTP headers that are stored with a blob; None where not set."""

    content_type: str = "application/octet-stream"
    content_encoding: str | None = None
    content_language: str | None = None
    content_disposition: str | None = None
    cache_control: str | None = None
    content_md5: bytes | None = None

    def with_md5(self, md5: bytes) -> ContentHeaders:
        """The same with the MD5 of a content."""
        return ContentHeaders(
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            content_language=self.content_language,
            content_disposition=self.content_disposition,
            cache_control=self.cache_control,
            content_md5=md5,
        )


class BlobKind(Enum):
    """What a blob is made of (`x-ms-blob-type`)."""

    BLOCK = "BlockBlob"
    APPEND = "AppendBlob"


class Tier(Enum):
    """An access tier of block blobs."""

    HOT = "Hot"
    COOL = "Cool"
    COLD = "Cold"
    ARCHIVE = "Archive"


@record(frozen=True, slots=True, kw_only=True)
class Tiering:
    """The tier that a blob was put into; a blob without one has the account's."""

    tier: Tier
    changed: datetime
    rehydrates_to: Tier | None = None
    """Where it is on the way to, from the archive."""
    rehydrated: datetime | None = None
    """When it arrives there."""
    priority: str = ""


@record(frozen=True, slots=True, kw_only=True)
class CopyRecord:
    """The last copy that made a blob's content."""

    copy_id: str
    source: str
    """The URL without its signature."""
    completed: datetime
    size_bytes: int


@record(frozen=True, slots=True, kw_only=True)
class Blob:
    """A committed block or append blob, or a snapshot of one; `etag` is without quotes."""

    key: BlobKey
    etag: str
    created: datetime
    modified: datetime
    headers: ContentHeaders
    metadata: Metadata
    segments: tuple[Segment, ...]
    size_bytes: int
    kind: BlobKind = BlobKind.BLOCK
    tiering: Tiering | None = None
    tags: Metadata = ()
    lease: Lease | None = None
    copy: CopyRecord | None = None
    appended_blocks: int = 0
    sealed: bool = False


@record(frozen=True, slots=True, kw_only=True)
class Block:
    """A block that is uploaded and not yet part of its blob."""

    key: BlockKey
    segment: Segment


@record(frozen=True, slots=True, kw_only=True)
class Settings:
    """The Blob service's settings: each section's XML as it was set, by its name."""

    key: SettingsKey
    sections: tuple[tuple[str, str], ...]


Record = Container | Blob | Block | Settings
Key = ContainerKey | BlobKey | BlockKey | SettingsKey
