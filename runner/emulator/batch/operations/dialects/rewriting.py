"""Reads requests and writes answers in the form of their api-version.

It must not know any property; `lifetimes`, `renames` and `values` list them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.dialects.lifetimes import (
    POOLS_WITHIN,
    Entity,
    Path,
    absent_paths,
)
from runner.emulator.batch.operations.dialects.renames import (
    has_old_names,
    read_old_names,
    write_old_names,
)
from runner.emulator.batch.operations.dialects.values import refuse_later_values
from runner.emulator.batch.operations.versions import V2024_07, Version

_ENTITIES = {entity.value: entity for entity in Entity}
_BODIES = {
    "create_pool": Entity.POOLS,
    "update_pool": Entity.POOLS,
    "replace_pool_properties": Entity.POOLS,
    "create_job": Entity.JOBS,
    "update_job": Entity.JOBS,
    "replace_job": Entity.JOBS,
    "create_job_schedule": Entity.SCHEDULES,
    "update_job_schedule": Entity.SCHEDULES,
    "replace_job_schedule": Entity.SCHEDULES,
    "create_task": Entity.TASKS,
    "create_task_collection": Entity.TASKS,
}
# All that an update of a pool could change before the version in which it learnt the rest.
_FIRST_UPDATES = frozenset(
    {
        "startTask",
        "certificateReferences",
        "applicationPackageReferences",
        "metadata",
        "targetNodeCommunicationMode",
    }
)


def read_request(version: Version, operation: str, body: object) -> object:
    """The body in the emulator's own form; raises `RefusedError` for what a version lacks.

    A body that is not of the expected form is left to whoever checks it.
    """
    entity = _BODIES.get(operation)
    if entity is None or not isinstance(body, dict):
        return body
    entries: list[object] = [body]
    if operation == "create_task_collection":
        tasks = body.get("value")
        entries = tasks if isinstance(tasks, list) else []
    for path in absent_paths(version, entity):
        for entry in entries:
            if isinstance(entry, dict) and path[0] in entry and _holds(entry, path):
                raise _unknown(version, path[-1])
    if operation == "update_pool" and version < V2024_07:
        for name in body:
            if name not in _FIRST_UPDATES and not name.startswith("odata."):
                raise _unknown(version, name)
    for entry in entries if entity in POOLS_WITHIN else ():
        refuse_later_values(version, entity, entry)
        if isinstance(entry, dict):
            read_old_names(version, entity, entry)
    return body


def _unknown(version: Version, name: str) -> RefusedError:
    return RefusedError(
        Reason.BODY_INVALID, ("Reason", f"There is no property {name} in api-version {version}")
    )


def write_answer(version: Version, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body of an answer without what its version does not have, under the names it has."""
    entity = _ENTITIES.get(_type_of(body))
    if entity is None:
        return body
    paths, renamed = absent_paths(version, entity), has_old_names(version, entity)
    if not paths and not renamed:
        return body
    entities = body.get("value")
    several = entities if isinstance(entities, list) else [body]
    if not renamed and not any(path[0] in one for path in paths for one in several):
        return body
    if isinstance(entities, list):
        return {**body, "value": [_write(version, entity, paths, one) for one in entities]}
    return _write(version, entity, paths, body)


def _write(
    version: Version, entity: Entity, paths: tuple[Path, ...], body: Mapping[str, Any]
) -> dict[str, Any]:
    renamed = has_old_names(version, entity)
    if not renamed and not any(path[0] in body for path in paths):
        return dict(body)
    # What is shown may be part of what is remembered: it is not changed in place.
    shown: dict[str, Any] = dict(body)
    if renamed:
        shown = write_old_names(version, entity, shown)
    for path in paths:
        if path[0] in shown:
            if len(path) == 1:
                del shown[path[0]]
            elif _holds(shown, path):
                shown[path[0]] = _without(shown[path[0]], path[1:])
    return shown


def _type_of(body: Mapping[str, Any]) -> str:
    name: str = body.get("odata.metadata", "")
    return name.rpartition("#")[2].removesuffix("/@Element")


def _holds(value: object, path: Path) -> bool:
    """Whether a property is there with a value."""
    if isinstance(value, list):
        return any(_holds(item, path) for item in value)
    if not path:
        return value is not None
    return isinstance(value, dict) and path[0] in value and _holds(value[path[0]], path[1:])


def _without(value: Any, path: Path) -> Any:
    if isinstance(value, list):
        return [_without(item, path) for item in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {name: item for name, item in value.items() if name != path[0]}
    return {**value, path[0]: _without(value[path[0]], path[1:])}
