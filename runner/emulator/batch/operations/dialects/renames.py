"""Properties that stand under another name, or elsewhere, in older api-versions.

It must not know which properties a version does not have at all (`lifetimes` does).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from runner.emulator.batch.operations.dialects.lifetimes import POOLS_WITHIN, Entity, Path
from runner.emulator.batch.operations.versions import V2020_09, V2025_06, Version

_OLD_SLOTS, _NEW_SLOTS = "maxTasksPerNode", "taskSlotsPerNode"
_COUNTS = ("taskCounts", "taskSlotCounts")


def read_old_names(version: Version, entity: Entity, body: dict[str, Any]) -> None:
    """Changes a request's body, in place, to the names of today."""
    for pool in _pools(version, entity, body):
        if version < V2020_09 and _OLD_SLOTS in pool:
            pool[_NEW_SLOTS] = pool.pop(_OLD_SLOTS)
        for disk in _disks(pool):
            if "storageAccountType" in disk:
                disk["managedDisk"] = {"storageAccountType": disk.pop("storageAccountType")}


def write_old_names(version: Version, entity: Entity, body: dict[str, Any]) -> dict[str, Any]:
    """An entity of an answer with the names of its version, in the same order.

    The entity itself is not changed.
    """
    if entity is Entity.TASK_COUNTS and version < V2020_09:
        rest = {name: value for name, value in body.items() if name not in _COUNTS}
        return {**rest, **body["taskCounts"]}
    if not any(_pools(version, entity, body)):
        return body
    body = copy.deepcopy(body)
    for pool in _pools(version, entity, body):
        if version < V2020_09:
            _rename(pool, _NEW_SLOTS, _OLD_SLOTS)
        for disk in _disks(pool):
            managed = disk.pop("managedDisk", {})
            if "storageAccountType" in managed:
                disk["storageAccountType"] = managed["storageAccountType"]
    return body


def has_old_names(version: Version, entity: Entity) -> bool:
    """Whether anything of an entity is named differently in a version."""
    if entity is Entity.TASK_COUNTS:
        return version < V2020_09
    return entity in POOLS_WITHIN and version < V2025_06


def _pools(version: Version, entity: Entity, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not has_old_names(version, entity) or entity not in POOLS_WITHIN:
        return
    found = _descend(body, POOLS_WITHIN[entity])
    if isinstance(found, dict):
        yield found


def _descend(body: object, path: Path) -> object:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _disks(pool: dict[str, Any]) -> Iterator[dict[str, Any]]:
    disks = _descend(pool, ("virtualMachineConfiguration", "dataDisks"))
    for disk in disks if isinstance(disks, list) else ():
        if isinstance(disk, dict):
            yield disk


def _rename(body: dict[str, Any], old: str, new: str) -> None:
    items = list(body.items())
    body.clear()
    body.update((new if name == old else name, value) for name, value in items)
