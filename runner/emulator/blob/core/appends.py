"""How append blobs grow, and how they are sealed.

It must not know how a block's content arrives.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from runner.emulator.blob.core import leases
from runner.emulator.blob.core.blobs import find_for_change
from runner.emulator.blob.core.conditions import Conditions
from runner.emulator.blob.core.names import MAXIMUM_COMMITTED_BLOCKS
from runner.emulator.blob.core.records import Blob, BlobKey, BlobKind, Segment
from runner.emulator.blob.core.refusals import (
    APPEND_POSITION_CONDITION_NOT_MET,
    BLOB_SEALED,
    COMMITTED_BLOCK_COUNT_EXCEEDED,
    INVALID_BLOB_TYPE,
    MAX_BLOB_SIZE_CONDITION_NOT_MET,
    RefusedError,
)
from runner.emulator.blob.core.state import State
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Appending:
    """Where a block is appended, and on which conditions."""

    key: BlobKey
    size_bytes: int
    conditions: Conditions
    position: int | None = None
    """The size that the blob must have before."""
    maximum_bytes: int | None = None
    """The size that it may have afterwards."""


def check_appending(state: State, appending: Appending, now: datetime) -> Blob:
    """Refuses what may not be appended, before and after its content has arrived."""
    blob = _find_append_blob(state, appending.key, appending.conditions, now)
    if blob.sealed:
        raise RefusedError(BLOB_SEALED)
    if appending.position not in (None, blob.size_bytes):
        raise RefusedError(APPEND_POSITION_CONDITION_NOT_MET)
    maximum = appending.maximum_bytes
    if maximum is not None and blob.size_bytes + appending.size_bytes > maximum:
        raise RefusedError(MAX_BLOB_SIZE_CONDITION_NOT_MET)
    if blob.appended_blocks >= MAXIMUM_COMMITTED_BLOCKS:
        raise RefusedError(COMMITTED_BLOCK_COUNT_EXCEEDED)
    return blob


def append_block(state: State, appending: Appending, segment: Segment, now: datetime) -> Blob:
    """Adds the segment at the end; the caller's reference to it goes to the blob.

    Refuses as `check_appending` does, and then leaves the reference with the caller.
    """
    blob = check_appending(state, appending, now)
    segments = state.contents.join(blob.segments, segment)
    changed = replace(
        blob,
        segments=segments,
        size_bytes=blob.size_bytes + segment.size_bytes,
        appended_blocks=blob.appended_blocks + 1,
        etag=state.etags.next(now),
        modified=now,
        lease=leases.after_write(blob.lease, now),
    )
    state.catalogue.put(changed)
    return changed


def seal_blob(
    state: State, key: BlobKey, conditions: Conditions, position: int | None, now: datetime
) -> Blob:
    """Lets nothing be appended any more; sealing again changes nothing."""
    blob = _find_append_blob(state, key, conditions, now)
    if position not in (None, blob.size_bytes):
        raise RefusedError(APPEND_POSITION_CONDITION_NOT_MET)
    if blob.sealed:
        return blob
    changed = replace(blob, sealed=True, etag=state.etags.next(now), modified=now)
    state.catalogue.put(changed)
    return changed


def _find_append_blob(state: State, key: BlobKey, conditions: Conditions, now: datetime) -> Blob:
    blob = find_for_change(state, key, conditions, now)
    if blob.kind is not BlobKind.APPEND:
        raise RefusedError(INVALID_BLOB_TYPE)
    return blob
