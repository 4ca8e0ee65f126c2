"""How blobs change: whole contents, metadata, headers, tags, tiers, leases, and their end.

It must not know how a request asks for it, nor of blocks before they are committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from runner.emulator.blob.core import leases, tiers
from runner.emulator.blob.core.conditions import (
    NO_CONDITIONS,
    Conditions,
    check_read,
    check_replace,
    check_write,
)
from runner.emulator.blob.core.containers import find_container
from runner.emulator.blob.core.leases import Leased
from runner.emulator.blob.core.names import check_blob_name, check_metadata
from runner.emulator.blob.core.records import (
    Blob,
    BlobKey,
    BlobKind,
    ContentHeaders,
    CopyRecord,
    Lease,
    Metadata,
    Segment,
    Tier,
    Tiering,
)
from runner.emulator.blob.core.refusals import (
    ACCESS_TIER_NOT_SUPPORTED,
    BLOB_NOT_FOUND,
    SNAPSHOT_REFUSED,
    SNAPSHOTS_PRESENT,
    UNAUTHORIZED_BLOB_OVERWRITE,
    RefusedError,
)
from runner.emulator.blob.core.state import State
from runner.emulator.blob.core.tags import check_tags


# Not frozen, as requests are not: one is made for each that writes.
@dataclass(slots=True, kw_only=True, eq=False)
class Writing:
    """What a new content comes with."""

    key: BlobKey
    headers: ContentHeaders
    metadata: Metadata
    conditions: Conditions = NO_CONDITIONS
    may_overwrite: bool = True
    """False for a signature that permits to create, and not to write."""
    kind: BlobKind = BlobKind.BLOCK
    tier: Tier | None = None
    """None: the account's."""
    tags: Metadata = ()
    copy: CopyRecord | None = None


def check_writing(state: State, writing: Writing, now: datetime) -> Blob | None:
    """Refuses what may not be written, before and after its content has arrived.

    Returns the blob that it replaces.
    """
    key = writing.key
    existing = state.catalogue.blob(key.container, key.blob)
    if existing is None:
        find_container(state, key.container)
        check_blob_name(key.blob)
    if writing.metadata:
        check_metadata(writing.metadata)
    if writing.tags:
        check_tags(writing.tags)
    if writing.tier is not None and writing.kind is not BlobKind.BLOCK:
        raise RefusedError(ACCESS_TIER_NOT_SUPPORTED)
    conditions = writing.conditions
    if existing is None:
        check_replace(conditions, None, None)
        leases.check_write(None, conditions.lease_id, Leased.BLOB, now)
        return None
    if conditions.lease_id is not None:
        # As recorded: who holds the lease replaces the blob in spite of `If-None-Match: *`.
        leases.check_write(existing.lease, conditions.lease_id, Leased.BLOB, now)
        if conditions.if_none_match == "*":
            conditions = replace(conditions, if_none_match=None)
    check_replace(conditions, existing.etag, existing.modified, existing.tags)
    leases.check_write(existing.lease, conditions.lease_id, Leased.BLOB, now)
    if not writing.may_overwrite:
        raise RefusedError(UNAUTHORIZED_BLOB_OVERWRITE)
    if existing.tiering is not None:
        tiers.check_online(existing, now)
    return existing


def write_blob(
    state: State, writing: Writing, segments: tuple[Segment, ...], now: datetime
) -> Blob:
    """Makes `segments` the blob's content; uncommitted blocks are dropped.

    The caller's references to the segments go to the blob. Refuses as `check_writing` does,
    and then leaves the references with the caller.
    """
    return put_in_place(state, writing, segments, check_writing(state, writing, now), now)


def put_in_place(
    state: State,
    writing: Writing,
    segments: tuple[Segment, ...],
    existing: Blob | None,
    now: datetime,
) -> Blob:
    """As `write_blob`, where `check_writing` gave `existing` and nothing has happened since."""
    key = writing.key
    blob = Blob(
        key=key,
        etag=state.etags.next(now),
        created=existing.created if existing else now,
        modified=now,
        headers=writing.headers,
        metadata=writing.metadata,
        segments=segments,
        size_bytes=_add_up(segments),
        kind=writing.kind,
        tiering=Tiering(tier=writing.tier, changed=now) if writing.tier else None,
        tags=check_tags(writing.tags) if writing.tags else (),
        lease=leases.after_write(existing.lease, now) if existing else None,
        copy=writing.copy,
    )
    state.catalogue.put(blob)
    drop_blocks(state, key)
    if existing:
        state.contents.release(segment.content for segment in existing.segments)
    return blob


def drop_blocks(state: State, key: BlobKey) -> None:
    """Forgets the uncommitted blocks of a blob."""
    blocks = state.catalogue.blocks(key.container, key.blob)
    if not blocks:
        return
    for block in tuple(blocks.values()):
        state.catalogue.delete(block.key)
        state.contents.release((block.segment.content,))


def find_blob(state: State, key: BlobKey) -> Blob:
    """The blob, or the snapshot of the key; refuses where it or its container is not there."""
    catalogue = state.catalogue
    if key.snapshot:
        blob = catalogue.snapshots(key.container, key.blob).get(key.snapshot)
    else:
        blob = catalogue.blob(key.container, key.blob)
    if blob is None:
        find_container(state, key.container)
        check_blob_name(key.blob)
        raise RefusedError(BLOB_NOT_FOUND)
    return blob


