"""The operations on a blob: put, get, properties, metadata, delete.

It must not know how a request was routed here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from runner.emulator.blob.access.grant import SignatureGrant
from runner.emulator.blob.core import blobs
from runner.emulator.blob.core.contents import SMALL_BYTES
from runner.emulator.blob.core.names import MAXIMUM_PUT_BLOB_BYTES
from runner.emulator.blob.core.records import Blob, Segment
from runner.emulator.blob.core.refusals import (
    MD5_MISMATCH,
    MISSING_REQUIRED_HEADER,
    OUT_OF_RANGE_INPUT,
    RefusedError,
    header_refused,
    not_implemented,
)
from runner.emulator.blob.operations.call import (
    Call,
    Headers,
    check_no_lease,
    encode_md5,
    format_date,
    metadata_headers,
    read_conditions,
    read_content_headers,
    read_content_length,
    read_md5,
    read_metadata,
    version_headers,
)
from runner.emulator.blob.operations.ranges import Range, read_range
from runner.emulator.server.http import Response

# "Get Blob": x-ms-range-get-content-md5 is refused for a longer range.
_MAXIMUM_RANGE_MD5_BYTES = 4 * 1024 * 1024
_EMPTY_MD5 = hashlib.md5(usedforsecurity=False).digest()


async def put(call: Call) -> Response:
    """Put Blob, of a block blob."""
    headers = call.request.headers
    _check_type(headers)
    size_bytes = read_content_length(headers, maximum_bytes=MAXIMUM_PUT_BLOB_BYTES)
    content_headers = read_content_headers(headers, default_type=headers.get("content-type"))
    expected = (read_md5(headers, "content-md5"), content_headers.content_md5)
    writing = blobs.Writing(
        key=call.key,
        headers=content_headers,
        metadata=read_metadata(headers),
        conditions=read_conditions(headers),
        may_overwrite=call.may_overwrite,
    )
    blobs.check_writing(call.state, writing)
    check_no_lease(call)
    segments, md5 = await receive(call, size_bytes, expected)
    writing = replace(writing, headers=replace(content_headers, content_md5=md5))
    try:
        blob = blobs.write_blob(call.state, writing, segments, call.clock())
    except RefusedError:
        call.state.contents.release(segment.content for segment in segments)
        raise
    return Response(
        status=201,
        headers=(
            ("Content-MD5", encode_md5(md5)),
            *version_headers(blob),
            ("x-ms-request-server-encrypted", "true"),
        ),
    )


async def receive(
    call: Call, size_bytes: int, expected: Iterable[bytes | None]
) -> tuple[tuple[Segment, ...], bytes]:
    """Takes in the content; gives its segments, with a reference each, and its MD5.

    Refuses a content whose MD5 is not each of those expected, where they are given.
    """
    contents = call.state.contents
    segments: tuple[Segment, ...] = ()
    md5 = _EMPTY_MD5
    if size_bytes:
        received = await contents.receive(call.request.body, size_bytes)
        segments = (Segment(content=received.content, size_bytes=received.size_bytes),)
        md5 = received.md5
    if any(value not in (None, md5) for value in expected):
        contents.release(segment.content for segment in segments)
        raise RefusedError(MD5_MISMATCH)
    return segments, md5


async def get(call: Call) -> Response:
    """Get Blob."""
    headers = call.request.headers
    blob = _read(call)
    asked = read_range(headers, blob.size_bytes)
    with_md5 = headers.get("x-ms-range-get-content-md5", "").lower() == "true"
    described = _apply_overrides(call, _describe(blob))
    if asked is None:
        if with_md5:
            raise header_refused("x-ms-range-get-content-md5", "true")
        md5 = blob.headers.content_md5
        more: Headers = (("Content-MD5", encode_md5(md5)),) if md5 else ()
        whole = Range(offset=0, size_bytes=blob.size_bytes)
        return _send(call, blob, whole, status=200, headers=described + more)
    return await _get_range(call, blob, asked, described, with_md5=with_md5)


def _read(call: Call) -> Blob:
    """The blob that the request is for, if its conditions hold."""
    blob = blobs.read_blob(
        call.state,
        call.target.container,
        call.target.blob,
        read_conditions(call.request.headers),
    )
    check_no_lease(call)
    return blob


async def get_properties(call: Call) -> Response:
    """Get Blob Properties."""
    blob = _read(call)
    md5 = blob.headers.content_md5
    headers = (
        *_apply_overrides(call, _describe(blob)),
        *((("Content-MD5", encode_md5(md5)),) if md5 else ()),
        ("Content-Length", str(blob.size_bytes)),
        ("x-ms-access-tier", "Hot"),
        ("x-ms-access-tier-inferred", "true"),
    )
    return Response(status=200, headers=headers)


async def get_metadata(call: Call) -> Response:
    """Get Blob Metadata."""
    blob = _read(call)
    return Response(status=200, headers=version_headers(blob) + metadata_headers(blob.metadata))


async def set_metadata(call: Call) -> Response:
    """Set Blob Metadata."""
    headers = call.request.headers
    blobs.find_blob(call.state, call.target.container, call.target.blob)
    check_no_lease(call)
    blob = blobs.set_metadata(
        call.state, call.key, read_metadata(headers), read_conditions(headers), call.clock()
    )
    return Response(
        status=200, headers=(*version_headers(blob), ("x-ms-request-server-encrypted", "true"))
    )


async def set_properties(call: Call) -> Response:
    """Set Blob Properties; a header that is not given is cleared, as the service does."""
    headers = call.request.headers
    blobs.find_blob(call.state, call.target.container, call.target.blob)
    check_no_lease(call)
    blob = blobs.set_headers(
        call.state, call.key, read_content_headers(headers), read_conditions(headers), call.clock()
    )
    return Response(status=200, headers=version_headers(blob))


async def delete(call: Call) -> Response:
    """Delete Blob."""
    headers = call.request.headers
    if headers.get("x-ms-delete-snapshots", "include") != "include":
        # There are no snapshots, so that "only" them deletes nothing.
        blobs.find_blob(call.state, call.target.container, call.target.blob)
        return Response(status=202, headers=(("x-ms-delete-type-permanent", "true"),))
    blobs.find_blob(call.state, call.target.container, call.target.blob)
    check_no_lease(call)
    blobs.delete_blob(call.state, call.key, read_conditions(headers))
    return Response(status=202, headers=(("x-ms-delete-type-permanent", "true"),))


def _check_type(headers: Mapping[str, str]) -> None:
    blob_type = headers.get("x-ms-blob-type")
    if blob_type is None:
        raise RefusedError(MISSING_REQUIRED_HEADER, details=(("HeaderName", "x-ms-blob-type"),))
    if blob_type in ("PageBlob", "AppendBlob"):
        raise not_implemented(f"Put Blob of `{blob_type}`")
    if blob_type != "BlockBlob":
        raise header_refused("x-ms-blob-type", blob_type)


async def _get_range(
    call: Call, blob: Blob, asked: Range, described: Headers, *, with_md5: bool
) -> Response:
    stored = blob.headers.content_md5
    headers = described
    if stored:
        headers += (("x-ms-blob-content-md5", encode_md5(stored)),)
    if with_md5:
        if asked.size_bytes > _MAXIMUM_RANGE_MD5_BYTES:
            raise RefusedError(OUT_OF_RANGE_INPUT)
        md5 = hashlib.md5(usedforsecurity=False)
        reader = call.state.contents.open(blob.segments, asked.offset, asked.size_bytes)
        try:
            async for piece in reader:
                md5.update(piece)
        finally:
            await reader.aclose()
        headers += (("Content-MD5", encode_md5(md5.digest())),)
    headers += (("Content-Range", asked.format(blob.size_bytes)),)
    return _send(call, blob, asked, status=206, headers=headers)


def _send(call: Call, blob: Blob, stretch: Range, *, status: int, headers: Headers) -> Response:
    contents = call.state.contents
    headers += (("Content-Length", str(stretch.size_bytes)),)
    if stretch.size_bytes <= SMALL_BYTES:
        body = contents.read_small(blob.segments, stretch.offset, stretch.size_bytes)
        return Response(status=status, headers=headers, body=body)
    reader = contents.open(blob.segments, stretch.offset, stretch.size_bytes)
    return Response(status=status, headers=headers, body=reader)


def _describe(blob: Blob) -> Headers:
    headers = blob.headers
    optional = (
        ("Content-Encoding", headers.content_encoding),
        ("Content-Language", headers.content_language),
        ("Content-Disposition", headers.content_disposition),
        ("Cache-Control", headers.cache_control),
    )
    return (
        ("Content-Type", headers.content_type),
        *((name, value) for name, value in optional if value),
        *version_headers(blob),
        *metadata_headers(blob.metadata),
        ("Accept-Ranges", "bytes"),
        ("x-ms-creation-time", format_date(blob.created)),
        ("x-ms-blob-type", "BlockBlob"),
        ("x-ms-lease-status", "unlocked"),
        ("x-ms-lease-state", "available"),
        ("x-ms-server-encrypted", "true"),
    )


def _apply_overrides(call: Call, headers: Headers) -> Headers:
    grant = call.grant
    if not isinstance(grant, SignatureGrant) or not grant.response_headers:
        return headers
    replaced = {name for name, _ in grant.response_headers}
    return tuple(h for h in headers if h[0] not in replaced) + grant.response_headers
