"""Sending one file to a block blob: in one request, or in blocks where it is large.

It must not know which files of a task are sent, nor how a refusal is reported.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial

from runner.emulator.batch.node.connections import (
    PIECE_BYTES,
    Body,
    Connections,
    Request,
    TransferError,
)
from runner.emulator.batch.node.downloads import STORAGE_VERSION
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.urls import add_query
from runner.emulator.storage.record import record

# What is of the content with Put Blob is of the list itself with Put Block List.
_OF_LISTS = {
    "cache-control": "x-ms-blob-cache-control",
    "content-encoding": "x-ms-blob-content-encoding",
    "content-language": "x-ms-blob-content-language",
    "content-type": "x-ms-blob-content-type",
}
# Put Block knows nothing of what describes a blob.
_OF_BLOCKS = ("x-ms-lease-id", "x-ms-encryption-", "x-ms-client-request-id")


@record(frozen=True, slots=True, kw_only=True)
class BlockSizes:
    """When a file is sent in blocks, and how large they are."""

    single_put_bytes: int = 256 * 1024 * 1024
    block_bytes: int = 64 * 1024 * 1024


@record(frozen=True, slots=True)
class _Section:
    """A part of an open file, read without moving its position."""

    descriptor: int
    start: int
    size_bytes: int

    def pieces(self) -> Iterator[bytes]:
        """The content; raises `TransferError` where the file has become shorter."""
        position, end = self.start, self.start + self.size_bytes
        while position < end:
            piece = os.pread(self.descriptor, min(PIECE_BYTES, end - position), position)
            if not piece:
                raise TransferError("the file became shorter while it was sent")
            position += len(piece)
            yield piece


def upload(
    connections: Connections,
    url: str,
    descriptor: int,
    interruption: Interruption,
    sizes: BlockSizes,
    *,
    asked: Sequence[tuple[str, str]] = (),
) -> int:
    """Sends what the open file holds now to the blob at `url`; its size in bytes.

    REST: Put Blob, or Put Block and Put Block List; each content goes with its MD5. Raises
    `TransferError` after the retries, `OSError` where the file cannot be read,
    `InterruptedRunError`. The headers that are `asked` for go along as Put Blob knows them, and
    describe the blob in whatever way it is sent.
    """
    size = os.fstat(descriptor).st_size
    if size <= sizes.single_put_bytes:
        whole = _Section(descriptor, 0, size)
        headers = {
            "x-ms-blob-type": "BlockBlob",
            "Content-Type": "application/octet-stream",
            "Content-MD5": _encode(_digest(whole, interruption)),
        }
        headers = _with_asked(headers, asked)
        _put(connections, url, headers, whole.pieces, size, interruption)
        return size
    digest = hashlib.md5(usedforsecurity=False)
    names = []
    for index, start in enumerate(range(0, size, sizes.block_bytes)):
        block = _Section(descriptor, start, min(sizes.block_bytes, size - start))
        names.append(base64.b64encode(f"{index:08d}".encode()).decode("ascii"))
        block_url = add_query(url, {"comp": "block", "blockid": names[-1]})
        headers = {"Content-MD5": _encode(_digest(block, interruption, digest.update))}
        of_blocks = (entry for entry in asked if entry[0].lower().startswith(_OF_BLOCKS))
        headers = _with_asked(headers, of_blocks)
        _put(connections, block_url, headers, block.pieces, block.size_bytes, interruption)
    latest = "".join(f"<Latest>{name}</Latest>" for name in names)
    document = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{latest}</BlockList>'.encode()
    headers = {
        "Content-Type": "application/xml",
        "x-ms-blob-content-type": "application/octet-stream",
        "x-ms-blob-content-md5": _encode(digest.digest()),
    }
    described = ((_OF_LISTS.get(name.lower(), name), value) for name, value in asked)
    headers = _with_asked(headers, described)
    list_url = add_query(url, {"comp": "blocklist"})
    _put(connections, list_url, headers, partial(iter, (document,)), len(document), interruption)
    return size


@lru_cache(maxsize=64)
def put_headers(asked: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Those of a request that puts a content whole, but for what tells of the content."""
    return _with_asked({"Content-Type": "application/octet-stream"}, asked)


def read_open(descriptor: int, size_bytes: int) -> bytes:
    """What an open file of that size holds; raises `TransferError` where it has become shorter."""
    return b"".join(_Section(descriptor, 0, size_bytes).pieces())


def read_pieces(descriptor: int, size_bytes: int, interruption: Interruption) -> Iterator[bytes]:
    """As `read_open`, piece by piece; raises `InterruptedRunError` in between."""
    for piece in _Section(descriptor, 0, size_bytes).pieces():
        interruption.check()
        yield piece


def _with_asked(headers: Mapping[str, str], asked: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers, and those asked for, which go before others of their names."""
    named = {name.lower(): (name, value) for name, value in (*headers.items(), *asked)}
    return dict(named.values())


def _put(
    connections: Connections,
    url: str,
    headers: dict[str, str],
    body: Body,
    size_bytes: int,
    interruption: Interruption,
) -> None:
    fixed = {"x-ms-version": STORAGE_VERSION, "Content-Length": str(size_bytes)}
    request = Request(method="PUT", url=url, headers=headers | fixed, body=body)

    def attempt() -> None:
        with connections.exchange(request, interruption) as reply:
            if reply.status != 201:
                raise reply.refusal()

    connections.retry(attempt, interruption)


def _digest(
    section: _Section, interruption: Interruption, also: Callable[[bytes], None] | None = None
) -> bytes:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in section.pieces():
        interruption.check()
        digest.update(piece)
        if also is not None:
            also(piece)
    return digest.digest()


def _encode(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")
