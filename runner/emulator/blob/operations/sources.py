"""Finds and reads the source of a copy: a blob of this account, or what another server gives.

Source: "Copy Blob", "Put Blob From URL", "Put Block From URL". It must not know what becomes of
the content.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from runner.emulator.blob.access.grant import FullGrant
from runner.emulator.blob.access.target import parse_target
from runner.emulator.blob.core import blobs, conditions, leases, tiers
from runner.emulator.blob.core.conditions import Conditions
from runner.emulator.blob.core.files import ContentSizeError
from runner.emulator.blob.core.leases import Leased
from runner.emulator.blob.core.records import Blob, BlobKey, ContentHeaders, Metadata
from runner.emulator.blob.core.refusals import (
    CANNOT_VERIFY_COPY_SOURCE,
    CONDITION_NOT_MET,
    INVALID_INPUT,
    REQUEST_BODY_TOO_LARGE,
    SOURCE_CONDITION_NOT_MET,
    Refusal,
    RefusedError,
    header_refused,
)
from runner.emulator.blob.fetching import FetchError
from runner.emulator.blob.operations.call import Call, read_conditions, request_within
from runner.emulator.blob.operations.ranges import Range, read_range
from runner.emulator.server.addresses import Address, HostError, find_address
from runner.emulator.storage.record import record

_SUCCESS = (200, 206)


@record(frozen=True, slots=True, kw_only=True)
class Source:
    """A content that can be read once, and what it came with."""

    url: str
    """Without the query, which may hold a signature."""
    size_bytes: int
    headers: ContentHeaders
    metadata: Metadata
    tags: Metadata
    pieces: AsyncIterator[bytes]
    blob: Blob | None
    """The blob of this account that it is."""


@asynccontextmanager
async def open_source(call: Call, *, ranged: bool, same_account: bool) -> AsyncIterator[Source]:
    """The source that `x-ms-copy-source` names, or the stretch of it that is asked for.

    With `same_account` the key that the request is signed with opens the source too, where that is
    of the same account. Refuses what cannot be read, or what the conditions of the source keep out.
    """
    url = call.request.headers["x-ms-copy-source"]
    address = _find_own(call, url)
    if address is None:
        async with _open_remote(call, url, ranged=ranged, copying=same_account) as source:
            yield source
        return
    blob = _find_local(call, url, address, same_account=same_account)
    asked = read_range(call.request.headers, blob.size_bytes, name="x-ms-source-range")
    if asked is None or not ranged:
        asked = Range(offset=0, size_bytes=blob.size_bytes)
    reader = call.state.contents.open(blob.segments, asked.offset, asked.size_bytes)
    try:
        yield Source(
            url=_without_query(url),
            size_bytes=asked.size_bytes,
            headers=blob.headers,
            metadata=blob.metadata,
            tags=blob.tags,
            pieces=reader,
            blob=blob,
        )
    finally:
        await reader.aclose()


def _find_own(call: Call, url: str) -> Address | None:
    """Where the URL points to in this account; None where it is elsewhere."""
    try:
        parts = urlsplit(url)
        own = urlsplit(call.endpoint)
        same_port = parts.port == own.port
    except ValueError as error:
        raise header_refused("x-ms-copy-source", url) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise header_refused("x-ms-copy-source", url)
    if not same_port or parts.scheme != own.scheme:
        return None
    try:
        address = find_address(parts.scheme, parts.netloc, parts.path)
    except HostError:
        return None
    local = parts.hostname in (own.hostname, "localhost", "127.0.0.1") or address.kind is not None
    return address if local and address.account == call.account.name else None


def _find_local(call: Call, url: str, address: Address, *, same_account: bool) -> Blob:
    query = urlsplit(url).query
    target = parse_target(address.resource)
    if not target.blob:
        raise header_refused("x-ms-copy-source", url)
    named = dict(parse_qsl(query, keep_blank_values=True))
    owner = isinstance(call.grant, FullGrant) and "sig" not in named
    if not (same_account and owner):
        _authorize(call, url, query)
    key = BlobKey(container=target.container, blob=target.blob, snapshot=named.get("snapshot", ""))
    try:
        blob = blobs.find_blob(call.state, key)
    except RefusedError as error:
        if same_account:
            raise
        raise _unverified(error.refusal.status, error.refusal.message) from error
    _check_conditions(call, blob, same_account=same_account)
    return blob


def _authorize(call: Call, url: str, query: str) -> None:
    """Asks for the source as anybody would who follows the URL."""
    parts = urlsplit(url)
    headers = {"host": parts.netloc, "x-ms-version": call.version}
    token = call.request.headers.get("x-ms-copy-source-authorization")
    if token is not None:
        headers["authorization"] = token
    request = request_within(call.request, "GET", parts.path, query, headers)
    try:
        call.service.authorize_read(request)
    except RefusedError as error:
        raise _unverified(error.refusal.status, error.message) from error


def _check_conditions(call: Call, blob: Blob, *, same_account: bool) -> None:
    now = call.clock()
    asked = read_conditions(call.request.headers, source=True)
    try:
        conditions.check_read(asked, blob.etag, blob.modified, blob.tags)
    except RefusedError as error:
        if same_account:
            untagged = replace(asked, if_tags=None)
            # As recorded, tags that are not met are told as those of the target are.
            told = CONDITION_NOT_MET if _fits(untagged, blob) else SOURCE_CONDITION_NOT_MET
            raise RefusedError(told) from error
        # What is read by its URL is refused by the answer to that reading.
        raise _unverified(error.refusal.status, error.refusal.message) from error
    leases.check_read(blob.lease, asked.lease_id, Leased.BLOB, now)
    tiers.check_online(blob, now)


def _fits(asked: Conditions, blob: Blob) -> bool:
    try:
        conditions.check_read(asked, blob.etag, blob.modified, blob.tags)
    except RefusedError:
        return False
    return True


@asynccontextmanager
async def _open_remote(
    call: Call, url: str, *, ranged: bool, copying: bool
) -> AsyncIterator[Source]:
    passed_on = _passed_on(call.request.headers, ranged=ranged)
    sent = {"x-ms-version": call.version, **dict(passed_on)}
    try:
        fetched = await call.service.fetch(url, sent)
    except FetchError as error:
        raise _unverified(404, f"The copy source cannot be read: {error}.") from error
    try:
        if fetched.status in (304, 412) and copying:
            raise RefusedError(SOURCE_CONDITION_NOT_MET)
        if fetched.status not in _SUCCESS:
            known = fetched.status == 304 or 400 <= fetched.status < 500
            status = fetched.status if known else 400
            raise _unverified(status, f"The copy source answered {fetched.status}.")
        if ranged and "Range" in sent and fetched.status != 206:
            raise RefusedError(INVALID_INPUT)
        size = fetched.headers.get("content-length", "")
        if not size.isdigit():
            raise RefusedError(INVALID_INPUT, message="The copy source gives no Content-Length.")
        yield Source(
            url=_without_query(url),
            size_bytes=int(size),
            headers=_read_headers(fetched.headers),
            metadata=fetched.metadata,
            tags=(),
            pieces=fetched.pieces(),
            blob=None,
        )
    except (FetchError, ContentSizeError) as error:
        raise _unverified(400, "The copy source broke off.") from error
    finally:
        fetched.close()


def _passed_on(headers: Mapping[str, str], *, ranged: bool) -> list[tuple[str, str]]:
    pairs = [
        ("If-Match", "x-ms-source-if-match"),
        ("If-None-Match", "x-ms-source-if-none-match"),
        ("If-Modified-Since", "x-ms-source-if-modified-since"),
        ("If-Unmodified-Since", "x-ms-source-if-unmodified-since"),
        ("Authorization", "x-ms-copy-source-authorization"),
    ]
    if ranged:
        pairs.append(("Range", "x-ms-source-range"))
    return [(name, headers[given]) for name, given in pairs if given in headers]


def _read_headers(headers: Mapping[str, str]) -> ContentHeaders:
    return ContentHeaders(
        content_type=headers.get("content-type", "application/octet-stream"),
        content_encoding=headers.get("content-encoding"),
        content_language=headers.get("content-language"),
        content_disposition=headers.get("content-disposition"),
        cache_control=headers.get("cache-control"),
    )


def check_source_size(source: Source, maximum_bytes: int) -> None:
    """Refuses a source that is larger than the operation takes."""
    if source.size_bytes > maximum_bytes:
        details = (("MaxLimit", str(maximum_bytes)),)
        raise RefusedError(REQUEST_BODY_TOO_LARGE, details=details)


def _unverified(status: int, message: str) -> RefusedError:
    refusal = Refusal(
        status=status, code=CANNOT_VERIFY_COPY_SOURCE.code, message=message.partition("\n")[0]
    )
    return RefusedError(refusal)


def _without_query(url: str) -> str:
    return url.partition("?")[0]
