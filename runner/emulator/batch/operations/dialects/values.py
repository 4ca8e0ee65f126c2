"""Values that older api-versions do not take for a property that they have.

It must not know which properties a version does not have at all (`lifetimes` does).
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.emulator.batch.core.refusal import invalid_property
from runner.emulator.batch.operations.dialects.lifetimes import POOLS_WITHIN, Entity
from runner.emulator.batch.operations.versions import V2025_06, Version

# Every node was reachable by them (REST reference of 2024-07-01.20.0, InboundNATPool).
_LOGIN_PORTS = (22, 3389)
_ENDPOINTS = ("networkConfiguration", "endpointConfiguration", "inboundNATPools", "backendPort")


def refuse_later_values(version: Version, entity: Entity, body: object) -> None:
    """Raises `RefusedError` for what only later versions take.

    Values that are not of the expected form are left to whoever checks them.
    """
    if version >= V2025_06 or entity not in POOLS_WITHIN:
        return
    for port in _values(body, (*POOLS_WITHIN[entity], *_ENDPOINTS)):
        if port in _LOGIN_PORTS:
            raise invalid_property("backendPort", port, "The port is reserved")


def _values(body: object, path: tuple[str, ...]) -> Iterator[object]:
    if isinstance(body, list):
        for item in body:
            yield from _values(item, path)
    elif not path:
        yield body
    elif isinstance(body, dict) and path[0] in body:
        yield from _values(body[path[0]], path[1:])
