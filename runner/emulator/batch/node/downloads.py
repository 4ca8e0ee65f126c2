"""Fetching one URL into an open file, and the names in a container.

It must not know where in the file system the content goes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urljoin

from runner.emulator.batch.node.connections import Connections, Reply, Request, TransferError
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.urls import add_query

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

STORAGE_VERSION = "2021-08-06"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_MAX_PAGE_BYTES = 64 * 1024 * 1024


class WriteError(Exception):
    """The file, not the server, is what failed; the `OSError` is the cause."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def download(
    connections: Connections, url: str, file: BinaryIO, interruption: Interruption
) -> None:
    """Writes the content of `url` into `file` from its start, checked by length and MD5 if given.

    Raises `TransferError` after the retries, `WriteError`, `InterruptedRunError`.
    """

    def attempt() -> None:
        target = url
        for _ in range(_MAX_REDIRECTS + 1):
            request = Request(method="GET", url=target)
            with connections.exchange(request, interruption) as reply:
                if reply.status == 200:
                    _save(reply, file)
                    return
                location = reply.header("location")
                if reply.status not in _REDIRECTS or location is None:
                    raise reply.refusal()
                target = urljoin(target, location)
        raise TransferError("the server redirects in a circle")

    connections.retry(attempt, interruption)


def list_blob_names(
    connections: Connections, container_url: str, prefix: str, interruption: Interruption
) -> Iterator[str]:
    """The names below `prefix`, page by page (REST: List Blobs); raises `TransferError`."""
    marker = ""
    while True:
        pairs = {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker}
        url = add_query(container_url, {name: value for name, value in pairs.items() if value})
        page = _read_page(connections, url, interruption)
        for blob in page.iterfind("./Blobs/Blob"):
            if blob.findtext("./Properties/ResourceType") == "directory":
                continue  # An account with a hierarchical namespace lists its folders too.
            name = blob.find("./Name")
            if name is not None and name.text:
                encoded = name.get("Encoded", "").lower() == "true"
                yield unquote(name.text) if encoded else name.text
        marker = page.findtext("./NextMarker") or ""
        if not marker:
            return


def _read_page(connections: Connections, url: str, interruption: Interruption) -> ET.Element:
    request = Request(method="GET", url=url, headers={"x-ms-version": STORAGE_VERSION})

    def attempt() -> bytes:
        content = bytearray()
        with connections.exchange(request, interruption) as reply:
            if reply.status != 200:
                raise reply.refusal()
            for piece in reply.pieces():
                content += piece
                if len(content) > _MAX_PAGE_BYTES:
                    raise TransferError("the container's list is too large")
        return bytes(content)

    content = connections.retry(attempt, interruption)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise TransferError("the container's list declares entities")
    # Imported here: it takes a while, and most containers are listed without HTTP.
    from xml.etree import ElementTree as ET

    try:
        return ET.fromstring(content)  # noqa: S314 - entities are refused above
    except ET.ParseError:
        raise TransferError("the container's list is not well-formed XML") from None


def _save(reply: Reply, file: BinaryIO) -> None:
    expected = reply.header("content-md5")
    digest = None if expected is None else hashlib.md5(usedforsecurity=False)
    try:
        file.seek(0)
        file.truncate()
    except OSError as error:
        raise WriteError(error) from error
    for piece in reply.pieces():
        try:
            file.write(piece)
        except OSError as error:
            raise WriteError(error) from error
        if digest is not None:
            digest.update(piece)
    try:
        file.flush()
    except OSError as error:
        raise WriteError(error) from error
    if digest is not None and base64.b64encode(digest.digest()).decode("ascii") != expected:
        raise TransferError("the content does not match its Content-MD5", transient=True)
