"""The operations on a blob's blocks.

It must not know how a request was routed here.
"""

from __future__ import annotations

import hashlib

from runner.emulator.blob.core import blobs, blocks
from runner.emulator.blob.core.names import MAXIMUM_BLOCK_BYTES
from runner.emulator.blob.core.records import Segment
from runner.emulator.blob.core.refusals import (
    BLOB_NOT_FOUND,
    MD5_MISMATCH,
    MISSING_REQUIRED_QUERY_PARAMETER,
    REQUEST_BODY_TOO_LARGE,
    RefusedError,
    header_refused,
    query_refused,
)
from runner.emulator.blob.operations.blobs import receive
from runner.emulator.blob.operations.call import (
    Call,
    check_no_lease,
    encode_md5,
    read_conditions,
    read_content_headers,
    read_content_length,
    read_md5,
    read_metadata,
    version_headers,
)
from runner.emulator.blob.operations.documents import parse_block_list, write_blocks
from runner.emulator.blob.operations.pages import xml_response
from runner.emulator.server.http import ContentTooLargeError, Response

# 50,000 entries of the longest ids, with room for white space.
_MAXIMUM_LIST_BYTES = 16 * 1024 * 1024


async def put_block(call: Call) -> Response:
    """Put Block."""
    headers = call.request.headers
    block_id = call.query.get("blockid")
    if block_id is None:
        details = (("QueryParameterName", "blockid"),)
        raise RefusedError(MISSING_REQUIRED_QUERY_PARAMETER, details=details)
    size_bytes = read_content_length(headers, maximum_bytes=MAXIMUM_BLOCK_BYTES)
    if not size_bytes:
        raise header_refused("Content-Length", "0")
    expected = read_md5(headers, "content-md5")
    blocks.check_block(call.state, call.key, block_id)
    check_no_lease(call)
    (segment,), md5 = await receive(call, size_bytes, (expected,))
    try:
        blocks.stage_block(call.state, call.key, block_id, segment)
    except RefusedError:
        call.state.contents.release((segment.content,))
        raise
    return Response(
        status=201,
        headers=(("Content-MD5", encode_md5(md5)), ("x-ms-request-server-encrypted", "true")),
    )


async def put_block_list(call: Call) -> Response:
    """Put Block List."""
    headers = call.request.headers
    writing = blobs.Writing(
        key=call.key,
        headers=read_content_headers(headers),
        metadata=read_metadata(headers),
        conditions=read_conditions(headers),
        may_overwrite=call.may_overwrite,
    )
    expected = read_md5(headers, "content-md5")
    blobs.check_writing(call.state, writing)
    check_no_lease(call)
    try:
        document = await call.request.read(limit_bytes=_MAXIMUM_LIST_BYTES)
    except ContentTooLargeError as error:
        raise RefusedError(REQUEST_BODY_TOO_LARGE) from error
    md5 = hashlib.md5(document, usedforsecurity=False).digest()
    if expected not in (None, md5):
        raise RefusedError(MD5_MISMATCH)
    entries = parse_block_list(document)
    blob = blocks.commit_blocks(call.state, writing, entries, call.clock())
    return Response(
        status=201,
        headers=(*version_headers(blob), ("x-ms-request-server-encrypted", "true")),
    )


async def get_block_list(call: Call) -> Response:
    """Get Block List."""
    which = call.query.get("blocklisttype", "committed").lower()
    if which not in ("committed", "uncommitted", "all"):
        raise query_refused("blocklisttype", which, "It is none of committed, uncommitted, all.")
    container, name = call.target.container, call.target.blob
    blob = call.state.catalogue.blob(container, name)
    staged = call.state.catalogue.blocks(container, name)
    if blob is None and not staged:
        blobs.find_blob(call.state, container, name)
        raise RefusedError(BLOB_NOT_FOUND)
    check_no_lease(call)
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
