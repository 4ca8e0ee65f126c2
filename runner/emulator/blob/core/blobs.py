"""How blobs change: whole contents, metadata, headers, and their end.

It must not know how a request asks for it, nor of blocks before they are committed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runner.emulator.blob.core.conditions import (
    NO_CONDITIONS,
    Conditions,
    check_read,
    check_replace,
    check_write,
)
from runner.emulator.blob.core.containers import find_container
from runner.emulator.blob.core.names import check_blob_name, check_metadata
from runner.emulator.blob.core.records import (
    Blob,
    BlobKey,
    ContentHeaders,
    Metadata,
    Segment,
)
from runner.emulator.blob.core.refusals import (
    BLOB_NOT_FOUND,
    UNAUTHORIZED_BLOB_OVERWRITE,
    RefusedError,
)
from runner.emulator.blob.core.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What a new content comes with."""

    key: BlobKey
    headers: ContentHeaders
    metadata: Metadata
    conditions: Conditions = NO_CONDITIONS
    may_overwrite: bool = True
    """False for a signature that permits to create, and not to write."""


def check_writing(state: State, writing: Writing) -> Blob | None:
    """Refuses what may not be written, before and after its content has arrived.

    Returns the blob that it replaces.
    """
    find_container(state, writing.key.container)
    check_blob_name(writing.key.blob)
    check_metadata(writing.metadata)
    existing = state.catalogue.blob(writing.key.container, writing.key.blob)
    if existing is None:
        check_replace(writing.conditions, None, None)
        return None
    check_replace(writing.conditions, existing.etag, existing.modified)
    if not writing.may_overwrite:
        raise RefusedError(UNAUTHORIZED_BLOB_OVERWRITE)
    return existing


def write_blob(
    state: State, writing: Writing, segments: tuple[Segment, ...], now: datetime
) -> Blob:
    """Makes `segments` the blob's content; uncommitted blocks are dropped.

    The caller's references to the segments go to the blob. Refuses as `check_writing` does,
    and then leaves the references with the caller.
    """
    existing = check_writing(state, writing)
    key = writing.key
    blob = Blob(
        key=key,
        etag=state.etags.next(now),
        created=existing.created if existing else now,
        modified=now,
        headers=writing.headers,
        metadata=writing.metadata,
        segments=segments,
        size_bytes=sum(segment.size_bytes for segment in segments),
    )
    state.catalogue.put(blob)
    drop_blocks(state, key)
    if existing:
        state.contents.release(segment.content for segment in existing.segments)
    return blob


def drop_blocks(state: State, key: BlobKey) -> None:
    """Forgets the uncommitted blocks of a blob."""
    for block in tuple(state.catalogue.blocks(key.container, key.blob).values()):
        state.catalogue.delete(block.key)
        state.contents.release((block.segment.content,))


def find_blob(state: State, container: str, name: str) -> Blob:
    """The blob; refuses where it or its container is not there."""
    blob = state.catalogue.blob(container, name)
    if blob is None:
        find_container(state, container)
        check_blob_name(name)
        raise RefusedError(BLOB_NOT_FOUND)
    return blob


def read_blob(state: State, container: str, name: str, conditions: Conditions) -> Blob:
    """The blob, if the conditions hold."""
    blob = find_blob(state, container, name)
    check_read(conditions, blob.etag, blob.modified)
    return blob


def set_metadata(
    state: State, key: BlobKey, metadata: Metadata, conditions: Conditions, now: datetime
) -> Blob:
    """Replaces the metadata."""
    check_metadata(metadata)
    return _change(state, key, conditions, now, metadata=metadata)


def set_headers(
    state: State, key: BlobKey, headers: ContentHeaders, conditions: Conditions, now: datetime
) -> Blob:
    """Replaces the stored HTTP headers."""
    return _change(state, key, conditions, now, headers=headers)


def delete_blob(state: State, key: BlobKey, conditions: Conditions) -> None:
    """Deletes the blob; its uncommitted blocks go with it."""
    blob = find_blob(state, key.container, key.blob)
    check_write(conditions, blob.etag, blob.modified)
    state.catalogue.delete(key)
    drop_blocks(state, key)
    state.contents.release(segment.content for segment in blob.segments)


def _change(
    state: State,
    key: BlobKey,
    conditions: Conditions,
    now: datetime,
    *,
    metadata: Metadata | None = None,
    headers: ContentHeaders | None = None,
) -> Blob:
    blob = find_blob(state, key.container, key.blob)
    check_write(conditions, blob.etag, blob.modified)
    changed = replace(
        blob,
        metadata=blob.metadata if metadata is None else metadata,
        headers=blob.headers if headers is None else headers,
        etag=state.etags.next(now),
        modified=now,
    )
    state.catalogue.put(changed)
    return changed
