"""The operations on a blob: put, get, properties, metadata, snapshots, delete.

It must not know how a request was routed here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.emulator.blob.core import blobs, tiers
from runner.emulator.blob.core.contents import SMALL_BYTES
from runner.emulator.blob.core.names import MAXIMUM_PUT_BLOB_BYTES
from runner.emulator.blob.core.records import Blob, BlobKind, Segment
from runner.emulator.blob.core.refusals import (
    MISSING_REQUIRED_HEADER,
    OUT_OF_RANGE_INPUT,
    RefusedError,
    header_refused,
    md5_refused,
    not_implemented,
)
from runner.emulator.blob.operations.call import (
    ENCRYPTED,
    Call,
    Headers,
    encode_md5,
    metadata_headers,
    read_conditions,
    read_content_headers,
    read_content_length,
    read_md5,
    read_metadata,
    read_tags,
    read_tier,
    version_headers,
)
from runner.emulator.blob.operations.describing import describe_blob, describe_tier
from runner.emulator.blob.operations.ranges import Range, read_range
from runner.emulator.server.http import Response

# "Get Blob": x-ms-range-get-content-md5 is refused for a longer range.
_MAXIMUM_RANGE_MD5_BYTES = 4 * 1024 * 1024
_EMPTY_MD5 = hashlib.md5(usedforsecurity=False).digest()


@dataclass(slots=True, kw_only=True, eq=False)
class Putting:
    """A blob that may be written, as far as its content is not looked at."""

    writing: blobs.Writing
    existing: Blob | None
    """What it replaces, as things stand."""
    size_bytes: int
    expected: tuple[bytes | None, ...]
    """The MD5s that the content must have, where they are given."""


async def put(call: Call) -> Response:
    """Put Blob, of a block blob, or of an append blob, which is then empty."""
    putting = begin_put(call)
    taken = take_at_once(call, putting.size_bytes)
    if taken is not None:
        return finish_put(call, putting, *taken, waited=False)
    return finish_put(call, putting, *await receive(call, putting.size_bytes))


def begin_put(call: Call) -> Putting:
    """What is to be written; refuses what may not be, before its content arrives."""
    headers = call.request.headers
    kind = _read_kind(headers)
    size_bytes = read_content_length(headers, maximum_bytes=MAXIMUM_PUT_BLOB_BYTES)
    if kind is BlobKind.APPEND and size_bytes:
        raise header_refused("Content-Length", str(size_bytes))
    content_headers = read_content_headers(headers, default_type=headers.get("content-type"))
    expected = (read_md5(headers, "content-md5"), content_headers.content_md5)
    writing = blobs.Writing(
        key=call.key,
        headers=content_headers,
        metadata=read_metadata(call.request),
        conditions=read_conditions(headers),
        may_overwrite=call.may_overwrite,
        kind=kind,
        tier=read_tier(headers),
        tags=read_tags(headers),
    )
    existing = blobs.check_writing(call.state, writing, call.clock())
    return Putting(writing=writing, existing=existing, size_bytes=size_bytes, expected=expected)


def begin_like(call: Call, putting: Putting, size_bytes: int) -> Putting:
    """As `begin_put`, for a request with the headers of an earlier one, but for their size."""
    before = putting.writing
    writing = blobs.Writing(
        key=call.key,
        headers=before.headers,
        metadata=before.metadata,
        conditions=before.conditions,
        may_overwrite=before.may_overwrite,
        kind=before.kind,
        tier=before.tier,
        tags=before.tags,
    )
    existing = blobs.check_writing(call.state, writing, call.clock())
    return Putting(
        writing=writing, existing=existing, size_bytes=size_bytes, expected=putting.expected
    )


def finish_put(
    call: Call,
    putting: Putting,
    segments: tuple[Segment, ...],
    md5: bytes,
    *,
    waited: bool = True,
) -> Response:
    """As `complete_put`, and what is answered then."""
    blob = complete_put(call, putting, segments, md5, waited=waited)
    more: Headers = ()
    if blob.kind is not BlobKind.APPEND:
        more = (("Content-MD5", encode_md5(md5)),)
    return Response(status=201, headers=(*more, *version_headers(blob), ENCRYPTED))


def complete_put(
    call: Call, putting: Putting, segments: tuple[Segment, ...], md5: bytes, *, waited: bool
) -> Blob:
    """Makes the content that was taken in the blob's, or lets go of it.

    It is asked again whether that may be, unless nobody had `waited` since.
    """
    writing = putting.writing
    if writing.kind is BlobKind.APPEND:
        return blobs.write_blob(call.state, writing, (), call.clock())
    check_md5(call, segments, putting.expected, md5)
    writing.headers = writing.headers.with_md5(md5)
    if waited:
        return write_received(call, writing, segments)
    return blobs.put_in_place(call.state, writing, segments, putting.existing, call.clock())


def write_received(call: Call, writing: blobs.Writing, segments: tuple[Segment, ...]) -> Blob:
    """Makes what was received the blob's content, or lets go of it."""
    try:
        return blobs.write_blob(call.state, writing, segments, call.clock())
    except RefusedError:
        call.state.contents.release(segment.content for segment in segments)
        raise


