"""What an operation is given, and the headers that several operations read and write.

It must not know which operations there are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from sys import intern
from typing import Protocol
from urllib.parse import parse_qsl

from runner.emulator.blob.access.grant import Grant, may_overwrite
from runner.emulator.blob.access.target import Target
from runner.emulator.blob.access.versions import NEWEST
from runner.emulator.blob.core.conditions import NO_CONDITIONS, Conditions
from runner.emulator.blob.core.names import is_printable
from runner.emulator.blob.core.records import (
    Blob,
    BlobKey,
    Container,
    ContentHeaders,
    Metadata,
    Tier,
)
from runner.emulator.blob.core.refusals import (
    INVALID_MD5,
    MISSING_CONTENT_LENGTH_HEADER,
    REQUEST_BODY_TOO_LARGE,
    RefusedError,
    header_refused,
)
from runner.emulator.blob.core.state import State
from runner.emulator.blob.core.tagqueries import Condition, ConditionError, parse_condition
from runner.emulator.blob.fetching import Fetched
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request, Response

Headers = tuple[tuple[str, str], ...]

ENCRYPTED = ("x-ms-request-server-encrypted", "true")
"""Said of every content that is taken in, as the service does."""

_CONDITIONAL = (
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "x-ms-if-tags",
    "x-ms-lease-id",
)
_CONTENT_HEADERS = (
    "x-ms-blob-content-type",
    "x-ms-blob-content-encoding",
    "x-ms-blob-content-language",
    "x-ms-blob-content-disposition",
    "x-ms-blob-cache-control",
)
_SOURCE_CONDITIONAL = (
    "x-ms-source-if-match",
    "x-ms-source-if-none-match",
    "x-ms-source-if-modified-since",
    "x-ms-source-if-unmodified-since",
    "x-ms-source-if-tags",
    "x-ms-source-lease-id",
)


class Service(Protocol):
    """What operations that carry further requests need of the service."""

    async def answer_part(self, request: Request, resource: str) -> Response:
        """Answers a request to a path below the account, as if it had come alone."""
        ...

    def authorize_read(self, request: Request) -> None:
        """Checks that a request may read the blob that it names; raises `RefusedError`."""
        ...

    async def fetch(self, url: str, headers: Mapping[str, str]) -> Fetched:
        """Asks another server for a source; raises `FetchError`."""
        ...


# Not frozen, as requests are not: one is made for each.
@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One authenticated request to one resource."""

    request: Request
    target: Target
    query: Mapping[str, str]
    """Decoded, names in lower case; of a repeated name the first."""
    grant: Grant
    state: State
    endpoint: str
    """The account's URL by which the request came, without a slash at the end."""
    clock: Callable[[], datetime]
    account: Account
    service: Service

    _key: BlobKey | None = field(default=None, init=False, repr=False)

    @property
    def key(self) -> BlobKey:
        """The key of the blob that the path names, or of its snapshot."""
        key = self._key
        if key is None:
            container, blob = self.target
            snapshot = self.query.get("snapshot", "")
            # Kept with the blob, and of many blobs the same.
            container = intern(container)
            key = self._key = BlobKey(container=container, blob=blob, snapshot=snapshot)
        return key

    @property
    def version(self) -> str:
        """The version of the API that the request is for."""
        return self.request.headers.get("x-ms-version", NEWEST)

    @property
    def may_overwrite(self) -> bool:
        """Whether the request may put new content in the place of old."""
        return may_overwrite(self.grant)


def read_conditions(headers: Mapping[str, str], *, source: bool = False) -> Conditions:
    """The conditional headers and the lease id; refuses a date or an id that is none.

    With `source` those of a copy's source, `x-ms-source-…`.
    """
    names = _SOURCE_CONDITIONAL if source else _CONDITIONAL
    if headers.keys().isdisjoint(names):
        return NO_CONDITIONS
    match, none_match, modified, unmodified, tags, lease = names
    return Conditions(
        if_match=_read_etag(headers, match),
        if_none_match=_read_etag(headers, none_match),
        if_modified_since=_read_date(headers, modified),
        if_unmodified_since=_read_date(headers, unmodified),
        if_tags=_read_tag_condition(headers, tags),
        lease_id=read_id(headers, lease),
    )


def read_id(headers: Mapping[str, str], name: str) -> str | None:
    """A GUID in its usual form; refuses anything else."""
    value = headers.get(name)
    if not value:
        return None
    # Imported here: few requests have one.
    from uuid import UUID

    try:
        return str(UUID(value))
    except ValueError as error:
        raise header_refused(name, value) from error


