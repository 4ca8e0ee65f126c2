"""The access of a container: what anybody may read, and its stored access policies.

It must not know how signatures use a policy.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.emulator.blob.core.containers import read_container, set_container_access
from runner.emulator.blob.core.records import AccessPolicy, PublicAccess
from runner.emulator.blob.core.refusals import (
    INVALID_INPUT,
    INVALID_XML_DOCUMENT,
    INVALID_XML_NODE_VALUE,
    RefusedError,
    header_refused,
)
from runner.emulator.blob.operations.call import Call, read_conditions, version_headers
from runner.emulator.blob.operations.documents import element
from runner.emulator.blob.operations.pages import xml_response
from runner.emulator.blob.operations.trees import Node, read_tree
from runner.emulator.server.http import Response

_MAXIMUM_POLICIES = 5
_MAXIMUM_ID_CHARACTERS = 64


def read_access(headers: Mapping[str, str]) -> PublicAccess:
    """What `x-ms-blob-public-access` asks for."""
    value = headers.get("x-ms-blob-public-access", "")
    try:
        return PublicAccess(value)
    except ValueError as error:
        raise header_refused("x-ms-blob-public-access", value) from error


async def get_acl(call: Call) -> Response:
    """Get Container ACL."""
    conditions = read_conditions(call.request.headers)
    container = read_container(call.state, call.target.container, conditions, call.clock())
    response = xml_response(
        f"<SignedIdentifiers>{''.join(map(_write, container.policies))}</SignedIdentifiers>"
    )
    access = container.access
    public = (("x-ms-blob-public-access", access.value),) if access is not PublicAccess.NONE else ()
    return Response(
        status=200,
        headers=(*response.headers, *version_headers(container), *public),
        body=response.body,
    )


async def set_acl(call: Call) -> Response:
    """Set Container ACL: replaces all that was set before."""
    headers = call.request.headers
    access = read_access(headers)
    tree = await read_tree(call.request, "SignedIdentifiers")
    policies = tuple(_read(node) for node in tree.children) if tree is not None else ()
    if len(policies) > _MAXIMUM_POLICIES:
        raise RefusedError(INVALID_INPUT)
    if len({policy.policy_id for policy in policies}) < len(policies):
        raise RefusedError(INVALID_INPUT)
    container = set_container_access(
        call.state,
        call.target.container,
        access,
        policies,
        read_conditions(headers),
        call.clock(),
    )
    return Response(status=200, headers=version_headers(container))


def _read(node: Node) -> AccessPolicy:
    if node.name != "SignedIdentifier":
        raise RefusedError(INVALID_XML_DOCUMENT)
    policy_id = node.read("Id")
    if not 1 <= len(policy_id) <= _MAXIMUM_ID_CHARACTERS:
        details = (("XmlNodeName", "Id"), ("XmlNodeValue", policy_id))
        raise RefusedError(INVALID_XML_NODE_VALUE, details=details)
    policy = node.find("AccessPolicy") or Node(name="AccessPolicy")
    return AccessPolicy(
        policy_id=policy_id,
        start=policy.read("Start"),
        expiry=policy.read("Expiry"),
        permissions=policy.read("Permission"),
    )


def _write(policy: AccessPolicy) -> str:
    fields = (
        ("Start", policy.start),
        ("Expiry", policy.expiry),
        ("Permission", policy.permissions),
    )
    inner = "".join(element(name, value) for name, value in fields if value)
    allowed = f"<AccessPolicy>{inner}</AccessPolicy>" if inner else ""
    return f"<SignedIdentifier>{element('Id', policy.policy_id)}{allowed}</SignedIdentifier>"
