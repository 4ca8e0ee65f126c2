"""Shows a pool with all its nodes, and one node more closely.

It must not know how files of nodes are read.
"""

from __future__ import annotations

from itertools import islice
from math import ceil
from typing import Any

from runner.emulator.batch.core.ids import NodeId, PoolId, key_of
from runner.emulator.batch.core.node import Node, NodeRun
from runner.emulator.batch.operations.views.entities import show_pool
from runner.emulator.batch.operations.views.nodes import show_node
from runner.emulator.batch.operations.wire import format_moment
from runner.emulator.dashboard.hiding import hide_in_document
from runner.emulator.dashboard.overview import show_pool_line
from runner.emulator.dashboard.portions import in_portions
from runner.emulator.dashboard.sources import BatchSource

MOST_NODES = 1000
"""So many nodes come at once: as many as a pool of real ones may have."""
_FIRST_KIND = ord("!")


async def show_pool_closely(source: BatchSource, pool_id: str, after: str) -> dict[str, Any]:
    """A pool as the service shows it, and its nodes, from the one behind `after` on."""
    store = source.shared.state.store
    pool = store.pool(PoolId(pool_id))
    nodes = store.nodes(pool.id)
    found = [node for _, node in islice(nodes.after(key_of(after) or None), MOST_NODES + 1)]
    return {
        "pool": show_pool_line(store, pool),
        "nodes": [_show_cell(node) for node in found[:MOST_NODES]],
        "nodes_total": len(nodes),
        "next": found[MOST_NODES - 1].id if len(found) > MOST_NODES else None,
        "jobs": [job.id for job in store.active_jobs(pool.id)],
        "document": hide_in_document(show_pool(source.endpoint, pool, nodes)),
    }


async def show_map(source: BatchSource, pool_id: str) -> dict[str, Any]:
    """All nodes of a pool, each as one character of `cells`: the first of `kinds` is `!`.

    A kind is a state, whether such a node is dedicated, and how many quarters of its slots are
    busy. `starts` has for each page of nodes what its first one stands behind.
    """
    store = source.shared.state.store
    pool = store.pool(PoolId(pool_id))
    kinds: dict[tuple[str, bool, int], str] = {}
    cells: list[str] = []
    starts, last = [""], ""
    async for _, node in in_portions(store.nodes(pool.id)):
        if cells and len(cells) % MOST_NODES == 0:
            starts.append(last)
        kind = (node.state.value, node.dedicated, ceil(4 * node.used_slots / node.slots))
        cells.append(kinds.setdefault(kind, chr(_FIRST_KIND + len(kinds))))
        last = node.id
    return {"kinds": list(kinds), "cells": "".join(cells), "starts": starts}


async def show_node_closely(source: BatchSource, pool_id: str, node_id: str) -> dict[str, Any]:
    """A node as the service shows it, with what runs on it."""
    store = source.shared.state.store
    pool = store.pool(PoolId(pool_id))
    node = store.node(pool.id, NodeId(node_id))
    return {
        "node": _show_cell(node),
        "running": [
            {"job": each.job, "task": each.task, "slots": each.slots} for each in node.occupied
        ],
        "recent": [
            {
                "job": each.job,
                "task": each.task,
                "started": format_moment(each.started),
                "ended": format_moment(each.ended),
                "exit_code": each.exit_code,
                "failure": None if each.failure is None else each.failure.code,
            }
            for each in reversed(node.recent)
        ],
        "has_files": node.machine_since is not None,
        "document": hide_in_document(show_node(source.endpoint, node, pool)),
    }


def _show_start(start: NodeRun) -> dict[str, Any]:
    return {
        "running": start.ended is None,
        "exit_code": start.exit_code,
        "failure": None if start.failure is None else start.failure.code,
    }


def _show_cell(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "number": node.number,
        "state": node.state.value,
        "dedicated": node.dedicated,
        "takes_tasks": node.takes_tasks,
        "slots": node.slots,
        "busy": node.used_slots,
        "since": format_moment(node.state_time),
        "errors": [{"code": error.code, "message": error.message} for error in node.errors],
        "start_task": None if node.start is None else _show_start(node.start),
    }
