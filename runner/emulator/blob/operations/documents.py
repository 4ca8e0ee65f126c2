"""The XML that the service writes and reads.

It must not know how records are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote
from xml.parsers import expat

from runner.emulator.blob.core.blocks import Entry, Source
from runner.emulator.blob.core.leases import LeaseState, find_state, is_locked
from runner.emulator.blob.core.records import (
    Blob,
    BlobKind,
    Container,
    CopyRecord,
    Lease,
    Metadata,
    Segment,
)
from runner.emulator.blob.core.refusals import INVALID_XML_DOCUMENT, RefusedError
from runner.emulator.blob.core.tiers import DEFAULT_TIER, find_tiering
from runner.emulator.blob.operations.call import encode_md5, format_date

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'

# XML 1.0 can hold none of these, not even escaped.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# What most names are made of, so that nothing else has to be looked for.
_PLAIN = re.compile(r"[A-Za-z0-9_./ -]+")
_ESCAPED = re.compile("[&<>\r]")
_INFERRED_TIER = (
    f"<AccessTier>{DEFAULT_TIER.value}</AccessTier><AccessTierInferred>true</AccessTierInferred>"
)
# A reader would turn a bare carriage return into a newline.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})


def element(name: str, text: str) -> str:
    """`<name>text</name>`, or `<name />` for nothing."""
    if not text:
        return f"<{name} />"
    return f"<{name}>{text.translate(_ESCAPES) if _ESCAPED.search(text) else text}</{name}>"


def name_element(name: str, text: str) -> str:
    """The same for a blob's name; percent-encoded where XML cannot hold it.

    "List Blobs": since version 2021-02-12 such a name has the attribute `Encoded="true"`.
    """
    if _PLAIN.fullmatch(text):
        return f"<{name}>{text}</{name}>"
    if _NOT_XML.search(text):
        return f'<{name} Encoded="true">{quote(text, safe="/")}</{name}>'
    return element(name, text)


def clean(text: str) -> str:
    """The text without what XML cannot hold, for messages that repeat a client's words."""
    return _NOT_XML.sub("\ufffd", text)


def write_error(code: str, message: str, details: Iterable[tuple[str, str]]) -> bytes:
    """The body of a refusal."""
    further = "".join(element(name, clean(text)) for name, text in details)
    text = element("Code", code) + element("Message", clean(message)) + further
    return f"{DECLARATION}<Error>{text}</Error>".encode()


def write_container(container: Container, now: datetime, *, with_metadata: bool) -> str:
    """A container's element of "List Containers"."""
    metadata = write_metadata(container.metadata) if with_metadata and container.metadata else ""
    access = container.access
    public = f"<PublicAccess>{access.value}</PublicAccess>" if access.value else ""
    return (
        f"<Container><Name>{container.key.container}</Name><Properties>"
        f"<Last-Modified>{format_date(container.modified)}</Last-Modified>"
        f'<Etag>"{container.etag}"</Etag>'
        f"{_write_lease(container.lease, now)}{public}"
        "<DefaultEncryptionScope>$account-encryption-key</DefaultEncryptionScope>"
        "<DenyEncryptionScopeOverride>false</DenyEncryptionScopeOverride>"
        "<HasImmutabilityPolicy>false</HasImmutabilityPolicy>"
        "<HasLegalHold>false</HasLegalHold>"
        "<ImmutableStorageWithVersioningEnabled>false</ImmutableStorageWithVersioningEnabled>"
        f"</Properties>{metadata}</Container>"
    )


def write_blob(blob: Blob, includes: frozenset[str], now: datetime) -> str:
    """A blob's element of "List Blobs", with what is included."""
    headers = blob.headers
    md5 = headers.content_md5
    key = blob.key
    modified = format_date(blob.modified)
    created = modified if blob.created == blob.modified else format_date(blob.created)
    before, after = _write_headers(
        headers.content_type,
        headers.content_encoding,
        headers.content_language,
        headers.cache_control,
        headers.content_disposition,
        blob.kind,
    )
    snapshot = f"<Snapshot>{key.snapshot}</Snapshot>" if key.snapshot else ""
    more = write_metadata(blob.metadata) if "metadata" in includes else ""
    if blob.tags and "tags" in includes:
        more += write_tags(blob.tags)
    tier = _INFERRED_TIER if blob.kind is BlobKind.BLOCK and blob.tiering is None else ""
    return (
        f"<Blob>{name_element('Name', key.blob)}{snapshot}<Properties>"
        f"<Creation-Time>{created}</Creation-Time>"
        f"<Last-Modified>{modified}</Last-Modified>"
        f"<Etag>{blob.etag}</Etag><Content-Length>{blob.size_bytes}</Content-Length>{before}"
        f"{f'<Content-MD5>{encode_md5(md5)}</Content-MD5>' if md5 else '<Content-MD5 />'}{after}"
        f"{tier or _write_tier(blob, now)}{'' if key.snapshot else _write_lease(blob.lease, now)}"
        f"{_write_copy(blob.copy) if blob.copy is not None and 'copy' in includes else ''}"
        f"<ServerEncrypted>true</ServerEncrypted>{'<Sealed>true</Sealed>' if blob.sealed else ''}"
        f"{f'<TagCount>{len(blob.tags)}</TagCount>' if blob.tags else ''}"
        f"</Properties>{more}<OrMetadata /></Blob>"
    )


