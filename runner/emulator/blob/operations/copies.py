"""The operations that take a content from a URL.

A copy is done when its request is answered: none is ever pending. It must not know how a source
is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from runner.emulator.blob.core import appends, blobs, blocks
from runner.emulator.blob.core.names import (
    MAXIMUM_APPEND_BLOCK_BYTES,
    MAXIMUM_BLOCK_BYTES,
    MAXIMUM_PUT_BLOB_BYTES,
)
from runner.emulator.blob.core.records import (
    Blob,
    BlobKind,
    ContentHeaders,
    CopyRecord,
    Metadata,
    Segment,
)
from runner.emulator.blob.core.refusals import (
    NO_PENDING_COPY_OPERATION,
    RefusedError,
    header_refused,
    md5_refused,
)
from runner.emulator.blob.operations.appends import (
    answer_appended,
    append_received,
    read_appending,
)
from runner.emulator.blob.operations.blobs import write_received
from runner.emulator.blob.operations.blocks import read_block_id, stage_received
from runner.emulator.blob.operations.call import (
    ENCRYPTED,
    Call,
    Headers,
    encode_md5,
    read_conditions,
    read_content_headers,
    read_id,
    read_md5,
    read_metadata,
    read_tags,
    read_tier,
    version_headers,
)
from runner.emulator.blob.operations.sources import Source, check_source_size, open_source
from runner.emulator.guids import make_guid
from runner.emulator.server.http import Response

# "Copy Blob From URL": for larger ones there is the copy that is not waited for.
_MAXIMUM_SYNC_BYTES = 256 * 1024 * 1024


async def copy(call: Call) -> Response:
    """Copy Blob, and Copy Blob From URL (`x-ms-requires-sync: true`)."""
    headers = call.request.headers
    is_sync = headers.get("x-ms-requires-sync", "").lower() == "true"
    writing = _read_writing(call)
    seal = _read_seal(headers)
    blobs.check_writing(call.state, writing, call.clock())
    async with open_source(call, ranged=False, same_account=not is_sync) as source:
        copied = replace(
            writing,
            headers=source.headers,
            metadata=writing.metadata or source.metadata,
            tags=_choose_tags(call, writing.tags, source),
            kind=source.blob.kind if source.blob else BlobKind.BLOCK,
        )
        more: Headers = ()
        if is_sync:
            check_source_size(source, _MAXIMUM_SYNC_BYTES)
            segments, md5 = await _receive(call, source)
            more = (("Content-MD5", encode_md5(md5)), ENCRYPTED)
        elif source.blob is not None:
            segments = source.blob.segments
            call.state.contents.hold(segments)
        else:
            segments, md5 = await _receive(call, source)
            copied = replace(copied, headers=replace(source.headers, content_md5=md5))
    record = CopyRecord(
        copy_id=make_guid(),
        source=source.url,
        completed=call.clock(),
        size_bytes=source.size_bytes,
    )
    blob = _write(call, replace(copied, copy=record), segments, source, seal=seal)
    copy_headers = (("x-ms-copy-id", record.copy_id), ("x-ms-copy-status", "success"))
    return Response(status=202, headers=(*version_headers(blob), *copy_headers, *more))


async def abort(call: Call) -> Response:
    """Abort Copy Blob: there is never one pending."""
    blobs.find_for_change(call.state, call.key, read_conditions(call.request.headers), call.clock())
    if read_id(call.query, "copyid") is None:
        raise header_refused("copyid", "")
    action = call.request.headers.get("x-ms-copy-action", "")
    if action.lower() != "abort":
        raise header_refused("x-ms-copy-action", action)
    raise RefusedError(NO_PENDING_COPY_OPERATION)


async def put_from_url(call: Call) -> Response:
    """Put Blob From URL."""
    headers = call.request.headers
    if headers["x-ms-blob-type"] != BlobKind.BLOCK.value:
        raise header_refused("x-ms-blob-type", headers["x-ms-blob-type"])
    given = read_content_headers(headers)
    writing = replace(_read_writing(call), headers=given)
    expected = (read_md5(headers, "x-ms-source-content-md5"), given.content_md5)
    blobs.check_writing(call.state, writing, call.clock())
    async with open_source(call, ranged=False, same_account=False) as source:
        check_source_size(source, MAXIMUM_PUT_BLOB_BYTES)
        segments, md5 = await _receive(call, source, *expected)
    described = given
    if headers.get("x-ms-copy-source-blob-properties", "true").lower() != "false":
        described = _merge(call, given, source.headers)
    blob = write_received(
        call,
        replace(
            writing,
            headers=replace(described, content_md5=md5),
            tags=_choose_tags(call, writing.tags, source),
        ),
        segments,
    )
    return Response(
        status=201,
        headers=(("Content-MD5", encode_md5(md5)), *version_headers(blob), ENCRYPTED),
    )


async def put_block_from_url(call: Call) -> Response:
    """Put Block From URL."""
    headers = call.request.headers
    block_id = read_block_id(call)
    lease_id = read_id(headers, "x-ms-lease-id")
    expected = read_md5(headers, "x-ms-source-content-md5")
    blocks.check_block(call.state, call.key, block_id, lease_id, call.clock())
    segment, md5 = await _receive_block(call, expected, MAXIMUM_BLOCK_BYTES)
    stage_received(call, block_id, segment)
    return Response(status=201, headers=(("Content-MD5", encode_md5(md5)), ENCRYPTED))


async def append_block_from_url(call: Call) -> Response:
    """Append Block From URL."""
    expected = read_md5(call.request.headers, "x-ms-source-content-md5")
    appends.check_appending(call.state, read_appending(call, 0), call.clock())
    segment, md5 = await _receive_block(call, expected, MAXIMUM_APPEND_BLOCK_BYTES)
    appending = read_appending(call, segment.size_bytes)
    return answer_appended(*append_received(call, appending, segment), md5)


async def _receive_block(
    call: Call, expected: bytes | None, maximum_bytes: int
) -> tuple[Segment, bytes]:
    async with open_source(call, ranged=True, same_account=False) as source:
        check_source_size(source, maximum_bytes)
        segments, md5 = await _receive(call, source, expected)
    if not segments:
        raise header_refused("x-ms-copy-source", source.url)
    return segments[0], md5


async def _receive(
    call: Call, source: Source, *expected: bytes | None
) -> tuple[tuple[Segment, ...], bytes]:
    """Takes in the source's content, with a reference to it, and its MD5."""
    contents = call.state.contents
    received = await contents.receive(source.pieces, source.size_bytes)
    segment = Segment(content=received.content, size_bytes=received.size_bytes)
    for value in expected:
        if value not in (None, received.md5):
            contents.release((segment.content,))
            raise md5_refused(value, received.md5)
    if not source.size_bytes:
        contents.release((segment.content,))
        return (), received.md5
    return (segment,), received.md5


