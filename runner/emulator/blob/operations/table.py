"""The one table of the REST reference's operations, and which of them a request asks for.

It must not know what an operation does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from runner.emulator.blob.access.grant import Demand, ResourceType
from runner.emulator.blob.access.target import Level
from runner.emulator.blob.core.records import PublicAccess
from runner.emulator.blob.core.refusals import (
    UNSUPPORTED_HTTP_VERB,
    RefusedError,
    query_refused,
)
from runner.emulator.blob.operations import (
    account,
    appends,
    batch,
    blobs,
    blocks,
    containers,
    copies,
    delegation,
    leases,
    policies,
    settings,
    tags,
    tiers,
)
from runner.emulator.blob.operations.call import Call
from runner.emulator.server.http import Response
from runner.emulator.storage.record import record

Handler = Callable[[Call], Awaitable[Response]]


@record(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation; without a handler it is one that the emulator does not have."""

    name: str
    demand: Demand
    handler: Handler | None = None


def _account(name: str, permissions: str, handler: Handler | None = None) -> Operation:
    demand = Demand(
        permissions=permissions, resource_type=ResourceType.SERVICE, service_signature=False
    )
    return Operation(name=name, demand=demand, handler=handler)


def _container(
    name: str,
    permissions: str,
    handler: Handler | None = None,
    *,
    public: PublicAccess = PublicAccess.NONE,
) -> Operation:
    demand = Demand(
        permissions=permissions,
        resource_type=ResourceType.CONTAINER,
        service_signature=False,
        public=public,
    )
    return Operation(name=name, demand=demand, handler=handler)


def _object(
    name: str,
    permissions: str,
    handler: Handler | None = None,
    *,
    public: PublicAccess = PublicAccess.NONE,
) -> Operation:
    demand = Demand(permissions=permissions, resource_type=ResourceType.OBJECT, public=public)
    return Operation(name=name, demand=demand, handler=handler)


def _unsigned(name: str, handler: Handler | None = None) -> Operation:
    """An operation that no signature permits: only the key, or a token."""
    demand = Demand(
        permissions="",
        resource_type=None,
        service_signature=False,
        account_signature=False,
    )
    return Operation(name=name, demand=demand, handler=handler)


def _any_type(
    name: str, permissions: str, handler: Handler, *, service_signature: bool = True
) -> Operation:
    demand = Demand(
        permissions=permissions, resource_type=None, service_signature=service_signature
    )
    return Operation(name=name, demand=demand, handler=handler)


_PUBLIC_BLOB, _PUBLIC_CONTAINER = PublicAccess.BLOB, PublicAccess.CONTAINER

_LIST_BLOBS = Operation(
    name="List Blobs",
    demand=Demand(permissions="l", resource_type=ResourceType.CONTAINER, public=_PUBLIC_CONTAINER),
    handler=containers.list_blobs,
)
_FIND_IN_CONTAINER = Operation(
    name="Find Blobs by Tags",
    demand=Demand(permissions="f", resource_type=ResourceType.CONTAINER),
    handler=tags.find_blobs,
)
_INFORMATION = _any_type("Get Account Information", "", account.get_account_information)
# Each request of a batch brings its own authorization.
_BATCH = _any_type("Blob Batch", "", batch.submit)
_CONTAINER_PROPERTIES = _container(
    "Get Container Properties", "r", containers.get_properties, public=_PUBLIC_CONTAINER
)
_CONTAINER_METADATA = _container(
    "Get Container Metadata", "r", containers.get_metadata, public=_PUBLIC_CONTAINER
)
_CONTAINER_ACL = _unsigned("Get Container ACL", policies.get_acl)
_BLOB_METADATA = _object("Get Blob Metadata", "r", blobs.get_metadata, public=_PUBLIC_BLOB)
_COPY = _object("Copy Blob", "wc", copies.copy)
_PUT_FROM_URL = _object("Put Blob From URL", "wc", copies.put_from_url)
_BLOCK_FROM_URL = _object("Put Block From URL", "w", copies.put_block_from_url)
_APPEND_FROM_URL = _object("Append Block From URL", "aw", copies.append_block_from_url)
# Whoever may delete may break a lease, since a lease keeps from deleting.
_BREAK_BLOB = _object("Lease Blob", "wd", leases.lease_blob)
_BREAK_CONTAINER = _container("Lease Container", "wd", leases.lease_container)