def read_number(headers: Mapping[str, str], name: str) -> int | None:
    """A number that is not negative; refuses anything else."""
    value = headers.get(name)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit():
        raise header_refused(name, value)
    return int(value)


def read_tags(headers: Mapping[str, str]) -> Metadata:
    """The tags of `x-ms-tags`, written as a query is."""
    value = headers.get("x-ms-tags")
    if not value:
        return ()
    return tuple(parse_qsl(value, keep_blank_values=True))


def read_tier(headers: Mapping[str, str]) -> Tier | None:
    """The tier of `x-ms-access-tier`; refuses what block blobs have not."""
    value = headers.get("x-ms-access-tier")
    if value is None:
        return None
    try:
        return Tier(value.capitalize())
    except ValueError as error:
        raise header_refused("x-ms-access-tier", value) from error


def read_metadata(request: Request) -> Metadata:
    """The `x-ms-meta-` headers, in the order sent; their names keep their case."""
    named = [name for name in request.headers if name.startswith("x-ms-meta-")]
    if not named:
        return ()
    return tuple(
        (request.spelling.get(name, name)[len("x-ms-meta-") :], request.headers[name])
        for name in named
    )


def read_content_headers(
    headers: Mapping[str, str], *, default_type: str | None = None
) -> ContentHeaders:
    """The `x-ms-blob-` headers that are stored; refuses what no header may hold."""
    given = [headers.get(name) for name in _CONTENT_HEADERS]
    for name, value in zip(_CONTENT_HEADERS, given, strict=True):
        if value is not None and not is_printable(value):
            raise header_refused(name, value)
    content_type, encoding, language, disposition, cache_control = given
    return ContentHeaders(
        # Kept with the blob, and of many blobs the same.
        content_type=intern(content_type or default_type or "application/octet-stream"),
        content_encoding=encoding or None,
        content_language=language or None,
        content_disposition=disposition or None,
        cache_control=cache_control or None,
        content_md5=read_md5(headers, "x-ms-blob-content-md5"),
    )


def read_md5(headers: Mapping[str, str], name: str) -> bytes | None:
    """An MD5 header's 16 bytes; refuses anything else."""
    value = headers.get(name)
    if not value:
        return None
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError(INVALID_MD5) from error
    if len(digest) != 16:
        raise RefusedError(INVALID_MD5)
    return digest


def read_content_length(headers: Mapping[str, str], *, maximum_bytes: int) -> int:
    """The size of the content to come; refuses a request that does not say, or says too much."""
    text = headers.get("content-length")
    if text is None:
        raise RefusedError(MISSING_CONTENT_LENGTH_HEADER)
    size_bytes = int(text)
    if size_bytes > maximum_bytes:
        details = (("MaxLimit", str(maximum_bytes)),)
        raise RefusedError(REQUEST_BODY_TOO_LARGE, details=details)
    return size_bytes


def request_within(
    outer: Request, method: str, path: str, query: str, headers: Mapping[str, str]
) -> Request:
    """A request without content that another carries, from the same client."""
    return Request(
        method=method,
        raw_path=path,
        raw_query=query,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        scheme=outer.scheme,
        client_address=outer.client_address,
        body=_no_content(),
    )


async def _no_content() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


def version_headers(resource: Container | Blob) -> Headers:
    """`ETag` and `Last-Modified`."""
    return (
        ("ETag", f'"{resource.etag}"'),
        ("Last-Modified", format_date(resource.modified)),
    )


def metadata_headers(metadata: Metadata) -> Headers:
    """The `x-ms-meta-` headers."""
    return tuple((f"x-ms-meta-{name}", value) for name, value in metadata)


def encode_md5(digest: bytes) -> str:
    """An MD5 as headers carry it."""
    return base64.b64encode(digest).decode("ascii")


def format_date(moment: datetime) -> str:
    """A date as HTTP headers carry it."""
    return _format_second(int(moment.timestamp() // 1))


# What is written and told within a second has one date, and so have whole pages of lists.
@lru_cache(4096)
def _format_second(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, timezone.utc), usegmt=True)


def _read_etag(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    return None if value is None else value.strip().removeprefix("W/").strip('"')


def _read_date(headers: Mapping[str, str], name: str) -> datetime | None:
    value = headers.get(name)
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError) as error:
        raise header_refused(name, value) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _read_tag_condition(headers: Mapping[str, str], name: str) -> Condition | None:
    value = headers.get(name)
    if not value:
        return None
    try:
        return parse_condition(value)
    except ConditionError as error:
        raise header_refused(name, value) from error
