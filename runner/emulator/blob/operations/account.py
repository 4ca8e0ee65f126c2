"""The operations on the account: its containers, its kind, its settings.

It must not know how a request was routed here.
"""

from __future__ import annotations

from runner.emulator.blob.core.listing import list_page
from runner.emulator.blob.operations.call import Call
from runner.emulator.blob.operations.documents import (
    DECLARATION,
    element,
    write_container,
)
from runner.emulator.blob.operations.pages import read_page_request, write_marker, xml_response
from runner.emulator.server.http import Response

# What a new StorageV2 account answers: nothing logged, nothing kept, no rules.
_SETTINGS = (
    f"{DECLARATION}<StorageServiceProperties>"
    "<Logging><Version>1.0</Version><Read>false</Read><Write>false</Write>"
    "<Delete>false</Delete><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>"
    "<HourMetrics><Version>1.0</Version><Enabled>false</Enabled>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics>"
    "<MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics>"
    "<Cors /><DeleteRetentionPolicy><Enabled>false</Enabled></DeleteRetentionPolicy>"
    "<StaticWebsite><Enabled>false</Enabled></StaticWebsite></StorageServiceProperties>"
)


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
    items = "".join(write_container(c, with_metadata=with_metadata) for c in found if c)
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


async def get_service_properties(_call: Call) -> Response:
    """Get Blob Service Properties."""
    return Response(
        status=200,
        headers=(("Content-Type", "application/xml"),),
        body=_SETTINGS.encode("utf-8"),
    )
