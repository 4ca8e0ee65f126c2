"""Shows one blob, and reads what it contains, whole or a piece at a time.

It must not know how blobs are listed. Who looks here is not a client of the storage account: what
a lease or the archive keeps from clients is shown all the same.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.operations.wire import format_moment
from runner.emulator.blob.core.records import Blob
from runner.emulator.control.gate import ControlError
from runner.emulator.dashboard.contents import (
    PIECE_BYTES,
    answer_attachment,
    answer_piece,
    find_start,
)
from runner.emulator.dashboard.hiding import hide_in_document
from runner.emulator.dashboard.sources import BlobSource
from runner.emulator.server.http import Response


async def show_blob_closely(source: BlobSource, container: str, name: str) -> dict[str, Any]:
    """A blob with what is kept beside its content."""
    blob = _find(source, container, name)
    return {
        **show_blob_line(name, blob),
        "etag": blob.etag,
        "created": format_moment(blob.created),
        "encoding": blob.headers.content_encoding,
        "md5": None if blob.headers.content_md5 is None else blob.headers.content_md5.hex(),
        "tier": None if blob.tiering is None else blob.tiering.tier.value,
        "leased": blob.lease is not None,
        "metadata": hide_in_document(dict(blob.metadata)),
        "tags": hide_in_document(dict(blob.tags)),
    }


def show_blob_line(name: str, blob: Blob) -> dict[str, Any]:
    """A blob in a line."""
    return {
        "name": name,
        "bytes": blob.size_bytes,
        "type": blob.headers.content_type,
        "kind": blob.kind.value,
        "modified": format_moment(blob.modified),
    }


async def read_content(
    source: BlobSource, container: str, name: str, query: dict[str, str]
) -> Response:
    """A piece of a blob: of its end, or from `start` on."""
    blob = _find(source, container, name)
    start = find_start(query, blob.size_bytes)
    # At once, before another request may replace it.
    piece = source.state.contents.read_small(blob.segments, start, PIECE_BYTES)
    return answer_piece(piece, start, blob.size_bytes)


async def download_content(source: BlobSource, container: str, name: str) -> Response:
    """The whole of a blob as it is now, to be saved; it may be replaced meanwhile."""
    blob = _find(source, container, name)
    body = source.state.contents.open(blob.segments, 0, blob.size_bytes)
    return answer_attachment(name, blob.size_bytes, body)


def _find(source: BlobSource, container: str, name: str) -> Blob:
    blob = source.state.catalogue.blob(container, name)
    if blob is None:
        raise ControlError(404, f"there is no blob `{name}` in the container `{container}`")
    return blob
