"""How blobs change between access tiers, and what an archived one refuses.

Tiers are labels here: what is archived lies where all contents lie. Source: "Set Blob Tier" and
"Blob rehydration from the archive tier". It must not know how a request names a tier.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runner.emulator.blob.core.records import Blob, BlobKind, Tier, Tiering
from runner.emulator.blob.core.refusals import (
    ACCESS_TIER_NOT_SUPPORTED,
    BLOB_ARCHIVED,
    BLOB_BEING_REHYDRATED,
    RefusedError,
)

DEFAULT_TIER = Tier.HOT
"""The account's, of blobs that were not put into one."""


def find_tiering(blob: Blob, now: datetime) -> Tiering | None:
    """The blob's tier by now; None where it has the account's."""
    tiering = blob.tiering
    if tiering is None or tiering.rehydrated is None or now < tiering.rehydrated:
        return tiering
    assert tiering.rehydrates_to is not None
    return Tiering(tier=tiering.rehydrates_to, changed=tiering.rehydrated)


def check_online(blob: Blob, now: datetime) -> None:
    """Refuses (409) a blob whose content is in the archive."""
    tiering = find_tiering(blob, now)
    if tiering is not None and tiering.tier is Tier.ARCHIVE:
        raise RefusedError(BLOB_ARCHIVED)


def move_blob(
    blob: Blob, tier: Tier, *, priority: str, delay: timedelta, now: datetime
) -> tuple[Blob, bool]:
    """The blob in the tier, or on its way there from the archive; and whether it has arrived."""
    if blob.kind is not BlobKind.BLOCK:
        raise RefusedError(ACCESS_TIER_NOT_SUPPORTED)
    present = find_tiering(blob, now)
    if present is None or present.tier is not Tier.ARCHIVE or tier is Tier.ARCHIVE:
        if present is not None and present.rehydrates_to is not None:
            raise RefusedError(BLOB_BEING_REHYDRATED)
        return replace(blob, tiering=Tiering(tier=tier, changed=now)), True
    if present.rehydrates_to not in (None, tier):
        raise RefusedError(BLOB_BEING_REHYDRATED)
    moving = replace(
        present,
        rehydrates_to=tier,
        rehydrated=present.rehydrated or now + delay,
        priority=priority or present.priority or "Standard",
    )
    return replace(blob, tiering=moving), False