# Method, level, `restype`, `comp`.
_TABLE: Mapping[tuple[str, Level, str, str], Operation] = {
    ("GET", Level.ACCOUNT, "", "list"): _account("List Containers", "l", account.list_containers),
    ("GET", Level.ACCOUNT, "service", "properties"): _account(
        "Get Blob Service Properties", "r", settings.get_properties
    ),
    ("PUT", Level.ACCOUNT, "service", "properties"): _account(
        "Set Blob Service Properties", "w", settings.set_properties
    ),
    ("GET", Level.ACCOUNT, "service", "stats"): _account(
        "Get Blob Service Stats", "r", settings.get_stats
    ),
    ("POST", Level.ACCOUNT, "service", "userdelegationkey"): _unsigned(
        "Get User Delegation Key", delegation.get_user_delegation_key
    ),
    ("GET", Level.ACCOUNT, "account", "properties"): _INFORMATION,
    ("HEAD", Level.ACCOUNT, "account", "properties"): _INFORMATION,
    ("GET", Level.ACCOUNT, "", "blobs"): _account("Find Blobs by Tags", "f", tags.find_blobs),
    ("POST", Level.ACCOUNT, "", "batch"): _BATCH,
    # So asks the client for JavaScript, which takes the account in a path for a container.
    ("POST", Level.ACCOUNT, "container", "batch"): _BATCH,
    ("PUT", Level.CONTAINER, "container", ""): _container(
        "Create Container", "wc", containers.create
    ),
    ("GET", Level.CONTAINER, "container", ""): _CONTAINER_PROPERTIES,
    ("HEAD", Level.CONTAINER, "container", ""): _CONTAINER_PROPERTIES,
    ("GET", Level.CONTAINER, "container", "metadata"): _CONTAINER_METADATA,
    ("HEAD", Level.CONTAINER, "container", "metadata"): _CONTAINER_METADATA,
    ("PUT", Level.CONTAINER, "container", "metadata"): _container(
        "Set Container Metadata", "w", containers.set_metadata
    ),
    ("DELETE", Level.CONTAINER, "container", ""): _container(
        "Delete Container", "d", containers.delete
    ),
    ("GET", Level.CONTAINER, "container", "list"): _LIST_BLOBS,
    ("GET", Level.CONTAINER, "container", "acl"): _CONTAINER_ACL,
    ("HEAD", Level.CONTAINER, "container", "acl"): _CONTAINER_ACL,
    ("PUT", Level.CONTAINER, "container", "acl"): _unsigned("Set Container ACL", policies.set_acl),
    ("PUT", Level.CONTAINER, "container", "lease"): _container(
        "Lease Container", "w", leases.lease_container
    ),
    ("PUT", Level.CONTAINER, "container", "undelete"): _container("Restore Container", "w"),
    ("PUT", Level.CONTAINER, "container", "rename"): _container("Rename Container", "w"),
    ("GET", Level.CONTAINER, "container", "blobs"): _FIND_IN_CONTAINER,
    ("POST", Level.CONTAINER, "container", "batch"): _BATCH,
    ("GET", Level.CONTAINER, "account", "properties"): _INFORMATION,
    ("HEAD", Level.CONTAINER, "account", "properties"): _INFORMATION,
    ("PUT", Level.BLOB, "", ""): _object("Put Blob", "wc", blobs.put),
    ("GET", Level.BLOB, "", ""): _object("Get Blob", "r", blobs.get, public=_PUBLIC_BLOB),
    ("HEAD", Level.BLOB, "", ""): _object(
        "Get Blob Properties", "r", blobs.get_properties, public=_PUBLIC_BLOB
    ),
    ("DELETE", Level.BLOB, "", ""): _object("Delete Blob", "d", blobs.delete),
    ("GET", Level.BLOB, "", "metadata"): _BLOB_METADATA,
    ("HEAD", Level.BLOB, "", "metadata"): _BLOB_METADATA,
    ("PUT", Level.BLOB, "", "metadata"): _object("Set Blob Metadata", "w", blobs.set_metadata),
    ("PUT", Level.BLOB, "", "properties"): _object(
        "Set Blob Properties", "w", blobs.set_properties
    ),
    ("PUT", Level.BLOB, "", "block"): _object("Put Block", "w", blocks.put_block),
    ("PUT", Level.BLOB, "", "blocklist"): _object("Put Block List", "wc", blocks.put_block_list),
    ("GET", Level.BLOB, "", "blocklist"): _object(
        "Get Block List", "r", blocks.get_block_list, public=_PUBLIC_BLOB
    ),
    ("GET", Level.BLOB, "account", "properties"): _INFORMATION,
    ("HEAD", Level.BLOB, "account", "properties"): _INFORMATION,
    ("PUT", Level.BLOB, "", "lease"): _object("Lease Blob", "w", leases.lease_blob),
    ("PUT", Level.BLOB, "", "snapshot"): _object("Snapshot Blob", "wc", blobs.take_snapshot),
    ("PUT", Level.BLOB, "", "undelete"): _object("Undelete Blob", "w"),
    ("PUT", Level.BLOB, "", "tier"): _object("Set Blob Tier", "w", tiers.set_tier),
    ("GET", Level.BLOB, "", "tags"): _object("Get Blob Tags", "t", tags.get_tags),
    ("PUT", Level.BLOB, "", "tags"): _object("Set Blob Tags", "t", tags.set_tags),
    ("PUT", Level.BLOB, "", "copy"): _object("Abort Copy Blob", "w", copies.abort),
    ("PUT", Level.BLOB, "", "appendblock"): _object("Append Block", "aw", appends.append_block),
    ("PUT", Level.BLOB, "", "seal"): _object("Append Blob Seal", "aw", appends.seal),
    ("PUT", Level.BLOB, "", "page"): _object("Put Page", "w"),
    ("GET", Level.BLOB, "", "pagelist"): _object("Get Page Ranges", "r"),
    ("PUT", Level.BLOB, "", "incrementalcopy"): _object("Incremental Copy Blob", "wc"),
    ("POST", Level.BLOB, "", "query"): _object("Query Blob Contents", "r"),
    ("PUT", Level.BLOB, "", "expiry"): _object("Set Blob Expiry", "w"),
    ("PUT", Level.BLOB, "", "immutabilitypolicies"): _object("Set Immutability Policy", "i"),
    ("DELETE", Level.BLOB, "", "immutabilitypolicies"): _object("Delete Immutability Policy", "i"),
    ("PUT", Level.BLOB, "", "legalhold"): _object("Set Legal Hold", "i"),
}

