"""The operations on nodes: decode, ask the core, encode.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from runner.emulator.batch.core import nodes as core
from runner.emulator.batch.core import restarts
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.bodies.node import (
    decode_deallocation,
    decode_disabling,
    decode_reboot,
    decode_reimage,
)
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.filters.properties import NODES
from runner.emulator.batch.operations.paging import Listing, list_page, select
from runner.emulator.batch.operations.replies import Reply, changed, element
from runner.emulator.batch.operations.versions import V2024_07
from runner.emulator.batch.operations.views.nodes import show_node

_NOT_REIMAGED = (
    "Operation reimage can be invoked only on pools created with cloudServiceConfiguration"
)


def list_nodes(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes`."""
    store = call.state.store
    pool = store.pool(call.pool)
    listing = Listing(
        name="nodes",
        after=store.nodes(pool.id).after,
        show=lambda node: show_node(call.endpoint, node, pool),
        properties=NODES,
    )
    return list_page(call, listing)


def get_node(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes/{nodeId}`."""
    pool = call.state.store.pool(call.pool)
    node = call.state.store.node(pool.id, call.node)
    shown = show_node(call.endpoint, node, pool)
    return element(call.endpoint, "nodes", select(call, shown), None)


def reboot_node(call: Call) -> Reply:
    """`POST /pools/{poolId}/nodes/{nodeId}/reboot`."""
    restarts.reboot_node(call.state, call.now, _node(call), decode_reboot(call.body))
    return changed(call.url, 202)


def reimage_node(call: Call) -> Reply:
    """`POST /pools/{poolId}/nodes/{nodeId}/reimage`.

    On record is that older versions refuse it for machines of pools such as there are now.
    """
    option, node = decode_reimage(call.body), _node(call)
    services = "cloudServiceConfiguration" in call.state.store.pool(node.pool).document
    if call.query["api-version"] < V2024_07 and not services:
        raise RefusedError(Reason.NODE_OPERATION_INVALID, ("Reason", _NOT_REIMAGED))
    restarts.reimage_node(call.state, call.now, node, option)
    return changed(call.url, 202)


def deallocate_node(call: Call) -> Reply:
    """`POST /pools/{poolId}/nodes/{nodeId}/deallocate`."""
    option = decode_deallocation(call.body)
    restarts.deallocate_node(call.state, call.now, _node(call), option)
    return changed(call.url, 202)


def start_node(call: Call) -> Reply:
    """`POST /pools/{poolId}/nodes/{nodeId}/start`."""
    restarts.start_node(call.state, call.now, _node(call))
    return changed(call.url, 202)


def disable_node_scheduling(call: Call) -> Reply:
    """`POST /pools/{poolId}/nodes/{nodeId}/disablescheduling`."""
    core.disable_scheduling(call.state, call.now, _node(call), decode_disabling(call.body))
    return changed(call.url, 200)


def enable_node_scheduling(call: Call) -> Reply:
    """`POST /pools/{poolId}/nodes/{nodeId}/enablescheduling`."""
    core.enable_scheduling(call.state, call.now, _node(call))
    return changed(call.url, 200)


def _node(call: Call) -> Node:
    return call.state.store.node(call.pool, call.node)
