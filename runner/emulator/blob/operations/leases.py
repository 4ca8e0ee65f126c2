"""The lease operations of blobs and containers.

It must not know what a lease keeps from happening.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.emulator.blob.core.blobs import change_lease
from runner.emulator.blob.core.containers import change_container_lease
from runner.emulator.blob.core.leases import (
    Acquire,
    Break,
    Change,
    LeaseAction,
    Release,
    Renew,
    find_seconds_left,
)
from runner.emulator.blob.core.records import Blob, Container
from runner.emulator.blob.core.refusals import (
    MISSING_REQUIRED_HEADER,
    RefusedError,
    header_refused,
)
from runner.emulator.blob.operations.call import (
    Call,
    Headers,
    read_conditions,
    read_id,
    version_headers,
)
from runner.emulator.guids import make_guid
from runner.emulator.server.http import Response

_SHORTEST_SECONDS, _LONGEST_SECONDS = 15, 60


async def lease_blob(call: Call) -> Response:
    """Lease Blob."""
    action = _read_action(call.request.headers)
    conditions = read_conditions(call.request.headers)
    blob = change_lease(call.state, call.key, action, conditions, call.clock())
    return _answer(call, action, blob)


async def lease_container(call: Call) -> Response:
    """Lease Container."""
    action = _read_action(call.request.headers)
    conditions = read_conditions(call.request.headers)
    name = call.target.container
    container = change_container_lease(call.state, name, action, conditions, call.clock())
    return _answer(call, action, container)


def _read_action(headers: Mapping[str, str]) -> LeaseAction:
    name = _require(headers, "x-ms-lease-action")
    match name.lower():
        case "acquire":
            return Acquire(
                lease_id=read_id(headers, "x-ms-proposed-lease-id") or make_guid(),
                duration_seconds=_read_duration(headers),
            )
        case "renew":
            return Renew(lease_id=_require_id(headers, "x-ms-lease-id"))
        case "change":
            return Change(
                lease_id=_require_id(headers, "x-ms-lease-id"),
                proposed_id=_require_id(headers, "x-ms-proposed-lease-id"),
            )
        case "release":
            return Release(lease_id=_require_id(headers, "x-ms-lease-id"))
        case "break":
            return Break(period_seconds=_read_period(headers))
        case _:
            raise header_refused("x-ms-lease-action", name)


def _answer(call: Call, action: LeaseAction, leased: Blob | Container) -> Response:
    headers: Headers = version_headers(leased)
    match action:
        case Break():
            left = find_seconds_left(leased.lease, call.clock())
            return Response(status=202, headers=(*headers, ("x-ms-lease-time", str(left))))
        case Release():
            return Response(status=200, headers=headers)
        case _:
            assert leased.lease is not None
            headers += (("x-ms-lease-id", leased.lease.lease_id),)
            return Response(status=201 if isinstance(action, Acquire) else 200, headers=headers)


def _read_duration(headers: Mapping[str, str]) -> int | None:
    text = _require(headers, "x-ms-lease-duration")
    if text == "-1":
        return None
    if text.isascii() and text.isdigit() and _SHORTEST_SECONDS <= int(text) <= _LONGEST_SECONDS:
        return int(text)
    raise header_refused("x-ms-lease-duration", text)


def _read_period(headers: Mapping[str, str]) -> int | None:
    text = headers.get("x-ms-lease-break-period")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and int(text) <= _LONGEST_SECONDS:
        return int(text)
    raise header_refused("x-ms-lease-break-period", text)


def _require(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise RefusedError(MISSING_REQUIRED_HEADER, details=(("HeaderName", name),))
    return value


def _require_id(headers: Mapping[str, str], name: str) -> str:
    _require(headers, name)
    found = read_id(headers, name)
    assert found is not None
    return found
