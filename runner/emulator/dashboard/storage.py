"""Shows the containers of a storage account, and the blobs of one, a page at a time.

It must not know what blobs contain.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from runner.emulator.batch.operations.wire import format_moment
from runner.emulator.blob.core.catalogue import Catalogue
from runner.emulator.blob.core.listing import list_page
from runner.emulator.control.gate import ControlError
from runner.emulator.dashboard.blobs import show_blob_line
from runner.emulator.dashboard.sources import BlobSource

PAGE_ITEMS = 200


async def show_containers(source: BlobSource, start: str) -> dict[str, Any]:
    """A page of containers, each with how many blobs it has."""
    catalogue = source.state.catalogue
    names = catalogue.container_names()
    page = list_page(names, prefix="", delimiter="", start=start, maximum=PAGE_ITEMS)
    return {
        "account": source.name,
        "endpoint": source.endpoint,
        "containers": [_show_container(catalogue, name) for name in page.names],
        "total": len(names),
        "next": page.next_name,
    }


async def show_blobs(source: BlobSource, container: str, prefix: str, start: str) -> dict[str, Any]:
    """A page of the blobs whose names begin with a prefix, in the order of their names."""
    catalogue = source.state.catalogue
    if catalogue.container(container) is None:
        raise ControlError(404, f"there is no container `{container}`")
    names = catalogue.blob_names(container)
    page = list_page(names, prefix=prefix, delimiter="", start=start, maximum=PAGE_ITEMS)
    return {
        "container": _show_container(catalogue, container),
        "blobs": [
            show_blob_line(name, blob)
            for name in page.names
            if (blob := catalogue.blob(container, name)) is not None
        ],
        "next": page.next_name,
    }


def _show_container(catalogue: Catalogue, name: str) -> dict[str, Any]:
    found = catalogue.container(name)
    assert found is not None
    names = catalogue.blob_names(name)
    counted = [catalogue.blob(name, blob) for blob in islice(names, _MOST_SUMMED)]
    whole = len(names) <= _MOST_SUMMED
    return {
        "name": name,
        "blobs": len(names),
        "bytes": sum(blob.size_bytes for blob in counted if blob is not None) if whole else None,
        "access": found.access.value or "private",
        "modified": format_moment(found.modified),
    }


# Beyond that the sum takes longer than looking is worth.
_MOST_SUMMED = 10_000
