"""The operations on pools: decode, ask the core, encode.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core import pools as core
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.pool import NodeFill, Pool
from runner.emulator.batch.operations.applications import check_packages
from runner.emulator.batch.operations.bodies.pool import decode_pool, draft_start_task
from runner.emulator.batch.operations.bodies.poolchanges import (
    decode_removal,
    decode_resize,
    patch_pool,
    replace_pool,
)
from runner.emulator.batch.operations.bodies.registries import registry_passwords
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.conditions import check_read, check_write
from runner.emulator.batch.operations.filters.properties import NODE_COUNTS, POOLS
from runner.emulator.batch.operations.paging import Listing, list_page, select
from runner.emulator.batch.operations.replies import Reply, changed, element
from runner.emulator.batch.operations.views.entities import pool_url, show_pool
from runner.emulator.batch.operations.views.nodes import show_node_counts


def create_pool(call: Call) -> Reply:
    """`POST /pools`."""
    identifier, draft = decode_pool(call.body, call.state.limits)
    check_packages(call.account.applications, draft.document)
    pool = core.create_pool(call.state, call.now, identifier, draft)
    url = pool_url(call.endpoint, pool.id)
    return Reply(status=201, modified=pool.modified, service_id=url, location=url)


def list_pools(call: Call) -> Reply:
    """`GET /pools`."""
    listing = Listing(
        name="pools",
        after=call.state.store.pools.after,
        show=lambda pool: _show(call, pool),
        properties=POOLS,
    )
    return list_page(call, listing)


def get_pool(call: Call) -> Reply:
    """`GET /pools/{poolId}`."""
    pool = _read(call)
    return element(call.endpoint, "pools", select(call, _show(call, pool)), pool.modified)


def pool_exists(call: Call) -> Reply:
    """`HEAD /pools/{poolId}`."""
    return Reply(status=200, modified=_read(call).modified)


def update_pool(call: Call) -> Reply:
    """`PATCH /pools/{poolId}`."""
    pool = _written(call)
    nodes = len(call.state.store.nodes(pool.id)) + pool.target_dedicated + pool.target_spot
    document = patch_pool(call.body, pool.document, call.state.limits, empty=nodes == 0)
    pool = _update(call, pool, document)
    return changed(call.url, 200, pool.modified)


def replace_pool_properties(call: Call) -> Reply:
    """`POST /pools/{poolId}/updateproperties`."""
    pool = _written(call)
    document = replace_pool(call.body, pool.document)
    pool = _update(call, pool, document)
    return changed(call.url, 204, pool.modified)


def delete_pool(call: Call) -> Reply:
    """`DELETE /pools/{poolId}`."""
    core.delete_pool(call.state, call.now, _written(call).id)
    return Reply(status=202)


def resize_pool(call: Call) -> Reply:
    """`POST /pools/{poolId}/resize`."""
    pool = _written(call)
    resize = decode_resize(call.body)
    pool = core.resize_pool(
        call.state,
        call.now,
        pool.id,
        dedicated=resize.dedicated,
        spot=resize.spot,
        document={**pool.document, "resizeTimeout": resize.timeout},
        option=resize.option,
        timeout=resize.length,
    )
    return changed(call.url, 202, pool.modified)


def stop_pool_resize(call: Call) -> Reply:
    """`POST /pools/{poolId}/stopresize`."""
    pool = core.stop_resize(call.state, call.now, _written(call).id)
    return changed(call.url, 202, pool.modified)


def remove_nodes(call: Call) -> Reply:
    """`POST /pools/{poolId}/removenodes`."""
    pool = _written(call)
    nodes, timeout, option = decode_removal(call.body, call.state.limits)
    pool = core.remove_nodes(call.state, call.now, pool.id, nodes, option, timeout)
    return changed(call.url, 202, pool.modified)


def list_pool_node_counts(call: Call) -> Reply:
    """`GET /nodecounts`."""
    store = call.state.store
    listing = Listing(
        name="poolnodecounts",
        after=store.pools.after,
        show=lambda pool: show_node_counts(pool, store.nodes(pool.id)),
        properties=NODE_COUNTS,
        selectable=False,
    )
    return list_page(call, listing)


def _update(call: Call, pool: Pool, document: Document) -> Pool:
    check_packages(call.account.applications, document)
    return core.update_pool(
        call.state,
        call.now,
        pool.id,
        document,
        draft_start_task(document),
        inter_node=document["enableInterNodeCommunication"],
        slots_per_node=document["taskSlotsPerNode"],
        fill=NodeFill(document["taskSchedulingPolicy"]["nodeFillType"]),
        vm_size=document["vmSize"],
        registry_passwords=registry_passwords(call.body),
    )


def _read(call: Call) -> Pool:
    pool = call.state.store.pool(call.pool)
    check_read(call.headers, pool.modified)
    return pool


def _written(call: Call) -> Pool:
    pool = call.state.store.pool(call.pool)
    check_write(call.headers, pool.modified)
    return pool


def _show(call: Call, pool: Pool) -> dict[str, Any]:
    return show_pool(call.endpoint, pool, call.state.store.nodes(pool.id))
