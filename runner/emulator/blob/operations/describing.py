"""The headers by which answers describe blobs and containers.

It must not know which operation answers.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.blob.access.grant import SignatureGrant
from runner.emulator.blob.core.leases import LeaseState, find_state
from runner.emulator.blob.core.records import Blob, BlobKind, Container, Lease, PublicAccess
from runner.emulator.blob.core.tiers import DEFAULT_TIER, find_tiering
from runner.emulator.blob.operations.call import (
    Call,
    Headers,
    format_date,
    metadata_headers,
    version_headers,
)

_UNLEASED: Headers = (("x-ms-lease-status", "unlocked"), ("x-ms-lease-state", "available"))


def describe_container(container: Container, now: datetime) -> Headers:
    """What "Get Container Properties" gives."""
    access = container.access
    return (
        *version_headers(container),
        *metadata_headers(container.metadata),
        *describe_lease(container.lease, now),
        *((("x-ms-blob-public-access", access.value),) if access is not PublicAccess.NONE else ()),
        ("x-ms-has-immutability-policy", "false"),
        ("x-ms-has-legal-hold", "false"),
        ("x-ms-immutable-storage-with-versioning-enabled", "false"),
        ("x-ms-default-encryption-scope", "$account-encryption-key"),
        ("x-ms-deny-encryption-scope-override", "false"),
    )


def describe_lease(lease: Lease | None, now: datetime) -> Headers:
    """The state of a lease."""
    if lease is None:
        return _UNLEASED
    state = find_state(lease, now)
    locked = state in (LeaseState.LEASED, LeaseState.BREAKING)
    headers: Headers = (
        ("x-ms-lease-status", "locked" if locked else "unlocked"),
        ("x-ms-lease-state", state.value),
    )
    if state is LeaseState.LEASED:
        kind = "infinite" if lease.duration_seconds is None else "fixed"
        headers += (("x-ms-lease-duration", kind),)
    return headers


def describe_blob(call: Call, blob: Blob) -> Headers:
    """What "Get Blob" and "Get Blob Properties" both give."""
    now = call.clock()
    headers = blob.headers
    optional = (
        ("Content-Encoding", headers.content_encoding),
        ("Content-Language", headers.content_language),
        ("Content-Disposition", headers.content_disposition),
        ("Cache-Control", headers.cache_control),
    )
    described: Headers = (
        ("Content-Type", headers.content_type),
        *((name, value) for name, value in optional if value),
        *version_headers(blob),
        *metadata_headers(blob.metadata),
        ("Accept-Ranges", "bytes"),
        ("x-ms-creation-time", format_date(blob.created)),
        ("x-ms-blob-type", blob.kind.value),
        # Snapshots have no lease of their own.
        *(() if blob.key.snapshot else describe_lease(blob.lease, now)),
        ("x-ms-server-encrypted", "true"),
    )
    if blob.kind is BlobKind.APPEND:
        described += (("x-ms-blob-committed-block-count", str(blob.appended_blocks)),)
        if blob.sealed:
            described += (("x-ms-blob-sealed", "true"),)
    if blob.tags:
        described += (("x-ms-tag-count", str(len(blob.tags))),)
    if blob.copy is not None:
        described += _describe_copy(blob)
    return _apply_overrides(call, described)


def describe_tier(blob: Blob, now: datetime) -> Headers:
    """The tier, of block blobs alone."""
    if blob.kind is not BlobKind.BLOCK:
        return ()
    tiering = find_tiering(blob, now)
    if tiering is None:
        return (
            ("x-ms-access-tier", DEFAULT_TIER.value),
            ("x-ms-access-tier-inferred", "true"),
        )
    headers: Headers = (
        ("x-ms-access-tier", tiering.tier.value),
        ("x-ms-access-tier-change-time", format_date(tiering.changed)),
    )
    if tiering.rehydrates_to is not None:
        headers += (
            ("x-ms-archive-status", f"rehydrate-pending-to-{tiering.rehydrates_to.value.lower()}"),
            ("x-ms-rehydrate-priority", tiering.priority),
        )
    return headers


def _describe_copy(blob: Blob) -> Headers:
    copy = blob.copy
    assert copy is not None
    return (
        ("x-ms-copy-id", copy.copy_id),
        ("x-ms-copy-source", copy.source),
        ("x-ms-copy-status", "success"),
        ("x-ms-copy-progress", f"{copy.size_bytes}/{copy.size_bytes}"),
        ("x-ms-copy-completion-time", format_date(copy.completed)),
    )


def _apply_overrides(call: Call, headers: Headers) -> Headers:
    grant = call.grant
    if not isinstance(grant, SignatureGrant) or not grant.response_headers:
        return headers
    replaced = {name for name, _ in grant.response_headers}
    return tuple(h for h in headers if h[0] not in replaced) + grant.response_headers