def _read_writing(call: Call) -> blobs.Writing:
    headers = call.request.headers
    return blobs.Writing(
        key=call.key,
        headers=ContentHeaders(),
        metadata=read_metadata(call.request),
        conditions=read_conditions(headers),
        may_overwrite=call.may_overwrite,
        tier=read_tier(headers),
        tags=read_tags(headers),
    )


def _write(
    call: Call,
    writing: blobs.Writing,
    segments: tuple[Segment, ...],
    source: Source,
    *,
    seal: bool | None,
) -> Blob:
    blob = write_received(call, writing, segments)
    if source.blob is None or blob.kind is not BlobKind.APPEND:
        return blob
    counted = replace(
        blob,
        appended_blocks=source.blob.appended_blocks,
        sealed=source.blob.sealed if seal is None else seal,
    )
    call.state.catalogue.put(counted)
    return counted


def _read_seal(headers: Mapping[str, str]) -> bool | None:
    """Whether the copy of an append blob is to be sealed; None: as the source is."""
    given = headers.get("x-ms-seal-blob")
    if given is None:
        return None
    if given.lower() not in ("true", "false"):
        raise header_refused("x-ms-seal-blob", given)
    return given.lower() == "true"


def _choose_tags(call: Call, given: Metadata, source: Source) -> Metadata:
    option = call.request.headers.get("x-ms-copy-source-tag-option", "REPLACE")
    if option not in ("REPLACE", "COPY"):
        raise header_refused("x-ms-copy-source-tag-option", option)
    if option == "COPY" and given:
        raise header_refused("x-ms-tags", call.request.headers["x-ms-tags"])
    return source.tags if option == "COPY" else given


def _merge(call: Call, given: ContentHeaders, found: ContentHeaders) -> ContentHeaders:
    """What the request gives, and of the rest what the source has."""
    named = "x-ms-blob-content-type" in call.request.headers
    return ContentHeaders(
        content_type=given.content_type if named else found.content_type,
        content_encoding=given.content_encoding or found.content_encoding,
        content_language=given.content_language or found.content_language,
        content_disposition=given.content_disposition or found.content_disposition,
        cache_control=given.cache_control or found.cache_control,
    )
