"""The operations on a container and its list of blobs.

It must not know how a request was routed here.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.emulator.blob.core.containers import (
    create_container,
    delete_container,
    find_container,
    read_container,
    set_container_metadata,
)
from runner.emulator.blob.core.listing import Page, list_page
from runner.emulator.blob.core.records import Blob, BlobKey, Container, ContentHeaders
from runner.emulator.blob.operations.call import (
    Call,
    metadata_headers,
    read_conditions,
    read_metadata,
    version_headers,
)
from runner.emulator.blob.operations.describing import describe_container
from runner.emulator.blob.operations.documents import element, write_blob, write_prefix
from runner.emulator.blob.operations.pages import (
    LAST_SNAPSHOT,
    PageRequest,
    read_page_request,
    write_marker,
    xml_response,
)
from runner.emulator.blob.operations.policies import read_access
from runner.emulator.server.http import Response

# Of the last two lines nothing can be there, as nothing that would make them is implemented.
_INCLUDES = frozenset(
    {"metadata", "snapshots", "copy", "tags", "uncommittedblobs"}
    | {"deleted", "versions", "deletedwithversions"}
    | {"immutabilitypolicy", "legalhold", "permissions"}
)


async def create(call: Call) -> Response:
    """Create Container."""
    headers = call.request.headers
    container = create_container(
        call.state,
        call.target.container,
        read_metadata(call.request),
        read_access(headers),
        call.clock(),
    )
    return Response(status=201, headers=version_headers(container))


async def get_properties(call: Call) -> Response:
    """Get Container Properties."""
    return Response(status=200, headers=describe_container(_read(call), call.clock()))


async def get_metadata(call: Call) -> Response:
    """Get Container Metadata."""
    container = _read(call)
    headers = version_headers(container) + metadata_headers(container.metadata)
    return Response(status=200, headers=headers)


def _read(call: Call) -> Container:
    conditions = read_conditions(call.request.headers)
    return read_container(call.state, call.target.container, conditions, call.clock())


async def set_metadata(call: Call) -> Response:
    """Set Container Metadata."""
    headers = call.request.headers
    container = set_container_metadata(
        call.state,
        call.target.container,
        read_metadata(call.request),
        read_conditions(headers),
        call.clock(),
    )
    return Response(status=200, headers=version_headers(container))


async def delete(call: Call) -> Response:
    """Delete Container."""
    conditions = read_conditions(call.request.headers)
    delete_container(call.state, call.target.container, conditions, call.clock())
    return Response(status=202)


async def list_blobs(call: Call) -> Response:
    """List Blobs."""
    container = call.target.container
    asked = read_page_request(call, known_includes=_INCLUDES)
    find_container(call.state, container)
    page = list_page(
        _find_names(call, asked),
        prefix=asked.prefix,
        delimiter=asked.delimiter,
        start=asked.start,
        maximum=asked.maximum,
    )
    found, prefixes, marker = _find_blobs(call, asked, page)
    now = call.clock()
    blobs = "".join(write_blob(blob, asked.includes, now) for blob in found)
    return xml_response(
        f'<EnumerationResults ServiceEndpoint="{call.endpoint}/" ContainerName="{container}">'
        f"{asked.echo()}<Blobs>{blobs}{''.join(map(write_prefix, prefixes))}</Blobs>"
        f"{element('NextMarker', marker)}</EnumerationResults>"
    )


def _find_names(call: Call, asked: PageRequest) -> Sequence[str]:
    catalogue = call.state.catalogue
    container = call.target.container
    names = catalogue.blob_names(container)
    if "uncommittedblobs" not in asked.includes:
        return names
    return sorted({*names, *catalogue.uncommitted_names(container)})


def _find_blobs(
    call: Call, asked: PageRequest, page: Page
) -> tuple[list[Blob], Sequence[str], str]:
    """The blobs of a page, its common prefixes, and the marker of the next."""
    catalogue = call.state.catalogue
    container = call.target.container
    if not asked.includes & {"snapshots", "uncommittedblobs"}:
        found = [b for name in page.names if (b := catalogue.blob(container, name)) is not None]
        return found, page.prefixes, write_marker(page.next_name)
    with_snapshots = "snapshots" in asked.includes
    expanded: list[Blob] = []
    for name in page.names:
        if with_snapshots:
            first = asked.start_snapshot if name == asked.start else ""
            taken = catalogue.snapshots(container, name).values()
            expanded += [blob for blob in taken if blob.key.snapshot >= first]
        expanded.append(catalogue.blob(container, name) or _make_uncommitted(call, name))
    room = asked.maximum - len(page.prefixes)
    if len(expanded) <= room:
        return expanded, page.prefixes, write_marker(page.next_name)
    # Snapshots take more room than the page has: it ends with what fits.
    room = max(room, 1)
    following = expanded[room].key
    prefixes = tuple(prefix for prefix in page.prefixes if prefix <= following.blob)
    marker = write_marker(following.blob, following.snapshot or LAST_SNAPSHOT)
    return expanded[:room], prefixes, marker


def _make_uncommitted(call: Call, name: str) -> Blob:
    """What a list shows of a blob that has only uncommitted blocks: empty, and without a past."""
    now = call.clock()
    return Blob(
        key=BlobKey(container=call.target.container, blob=name),
        etag="",
        created=now,
        modified=now,
        headers=ContentHeaders(),
        metadata=(),
        segments=(),
        size_bytes=0,
    )