def read_blob(state: State, key: BlobKey, conditions: Conditions, now: datetime) -> Blob:
    """The blob, if the conditions hold."""
    blob = find_blob(state, key)
    if conditions is not NO_CONDITIONS:
        check_read(conditions, blob.etag, blob.modified, blob.tags)
        leases.check_read(blob.lease, conditions.lease_id, Leased.BLOB, now)
    return blob


def find_for_change(state: State, key: BlobKey, conditions: Conditions, now: datetime) -> Blob:
    """The blob, if the conditions and its lease let it be changed."""
    blob = find_blob(state, key)
    check_write(conditions, blob.etag, blob.modified, blob.tags)
    leases.check_write(blob.lease, conditions.lease_id, Leased.BLOB, now)
    return blob


def set_metadata(
    state: State, key: BlobKey, metadata: Metadata, conditions: Conditions, now: datetime
) -> Blob:
    """Replaces the metadata."""
    check_metadata(metadata)
    blob = find_for_change(state, key, conditions, now)
    return _renew(state, replace(blob, metadata=metadata), now)


def set_headers(
    state: State, key: BlobKey, headers: ContentHeaders, conditions: Conditions, now: datetime
) -> Blob:
    """Replaces the stored HTTP headers."""
    blob = find_for_change(state, key, conditions, now)
    return _renew(state, replace(blob, headers=headers), now)


def set_tags(
    state: State, key: BlobKey, tags: Metadata, conditions: Conditions, now: datetime
) -> None:
    """Replaces the tags; they have a version of their own, so the ETag stays."""
    checked = check_tags(tags)
    blob = find_for_change(state, key, conditions, now)
    state.catalogue.put(replace(blob, tags=checked))


def set_tier(
    state: State, key: BlobKey, tier: Tier, priority: str, conditions: Conditions, now: datetime
) -> bool:
    """Puts the blob into a tier; False where it is only on its way there. The ETag stays."""
    blob = find_blob(state, key)
    check_write(conditions, blob.etag, blob.modified, blob.tags)
    leases.check_read(blob.lease, conditions.lease_id, Leased.BLOB, now)
    moved, arrived = tiers.move_blob(
        blob, tier, priority=priority, delay=state.rehydration_delay, now=now
    )
    state.catalogue.put(moved)
    return arrived


def change_lease(
    state: State,
    key: BlobKey,
    action: leases.LeaseAction,
    conditions: Conditions,
    now: datetime,
) -> Blob:
    """Begins, changes or ends the blob's lease; its ETag stays."""
    blob = find_blob(state, key)
    check_write(conditions, blob.etag, blob.modified, blob.tags)
    lease: Lease | None = leases.apply_action(blob.lease, action, Leased.BLOB, now)
    changed = replace(blob, lease=lease)
    state.catalogue.put(changed)
    return changed


def take_snapshot(
    state: State, key: BlobKey, metadata: Metadata, conditions: Conditions, now: datetime
) -> Blob:
    """Keeps the blob as it is; without metadata of its own the snapshot has the blob's."""
    check_metadata(metadata)
    blob = find_blob(state, key)
    check_write(conditions, blob.etag, blob.modified, blob.tags)
    leases.check_read(blob.lease, conditions.lease_id, Leased.BLOB, now)
    tiers.check_online(blob, now)
    snapshot = replace(
        blob,
        key=replace(key, snapshot=_name_snapshot(state, key, now)),
        metadata=metadata or blob.metadata,
        lease=None,
    )
    state.contents.hold(snapshot.segments)
    state.catalogue.put(snapshot)
    return snapshot


def delete_blob(
    state: State, key: BlobKey, conditions: Conditions, snapshots: str | None, now: datetime
) -> None:
    """Deletes the blob or the snapshot; uncommitted blocks go with the blob.

    `snapshots` says what becomes of those of a blob: `include`, `only`, or None: there are none.
    """
    blob = find_for_change(state, key, conditions, now)
    if key.snapshot:
        if snapshots is not None:
            raise RefusedError(SNAPSHOT_REFUSED)
        _delete(state, (blob,))
        return
    taken = tuple(state.catalogue.snapshots(key.container, key.blob).values())
    if taken and snapshots is None:
        raise RefusedError(SNAPSHOTS_PRESENT)
    _delete(state, taken)
    if snapshots != "only":
        _delete(state, (blob,))
        drop_blocks(state, key)


def _add_up(segments: tuple[Segment, ...]) -> int:
    if len(segments) == 1:
        # Of the many small blobs, each shares the number with its segment.
        return segments[0].size_bytes
    return sum(segment.size_bytes for segment in segments)


def _delete(state: State, blobs: Iterable[Blob]) -> None:
    for blob in blobs:
        state.catalogue.delete(blob.key)
        state.contents.release(segment.content for segment in blob.segments)


def _renew(state: State, blob: Blob, now: datetime) -> Blob:
    changed = replace(
        blob,
        etag=state.etags.next(now),
        modified=now,
        lease=leases.after_write(blob.lease, now),
    )
    state.catalogue.put(changed)
    return changed


def _name_snapshot(state: State, key: BlobKey, now: datetime) -> str:
    # Seven digits, as the service has; the last tells apart what one microsecond saw.
    taken = state.catalogue.snapshots(key.container, key.blob)
    last = max(taken, default="")
    name = now.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    if name > last:
        return name
    digits = int(last[20:27]) + 1
    return f"{last[:20]}{digits:07}Z"
