"""Set Blob Tier.

It must not know what a tier means.
"""

from __future__ import annotations

from runner.emulator.blob.core import blobs
from runner.emulator.blob.core.refusals import (
    MISSING_REQUIRED_HEADER,
    RefusedError,
    header_refused,
)
from runner.emulator.blob.operations.call import Call, read_conditions, read_tier
from runner.emulator.server.http import Response


async def set_tier(call: Call) -> Response:
    """Set Blob Tier: 202 where the blob is only on its way there, out of the archive."""
    headers = call.request.headers
    tier = read_tier(headers)
    if tier is None:
        raise RefusedError(MISSING_REQUIRED_HEADER, details=(("HeaderName", "x-ms-access-tier"),))
    priority = headers.get("x-ms-rehydrate-priority", "")
    if priority and priority.capitalize() not in ("Standard", "High"):
        raise header_refused("x-ms-rehydrate-priority", priority)
    arrived = blobs.set_tier(
        call.state,
        call.key,
        tier,
        priority.capitalize(),
        read_conditions(headers),
        call.clock(),
    )
    return Response(status=200 if arrived else 202)
