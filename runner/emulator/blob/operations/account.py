"""The operations on the account: its containers and its kind.

It must not know how a request was routed here.
"""

from __future__ import annotations

from runner.emulator.blob.core.listing import list_page
from runner.emulator.blob.operations.call import Call
from runner.emulator.blob.operations.documents import (
    element,
    write_container,
)
from runner.emulator.blob.operations.pages import read_page_request, write_marker, xml_response
from runner.emulator.server.http import Response


async def list_containers(call: Call) -> Response:
    """List Containers."""
    asked = read_page_request(call, known_includes=frozenset({"metadata", "deleted", "system"}))
    catalogue = call.state.catalogue
    page = list_page(
        catalogue.container_names(),
        prefix=asked.prefix,
        delimiter="",
        start=asked.start,
        maximum=asked.maximum,
    )
    with_metadata = "metadata" in asked.includes
    found = (catalogue.container(name) for name in page.names)
    now = call.clock()
    items = "".join(write_container(c, now, with_metadata=with_metadata) for c in found if c)
    return xml_response(
        f'<EnumerationResults ServiceEndpoint="{call.endpoint}/">'
        f"{asked.echo()}<Containers>{items}</Containers>"
        f"{element('NextMarker', write_marker(page.next_name))}</EnumerationResults>"
    )


async def get_account_information(_call: Call) -> Response:
    """Get Account Information."""
    return Response(
        status=200,
        headers=(
            ("x-ms-sku-name", "Standard_LRS"),
            ("x-ms-account-kind", "StorageV2"),
            ("x-ms-is-hns-enabled", "false"),
        ),
    )
