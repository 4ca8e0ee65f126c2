"""The operations on a container and its list of blobs.

It must not know how a request was routed here.
"""

from __future__ import annotations

from runner.emulator.blob.core.conditions import check_read
from runner.emulator.blob.core.containers import (
    create_container,
    delete_container,
    find_container,
    set_container_metadata,
)
from runner.emulator.blob.core.listing import list_page
from runner.emulator.blob.core.records import Container
from runner.emulator.blob.core.refusals import PUBLIC_ACCESS_NOT_PERMITTED, RefusedError
from runner.emulator.blob.operations.call import (
    Call,
    Headers,
    check_no_lease,
    metadata_headers,
    read_conditions,
    read_metadata,
    version_headers,
)
from runner.emulator.blob.operations.documents import element, write_blob, write_prefix
from runner.emulator.blob.operations.pages import read_page_request, write_marker, xml_response
from runner.emulator.server.http import Response

# Of these nothing can be there, as nothing that would make them is implemented.
_INCLUDES = frozenset(
    {"metadata", "snapshots", "copy", "deleted", "tags", "versions", "deletedwithversions"}
    | {"immutabilitypolicy", "legalhold", "permissions"}
)


async def create(call: Call) -> Response:
    """Create Container."""
    headers = call.request.headers
    if "x-ms-blob-public-access" in headers:
        raise RefusedError(PUBLIC_ACCESS_NOT_PERMITTED)
    metadata = read_metadata(headers)
    container = create_container(call.state, call.target.container, metadata, call.clock())
    return Response(status=201, headers=version_headers(container))


async def get_properties(call: Call) -> Response:
    """Get Container Properties, and Get Container Metadata."""
    container = find_container(call.state, call.target.container)
    check_no_lease(call)
    check_read(read_conditions(call.request.headers), container.etag, container.modified)
    return Response(status=200, headers=_describe(container))


async def set_metadata(call: Call) -> Response:
    """Set Container Metadata."""
    find_container(call.state, call.target.container)
    check_no_lease(call)
    headers = call.request.headers
    container = set_container_metadata(
        call.state,
        call.target.container,
        read_metadata(headers),
        read_conditions(headers),
        call.clock(),
    )
    return Response(status=200, headers=version_headers(container))


async def delete(call: Call) -> Response:
    """Delete Container."""
    find_container(call.state, call.target.container)
    check_no_lease(call)
    conditions = read_conditions(call.request.headers)
    delete_container(call.state, call.target.container, conditions, call.clock())
    return Response(status=202)


async def list_blobs(call: Call) -> Response:
    """List Blobs."""
    container = call.target.container
    asked = read_page_request(call, known_includes=_INCLUDES)
    find_container(call.state, container)
    catalogue = call.state.catalogue
    page = list_page(
        catalogue.blob_names(container),
        prefix=asked.prefix,
        delimiter=asked.delimiter,
        start=asked.start,
        maximum=asked.maximum,
    )
    with_metadata = "metadata" in asked.includes
    found = (catalogue.blob(container, name) for name in page.names)
    blobs = "".join(write_blob(blob, with_metadata=with_metadata) for blob in found if blob)
    prefixes = "".join(write_prefix(prefix) for prefix in page.prefixes)
    return xml_response(
        f'<EnumerationResults ServiceEndpoint="{call.endpoint}/" ContainerName="{container}">'
        f"{asked.echo()}<Blobs>{blobs}{prefixes}</Blobs>"
        f"{element('NextMarker', write_marker(page.next_name))}</EnumerationResults>"
    )


def _describe(container: Container) -> Headers:
    return (
        *version_headers(container),
        *metadata_headers(container.metadata),
        ("x-ms-lease-status", "unlocked"),
        ("x-ms-lease-state", "available"),
        ("x-ms-has-immutability-policy", "false"),
        ("x-ms-has-legal-hold", "false"),
        ("x-ms-default-encryption-scope", "$account-encryption-key"),
        ("x-ms-deny-encryption-scope-override", "false"),
    )