# Of the blobs of a list most have the same.
@lru_cache(256)
def _write_headers(
    content_type: str,
    encoding: str | None,
    language: str | None,
    cache_control: str | None,
    disposition: str | None,
    kind: BlobKind,
) -> tuple[str, str]:
    """What stands before and after the MD5."""
    before = (
        element("Content-Type", content_type)
        + element("Content-Encoding", encoding or "")
        + element("Content-Language", language or "")
        + "<Content-CRC64 />"
    )
    after = (
        element("Cache-Control", cache_control or "")
        + element("Content-Disposition", disposition or "")
        + element("BlobType", kind.value)
    )
    return before, after


def write_tags(tags: Metadata) -> str:
    """The `Tags` element."""
    inner = "".join(
        f"<Tag>{element('Key', name)}{element('Value', value)}</Tag>" for name, value in tags
    )
    return f"<Tags><TagSet>{inner}</TagSet></Tags>"


_UNLEASED = "<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"


def _write_lease(lease: Lease | None, now: datetime) -> str:
    if lease is None:
        return _UNLEASED
    state = find_state(lease, now)
    status = "locked" if is_locked(lease, now) else "unlocked"
    kind = "infinite" if lease.duration_seconds is None else "fixed"
    duration = f"<LeaseDuration>{kind}</LeaseDuration>" if state is LeaseState.LEASED else ""
    return f"<LeaseStatus>{status}</LeaseStatus><LeaseState>{state.value}</LeaseState>{duration}"


def _write_tier(blob: Blob, now: datetime) -> str:
    if blob.kind is not BlobKind.BLOCK:
        return ""
    tiering = find_tiering(blob, now)
    assert tiering is not None
    status = ""
    if tiering.rehydrates_to is not None:
        status = (
            f"<ArchiveStatus>rehydrate-pending-to-{tiering.rehydrates_to.value.lower()}"
            f"</ArchiveStatus><RehydratePriority>{tiering.priority}</RehydratePriority>"
        )
    return (
        f"<AccessTier>{tiering.tier.value}</AccessTier>"
        f"<AccessTierChangeTime>{format_date(tiering.changed)}</AccessTierChangeTime>{status}"
    )


def _write_copy(copy: CopyRecord) -> str:
    return (
        f"<CopyId>{copy.copy_id}</CopyId><CopyStatus>success</CopyStatus>"
        f"{element('CopySource', copy.source)}"
        f"<CopyProgress>{copy.size_bytes}/{copy.size_bytes}</CopyProgress>"
        f"<CopyCompletionTime>{format_date(copy.completed)}</CopyCompletionTime>"
    )


def write_prefix(prefix: str) -> str:
    """A common prefix's element of "List Blobs"."""
    return f"<BlobPrefix>{name_element('Name', prefix)}</BlobPrefix>"


def write_metadata(metadata: Metadata) -> str:
    """The `Metadata` element; the names are checked to be identifiers."""
    if not metadata:
        return "<Metadata />"
    return f"<Metadata>{''.join(element(name, value) for name, value in metadata)}</Metadata>"


def write_blocks(name: str, segments: Iterable[Segment]) -> str:
    """One half of the answer of "Get Block List"."""
    blocks = "".join(
        f"<Block><Name>{segment.block_id}</Name><Size>{segment.size_bytes}</Size></Block>"
        for segment in segments
        if segment.block_id
    )
    return f"<{name}>{blocks}</{name}>" if blocks else f"<{name} />"


def parse_block_list(document: bytes) -> tuple[Entry, ...]:
    """The entries of "Put Block List", in order; refuses any other document."""
    entries: list[Entry] = []
    path: list[str] = []
    text: list[str] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        path.append(name)
        text.clear()

    def end(name: str) -> None:
        if len(path) == 2:
            entries.append(Entry(source=Source(name), block_id="".join(text).strip()))
        path.pop()

    def refuse_doctype(*_: object) -> None:
        raise RefusedError(INVALID_XML_DOCUMENT)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError) as error:
        raise RefusedError(INVALID_XML_DOCUMENT) from error
    return tuple(entries)
