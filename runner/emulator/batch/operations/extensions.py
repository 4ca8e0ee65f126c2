"""The operations on the extensions of nodes.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import PoolId
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.bodies.filling import is_windows
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.filters.evaluate import Property
from runner.emulator.batch.operations.paging import Listing, list_page, number_in_order, select
from runner.emulator.batch.operations.replies import Reply, metadata
from runner.emulator.batch.operations.views.extensions import show_extension

# As recorded of Linux nodes; what Windows nodes have is on no record.
_NODE_EXTENSION: Mapping[str, Any] = {
    "name": "batchNodeExtension",
    "publisher": "Microsoft.Azure.Extensions",
    "type": "CustomScript",
    "typeHandlerVersion": "2.0",
    "autoUpgradeMinorVersion": True,
}
_UNFILTERED: Mapping[str, Property[Document]] = {}


def list_node_extensions(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes/{nodeId}/extensions`."""
    node = call.state.store.node(call.pool, call.node)
    listing = Listing(
        name="extensions",
        after=number_in_order(_installed(call, node.pool)),
        show=lambda extension: show_extension(extension, node),
        properties=_UNFILTERED,
    )
    return list_page(call, listing)


def get_node_extension(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes/{nodeId}/extensions/{extensionName}`."""
    node = call.state.store.node(call.pool, call.node)
    name = call.path["extensionName"]
    for extension in _installed(call, node.pool):
        if extension["name"].lower() == name.lower():
            shown = select(call, show_extension(extension, node))
            return Reply(
                status=200, json={**metadata(call.endpoint, "extensions/@Element"), **shown}
            )
    raise RefusedError(Reason.EXTENSION_NOT_FOUND, ("ExtensionName", name))


def _installed(call: Call, pool: PoolId) -> list[Mapping[str, Any]]:
    """The extensions that the pool declares, and the one by which Batch sets up its nodes."""
    document = call.state.store.pool(pool).document
    declared = list(document.get("virtualMachineConfiguration", {}).get("extensions", ()))
    return declared if is_windows(document) else [*declared, _NODE_EXTENSION]