OPERATIONS: Mapping[str, bool] = {
    each.name: each.handler is not None
    for each in (*_TABLE.values(), _COPY, _PUT_FROM_URL, _BLOCK_FROM_URL, _APPEND_FROM_URL)
}
"""All operations by name, and whether they are there."""

_METHODS = frozenset(method for method, _, _, _ in _TABLE)


def find_operation(
    method: str, level: Level, query: Mapping[str, str], headers: Mapping[str, str]
) -> Operation:
    """The operation that is asked for; refuses what the reference does not have."""
    restype, comp = query.get("restype", "").lower(), query.get("comp", "").lower()
    operation = _TABLE.get((method, level, restype, comp))
    if operation is None:
        if method not in _METHODS:
            raise RefusedError(UNSUPPORTED_HTTP_VERB)
        name = "comp" if comp else "restype"
        reason = f"No operation of {method} on the {level.value} has it."
        raise query_refused(name, comp or restype, reason)
    if "x-ms-copy-source" in headers and method == "PUT" and level is Level.BLOB:
        return _find_copy(comp, headers, operation)
    if comp == "lease" and headers.get("x-ms-lease-action", "").lower() == "break":
        return _BREAK_BLOB if level is Level.BLOB else _BREAK_CONTAINER
    return operation


def _find_copy(comp: str, headers: Mapping[str, str], operation: Operation) -> Operation:
    if comp == "block":
        return _BLOCK_FROM_URL
    if comp == "appendblock":
        return _APPEND_FROM_URL
    if comp:
        return operation
    return _PUT_FROM_URL if "x-ms-blob-type" in headers else _COPY
