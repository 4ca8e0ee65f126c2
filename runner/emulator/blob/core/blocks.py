"""How blocks are staged and become a blob.

It must not know the XML of a block list, nor how a block's content arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum

from runner.emulator.blob.core import leases
from runner.emulator.blob.core.blobs import Writing, check_writing, write_blob
from runner.emulator.blob.core.containers import find_container
from runner.emulator.blob.core.leases import Leased
from runner.emulator.blob.core.names import (
    MAXIMUM_COMMITTED_BLOCKS,
    MAXIMUM_UNCOMMITTED_BLOCKS,
    check_blob_name,
    check_block_id,
)
from runner.emulator.blob.core.records import (
    Blob,
    BlobKey,
    BlobKind,
    Block,
    BlockKey,
    Segment,
)
from runner.emulator.blob.core.refusals import (
    BLOCK_COUNT_EXCEEDS_LIMIT,
    BLOCK_LIST_TOO_LONG,
    INVALID_BLOB_OR_BLOCK,
    INVALID_BLOB_TYPE,
    INVALID_BLOCK_LIST,
    RefusedError,
)
from runner.emulator.blob.core.state import State
from runner.emulator.storage.record import record


class Source(Enum):
    """Where an entry of a block list is looked for."""

    COMMITTED = "Committed"
    UNCOMMITTED = "Uncommitted"
    LATEST = "Latest"


@record(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a block list."""

    source: Source
    block_id: str


def check_block(
    state: State, key: BlobKey, block_id: str, lease_id: str | None, now: datetime
) -> None:
    """Refuses a block that may not be staged, before and after its content has arrived."""
    find_container(state, key.container)
    check_blob_name(key.blob)
    check_block_id(block_id)
    blob = state.catalogue.blob(key.container, key.blob)
    leases.check_write(blob.lease if blob else None, lease_id, Leased.BLOB, now)
    if blob is not None and blob.kind is not BlobKind.BLOCK:
        raise RefusedError(INVALID_BLOB_TYPE)
    staged = state.catalogue.blocks(key.container, key.blob)
    if block_id in staged:
        return
    if len(staged) >= MAXIMUM_UNCOMMITTED_BLOCKS:
        raise RefusedError(BLOCK_COUNT_EXCEEDS_LIMIT)
    # The ids of a blob's blocks must all have one length ("Put Block", remarks).
    first = next(iter(staged), None) or _first_committed_id(state, key)
    if first is not None and len(first) != len(block_id):
        raise RefusedError(INVALID_BLOB_OR_BLOCK)


def stage_block(
    state: State,
    key: BlobKey,
    block_id: str,
    segment: Segment,
    *,
    lease_id: str | None,
    now: datetime,
) -> None:
    """Keeps a block until it is committed; the caller's reference goes to it."""
    check_block(state, key, block_id, lease_id, now)
    replaced = state.catalogue.blocks(key.container, key.blob).get(block_id)
    block_key = BlockKey(container=key.container, blob=key.blob, block_id=block_id)
    state.catalogue.put(Block(key=block_key, segment=replace(segment, block_id=block_id)))
    if replaced:
        state.contents.release((replaced.segment.content,))


def commit_blocks(state: State, writing: Writing, entries: Sequence[Entry], now: datetime) -> Blob:
    """Makes the listed blocks the blob's content; blocks that are not listed are dropped."""
    if len(entries) > MAXIMUM_COMMITTED_BLOCKS:
        raise RefusedError(BLOCK_LIST_TOO_LONG)
    existing = check_writing(state, writing, now)
    if existing is not None and existing.kind is not BlobKind.BLOCK:
        raise RefusedError(INVALID_BLOB_TYPE)
    staged = {
        block_id: block.segment
        for block_id, block in state.catalogue.blocks(
            writing.key.container, writing.key.blob
        ).items()
    }
    committed = {s.block_id: s for s in existing.segments if s.block_id} if existing else {}
    segments = tuple(_find_block(entry, staged, committed) for entry in entries)
    state.contents.hold(segments)
    return write_blob(state, writing, segments, now)


def _find_block(entry: Entry, staged: dict[str, Segment], committed: dict[str, Segment]) -> Segment:
    segment = None
    if entry.source is not Source.COMMITTED:
        segment = staged.get(entry.block_id)
    if segment is None and entry.source is not Source.UNCOMMITTED:
        segment = committed.get(entry.block_id)
    if segment is None:
        raise RefusedError(INVALID_BLOCK_LIST)
    return segment


def _first_committed_id(state: State, key: BlobKey) -> str | None:
    blob = state.catalogue.blob(key.container, key.blob)
    return blob.segments[0].block_id if blob and blob.segments else None
