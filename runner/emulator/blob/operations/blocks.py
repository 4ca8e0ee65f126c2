"""The operations on a blob's blocks.

It must not know how a request was routed here.
"""

from __future__ import annotations

import hashlib

from runner.emulator.blob.core import blobs, blocks, leases
from runner.emulator.blob.core.leases import Leased
from runner.emulator.blob.core.names import MAXIMUM_BLOCK_BYTES
from runner.emulator.blob.core.records import Blob, BlobKind, Segment
from runner.emulator.blob.core.refusals import (
    INVALID_BLOB_TYPE,
    MISSING_REQUIRED_QUERY_PARAMETER,
    REQUEST_BODY_TOO_LARGE,
    RefusedError,
    header_refused,
    md5_refused,
    query_refused,
)
from runner.emulator.blob.operations.blobs import check_md5, receive
from runner.emulator.blob.operations.call import (
    ENCRYPTED,
    Call,
    encode_md5,
    read_conditions,
    read_content_headers,
    read_content_length,
    read_id,
    read_md5,
    read_metadata,
    read_tags,
    read_tier,
    version_headers,
)
from runner.emulator.blob.operations.documents import parse_block_list, write_blocks
from runner.emulator.blob.operations.pages import xml_response
from runner.emulator.server.http import ContentTooLargeError, Response
from runner.emulator.storage.record import record

# 50,000 entries of the longest ids, with room for white space.
_MAXIMUM_LIST_BYTES = 16 * 1024 * 1024


@record(frozen=True, slots=True, kw_only=True)
class Staging:
    """A block that may be uploaded, as far as its content is not looked at."""

    block_id: str
    size_bytes: int
    expected: bytes | None
    """The MD5 that the content must have, where it is given."""


async def put_block(call: Call) -> Response:
    """Put Block."""
    staging = begin_block(call)
    segments, md5 = await receive(call, staging.size_bytes)
    return finish_block(call, staging, segments, md5)


def begin_block(call: Call) -> Staging:
    """What is to be uploaded; refuses what may not be, before its content arrives."""
    headers = call.request.headers
    block_id = read_block_id(call)
    size_bytes = read_content_length(headers, maximum_bytes=MAXIMUM_BLOCK_BYTES)
    if not size_bytes:
        raise header_refused("Content-Length", "0")
    expected = read_md5(headers, "content-md5")
    lease_id = read_id(headers, "x-ms-lease-id")
    blocks.check_block(call.state, call.key, block_id, lease_id, call.clock())
    return Staging(block_id=block_id, size_bytes=size_bytes, expected=expected)


def finish_block(
    call: Call, staging: Staging, segments: tuple[Segment, ...], md5: bytes
) -> Response:
    """Keeps the content that was taken in as a block, or lets go of it."""
    check_md5(call, segments, (staging.expected,), md5)
    (segment,) = segments
    stage_received(call, staging.block_id, segment)
    return Response(status=201, headers=(("Content-MD5", encode_md5(md5)), ENCRYPTED))


def read_block_id(call: Call) -> str:
    """The id that a block is to have."""
    block_id = call.query.get("blockid")
    if block_id is None:
        details = (("QueryParameterName", "blockid"),)
        raise RefusedError(MISSING_REQUIRED_QUERY_PARAMETER, details=details)
    return block_id


def stage_received(call: Call, block_id: str, segment: Segment) -> None:
    """Keeps what was received as a block, or lets go of it."""
    lease_id = read_id(call.request.headers, "x-ms-lease-id")
    try:
        blocks.stage_block(
            call.state, call.key, block_id, segment, lease_id=lease_id, now=call.clock()
        )
    except RefusedError:
        call.state.contents.release((segment.content,))
        raise


async def put_block_list(call: Call) -> Response:
    """Put Block List."""
    headers = call.request.headers
    writing = blobs.Writing(
        key=call.key,
        headers=read_content_headers(headers),
        metadata=read_metadata(call.request),
        conditions=read_conditions(headers),
        may_overwrite=call.may_overwrite,
        tier=read_tier(headers),
        tags=read_tags(headers),
    )
    expected = read_md5(headers, "content-md5")
    blobs.check_writing(call.state, writing, call.clock())
    try:
        document = await call.request.read(limit_bytes=_MAXIMUM_LIST_BYTES)
    except ContentTooLargeError as error:
        raise RefusedError(REQUEST_BODY_TOO_LARGE) from error
    md5 = hashlib.md5(document, usedforsecurity=False).digest()
    if expected is not None and expected != md5:
        raise md5_refused(expected, md5)
    entries = parse_block_list(document)
    blob = blocks.commit_blocks(call.state, writing, entries, call.clock())
    return Response(
        status=201,
        headers=(("Content-MD5", encode_md5(md5)), *version_headers(blob), ENCRYPTED),
    )


async def get_block_list(call: Call) -> Response:
    """Get Block List."""
    which = call.query.get("blocklisttype", "committed").lower()
    if which not in ("committed", "uncommitted", "all"):
        raise query_refused("blocklisttype", which, "It is none of committed, uncommitted, all.")
    key = call.key
    blob = _find_listed(call)
    staged = {} if key.snapshot else call.state.catalogue.blocks(key.container, key.blob)
    committed: tuple[Segment, ...] = blob.segments if blob else ()
    text = "<BlockList>"
    if which != "uncommitted":
        text += write_blocks("CommittedBlocks", committed)
    if which != "committed":
        text += write_blocks("UncommittedBlocks", (b.segment for b in staged.values()))
    response = xml_response(text + "</BlockList>")
    size = (("x-ms-blob-content-length", str(blob.size_bytes if blob else 0)),)
    versions = version_headers(blob) if blob else ()
    return Response(status=200, headers=response.headers + versions + size, body=response.body)


def _find_listed(call: Call) -> Blob | None:
    """The blob whose blocks are listed; None where it has only uncommitted ones."""
    key = call.key
    conditions = read_conditions(call.request.headers)
    if (
        not key.snapshot
        and call.state.catalogue.blob(key.container, key.blob) is None
        and call.state.catalogue.blocks(key.container, key.blob)
    ):
        leases.check_read(None, conditions.lease_id, Leased.BLOB, call.clock())
        return None
    blob = blobs.read_blob(call.state, key, conditions, call.clock())
    if blob.kind is not BlobKind.BLOCK:
        raise RefusedError(INVALID_BLOB_TYPE)
    return blob
