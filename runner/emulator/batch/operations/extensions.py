"""The operations on the extensions of nodes.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import PoolId
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.filters.evaluate import Property
from runner.emulator.batch.operations.paging import Listing, list_page, number_in_order, select
from runner.emulator.batch.operations.replies import Reply, metadata
from runner.emulator.batch.operations.views.extensions import show_extension

_UNFILTERED: Mapping[str, Property[Document]] = {}


def list_node_extensions(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes/{nodeId}/extensions`."""
    node = call.state.store.node(call.pool, call.node)
    listing = Listing(
        name="extensions",
        after=number_in_order(_declared(call, node.pool)),
        show=lambda extension: show_extension(extension, node),
        properties=_UNFILTERED,
    )
    return list_page(call, listing)


def get_node_extension(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes/{nodeId}/extensions/{extensionName}`."""
    node = call.state.store.node(call.pool, call.node)
    name = call.path["extensionName"]
    for extension in _declared(call, node.pool):
        if extension["name"].lower() == name.lower():
            shown = select(call, show_extension(extension, node))
            return Reply(
                status=200, json={**metadata(call.endpoint, "extensions/@Element"), **shown}
            )
    raise RefusedError(Reason.EXTENSION_NOT_FOUND, ("ExtensionName", name))


def _declared(call: Call, pool: PoolId) -> list[Mapping[str, Any]]:
    machine = call.state.store.pool(pool).document.get("virtualMachineConfiguration", {})
    return list(machine.get("extensions", ()))