def take_at_once(call: Call, size_bytes: int) -> tuple[tuple[Segment, ...], bytes] | None:
    """Takes in a content as `receive` does, where nothing has to be waited for."""
    if not size_bytes:
        return (), _EMPTY_MD5
    content = call.request.content
    if content is None or len(content) != size_bytes or size_bytes > SMALL_BYTES:
        return None
    received = call.state.contents.write(content)
    return (Segment(content=received.content, size_bytes=size_bytes),), received.md5


async def receive(call: Call, size_bytes: int) -> tuple[tuple[Segment, ...], bytes]:
    """Takes in the content; gives its segments, with a reference each, and its MD5."""
    taken = take_at_once(call, size_bytes)
    if taken is not None:
        return taken
    received = await call.state.contents.receive(call.request.body, size_bytes)
    return (Segment(content=received.content, size_bytes=size_bytes),), received.md5


def check_md5(
    call: Call, segments: Iterable[Segment], expected: Iterable[bytes | None], md5: bytes
) -> None:
    """Refuses a content whose MD5 is not each of those expected, and lets go of it."""
    for value in expected:
        if value not in (None, md5):
            call.state.contents.release(segment.content for segment in segments)
            raise md5_refused(value, md5)


async def get(call: Call) -> Response:
    """Get Blob."""
    headers = call.request.headers
    blob = find_readable(call)
    asked = read_range(headers, blob.size_bytes)
    with_md5 = headers.get("x-ms-range-get-content-md5", "").lower() == "true"
    described = describe_blob(call, blob)
    if asked is None:
        if with_md5:
            raise header_refused("x-ms-range-get-content-md5", "true")
        md5 = blob.headers.content_md5
        more: Headers = (("Content-MD5", encode_md5(md5)),) if md5 else ()
        whole = Range(offset=0, size_bytes=blob.size_bytes)
        return _send(call, blob, whole, status=200, headers=described + more)
    return await _get_range(call, blob, asked, described, with_md5=with_md5)


def find_readable(call: Call) -> Blob:
    """The blob that the request is for, if its conditions hold and its content can be read."""
    blob = _read(call)
    if blob.tiering is not None:
        tiers.check_online(blob, call.clock())
    return blob


def _read(call: Call) -> Blob:
    """The blob that the request is for, if its conditions hold."""
    conditions = read_conditions(call.request.headers)
    return blobs.read_blob(call.state, call.key, conditions, call.clock())


async def get_properties(call: Call) -> Response:
    """Get Blob Properties."""
    blob = _read(call)
    md5 = blob.headers.content_md5
    headers = (
        *describe_blob(call, blob),
        *((("Content-MD5", encode_md5(md5)),) if md5 else ()),
        ("Content-Length", str(blob.size_bytes)),
        *describe_tier(blob, call.clock()),
    )
    return Response(status=200, headers=headers)


async def get_metadata(call: Call) -> Response:
    """Get Blob Metadata."""
    blob = _read(call)
    return Response(status=200, headers=version_headers(blob) + metadata_headers(blob.metadata))


async def set_metadata(call: Call) -> Response:
    """Set Blob Metadata."""
    headers = call.request.headers
    blob = blobs.set_metadata(
        call.state, call.key, read_metadata(call.request), read_conditions(headers), call.clock()
    )
    return Response(status=200, headers=(*version_headers(blob), ENCRYPTED))


async def set_properties(call: Call) -> Response:
    """Set Blob Properties; a header that is not given is cleared, as the service does."""
    headers = call.request.headers
    blob = blobs.set_headers(
        call.state, call.key, read_content_headers(headers), read_conditions(headers), call.clock()
    )
    return Response(status=200, headers=version_headers(blob))


async def take_snapshot(call: Call) -> Response:
    """Snapshot Blob."""
    headers = call.request.headers
    snapshot = blobs.take_snapshot(
        call.state, call.key, read_metadata(call.request), read_conditions(headers), call.clock()
    )
    named = ("x-ms-snapshot", snapshot.key.snapshot)
    return Response(status=201, headers=(named, *version_headers(snapshot), ENCRYPTED))


async def delete(call: Call) -> Response:
    """Delete Blob."""
    headers = call.request.headers
    snapshots = headers.get("x-ms-delete-snapshots")
    if snapshots is not None and snapshots not in ("include", "only"):
        raise header_refused("x-ms-delete-snapshots", snapshots)
    blobs.delete_blob(call.state, call.key, read_conditions(headers), snapshots, call.clock())
    return Response(status=202, headers=(("x-ms-delete-type-permanent", "true"),))


def _read_kind(headers: Mapping[str, str]) -> BlobKind:
    name = headers.get("x-ms-blob-type")
    if name is None:
        raise RefusedError(MISSING_REQUIRED_HEADER, details=(("HeaderName", "x-ms-blob-type"),))
    if name == "PageBlob":
        raise not_implemented("Put Blob of `PageBlob`")
    try:
        return BlobKind(name)
    except ValueError as error:
        raise header_refused("x-ms-blob-type", name) from error


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
