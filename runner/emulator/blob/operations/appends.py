"""The operations on an append blob.

It must not know how a request was routed here.
"""

from __future__ import annotations

from runner.emulator.blob.core import appends
from runner.emulator.blob.core.names import MAXIMUM_APPEND_BLOCK_BYTES
from runner.emulator.blob.core.records import Blob, Segment
from runner.emulator.blob.core.refusals import RefusedError, header_refused
from runner.emulator.blob.operations.blobs import check_md5, receive
from runner.emulator.blob.operations.call import (
    ENCRYPTED,
    Call,
    encode_md5,
    read_conditions,
    read_content_length,
    read_md5,
    read_number,
    version_headers,
)
from runner.emulator.server.http import Response


async def append_block(call: Call) -> Response:
    """Append Block."""
    headers = call.request.headers
    size_bytes = read_content_length(headers, maximum_bytes=MAXIMUM_APPEND_BLOCK_BYTES)
    if not size_bytes:
        raise header_refused("Content-Length", "0")
    expected = read_md5(headers, "content-md5")
    appending = read_appending(call, size_bytes)
    appends.check_appending(call.state, appending, call.clock())
    segments, md5 = await receive(call, size_bytes)
    check_md5(call, segments, (expected,), md5)
    (segment,) = segments
    return answer_appended(*append_received(call, appending, segment), md5)


def read_appending(call: Call, size_bytes: int) -> appends.Appending:
    """Where a block of so many bytes is to go."""
    headers = call.request.headers
    return appends.Appending(
        key=call.key,
        size_bytes=size_bytes,
        conditions=read_conditions(headers),
        position=read_number(headers, "x-ms-blob-condition-appendpos"),
        maximum_bytes=read_number(headers, "x-ms-blob-condition-maxsize"),
    )


def append_received(call: Call, appending: appends.Appending, segment: Segment) -> tuple[Blob, int]:
    """Adds what was received, or lets go of it; gives the blob and where the block begins."""
    try:
        blob = appends.append_block(call.state, appending, segment, call.clock())
    except RefusedError:
        call.state.contents.release((segment.content,))
        raise
    return blob, blob.size_bytes - appending.size_bytes


def answer_appended(blob: Blob, offset: int, md5: bytes) -> Response:
    """The answer to a block that was added."""
    return Response(
        status=201,
        headers=(
            *version_headers(blob),
            ("Content-MD5", encode_md5(md5)),
            ("x-ms-blob-append-offset", str(offset)),
            ("x-ms-blob-committed-block-count", str(blob.appended_blocks)),
            ENCRYPTED,
        ),
    )


async def seal(call: Call) -> Response:
    """Append Blob Seal."""
    headers = call.request.headers
    blob = appends.seal_blob(
        call.state,
        call.key,
        read_conditions(headers),
        read_number(headers, "x-ms-blob-condition-appendpos"),
        call.clock(),
    )
    return Response(status=200, headers=(*version_headers(blob), ("x-ms-blob-sealed", "true")))
