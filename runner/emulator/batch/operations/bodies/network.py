"""The network of a pool's nodes: subnet, addresses, ports.

It must not know that the emulator's nodes are on this machine.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.refusal import invalid_property
from runner.emulator.batch.operations.shapes import (
    Boolean,
    Choice,
    Field,
    Integer,
    Items,
    Shape,
    Text,
)

# Taken by the service itself (REST reference, InboundNATPool).
_RESERVED_BACKEND_PORTS = frozenset({29876, 29877})
_RESERVED_FRONTEND_PORTS = range(50_000, 55_001)

_RULE = Shape(
    (
        Field(name="priority", kind=Integer(low=150, high=4096), required=True),
        Field(name="access", kind=Choice(("allow", "deny")), required=True),
        Field(name="sourceAddressPrefix", kind=Text(empty=False), required=True),
        Field(name="sourcePortRanges", kind=Items(kind=Text(empty=False)), default=["*"]),
    )
)
_NAT_POOL = Shape(
    (
        Field(
            name="name",
            kind=Text(longest=77, pattern=r"[A-Za-z0-9]([A-Za-z0-9_.\-]*[A-Za-z0-9_])?"),
            required=True,
        ),
        Field(name="protocol", kind=Choice(("tcp", "udp")), required=True),
        Field(name="backendPort", kind=Integer(low=1, high=65_535), required=True),
        Field(name="frontendPortRangeStart", kind=Integer(low=1, high=65_534), required=True),
        Field(name="frontendPortRangeEnd", kind=Integer(low=1, high=65_534), required=True),
        Field(name="networkSecurityGroupRules", kind=Items(kind=_RULE, most=25)),
    )
)
_PUBLIC_ADDRESSES = Shape(
    (
        Field(
            name="provision",
            kind=Choice(("batchmanaged", "usermanaged", "nopublicipaddresses")),
        ),
        Field(name="ipFamilies", kind=Items(kind=Choice(("IPv4", "IPv6")))),
        Field(name="ipAddressIds", kind=Items(kind=Text(empty=False))),
        Field(
            name="ipTags",
            kind=Items(
                kind=Shape((Field(name="ipTagType", kind=Text()), Field(name="tag", kind=Text())))
            ),
        ),
    )
)
POOL_NETWORK = Shape(
    (
        Field(name="subnetId", kind=Text(empty=False)),
        Field(name="dynamicVNetAssignmentScope", kind=Choice(("none", "job")), default="none"),
        Field(
            name="endpointConfiguration",
            kind=Shape(
                (
                    Field(
                        name="inboundNATPools",
                        kind=Items(kind=_NAT_POOL, most=5),
                        required=True,
                    ),
                )
            ),
        ),
        Field(name="publicIPAddressConfiguration", kind=_PUBLIC_ADDRESSES),
        Field(name="enableAcceleratedNetworking", kind=Boolean()),
    )
)
JOB_NETWORK = Shape(
    (
        Field(name="subnetId", kind=Text(empty=False), required=True),
        Field(name="skipWithdrawFromVNet", kind=Boolean()),
    )
)


def check_network(network: Document) -> None:
    """Rules that a shape cannot say; raises `RefusedError`."""
    addresses = network.get("publicIPAddressConfiguration", {})
    if "ipAddressIds" in addresses and addresses.get("provision") != "usermanaged":
        raise invalid_property(
            "ipAddressIds",
            ", ".join(addresses["ipAddressIds"]),
            "ipAddressIds needs the provision usermanaged",
        )
    names: set[str] = set()
    ports: set[int] = set()
    for entry in network.get("endpointConfiguration", {}).get("inboundNATPools", ()):
        _check_nat_pool(entry)
        if entry["name"].lower() in names:
            raise invalid_property("name", entry["name"], "Another endpoint has this name")
        if entry["backendPort"] in ports:
            raise invalid_property(
                "backendPort", entry["backendPort"], "Another endpoint has this port"
            )
        names.add(entry["name"].lower())
        ports.add(entry["backendPort"])


def _check_nat_pool(entry: dict[str, Any]) -> None:
    start, end = entry["frontendPortRangeStart"], entry["frontendPortRangeEnd"]
    if entry["backendPort"] in _RESERVED_BACKEND_PORTS:
        raise invalid_property("backendPort", entry["backendPort"], "The port is reserved")
    if end < start:
        raise invalid_property("frontendPortRangeEnd", end, "The range ends before it starts")
    if start < _RESERVED_FRONTEND_PORTS.stop and end >= _RESERVED_FRONTEND_PORTS.start:
        raise invalid_property(
            "frontendPortRangeStart", start, "The ports 50000 to 55000 are reserved"
        )
    priorities = [rule["priority"] for rule in entry.get("networkSecurityGroupRules", ())]
    for priority in priorities:
        if priorities.count(priority) > 1:
            raise invalid_property("priority", priority, "Another rule has this priority")
