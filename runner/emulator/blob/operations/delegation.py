"""Get User Delegation Key.

It must not know how signatures made with the key are checked.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from runner.emulator.blob.access.delegation import DelegationKey, derive_secret
from runner.emulator.blob.access.grant import FullGrant
from runner.emulator.blob.access.shared_key import fail
from runner.emulator.blob.core.refusals import (
    INVALID_XML_DOCUMENT,
    INVALID_XML_NODE_VALUE,
    RefusedError,
)
from runner.emulator.blob.operations.call import Call
from runner.emulator.blob.operations.documents import element
from runner.emulator.blob.operations.pages import xml_response
from runner.emulator.blob.operations.trees import Node, read_tree
from runner.emulator.server.http import Response

_LONGEST = timedelta(days=7)
_FORM = "%Y-%m-%dT%H:%M:%SZ"


async def get_user_delegation_key(call: Call) -> Response:
    """Get User Delegation Key: only who comes with an access token has one."""
    grant = call.grant
    if not isinstance(grant, FullGrant) or grant.claims is None:
        raise fail("Only authentication scheme Bearer is supported for this operation.")
    tree = await read_tree(call.request, "KeyInfo")
    if tree is None:
        raise RefusedError(INVALID_XML_DOCUMENT)
    now = call.clock()
    start = _read_time(tree, "Start") if tree.read("Start") else now
    expiry = _read_time(tree, "Expiry")
    if expiry <= start or expiry <= now or expiry - now > _LONGEST:
        raise _refuse("Expiry", tree.read("Expiry"))
    key = DelegationKey(
        object_id=grant.claims.object_id,
        tenant=grant.claims.tenant,
        start=start.strftime(_FORM),
        expiry=expiry.strftime(_FORM),
        service="b",
        version=call.version,
        delegated_tenant=tree.read("DelegatedUserTid"),
    )
    secret = base64.b64encode(derive_secret(call.account, key)).decode("ascii")
    delegated = (
        element("SignedDelegatedUserTid", key.delegated_tenant) if key.delegated_tenant else ""
    )
    return xml_response(
        f"<UserDelegationKey>{element('SignedOid', key.object_id)}"
        f"{element('SignedTid', key.tenant)}{element('SignedStart', key.start)}"
        f"{element('SignedExpiry', key.expiry)}{element('SignedService', key.service)}"
        f"{element('SignedVersion', key.version)}{delegated}{element('Value', secret)}"
        "</UserDelegationKey>"
    )


def _read_time(tree: Node, name: str) -> datetime:
    text = tree.read(name)
    with suppress(ValueError):
        return datetime.strptime(text[:19] + "Z", _FORM).replace(tzinfo=timezone.utc)
    raise _refuse(name, text)


def _refuse(name: str, value: str) -> RefusedError:
    details = (("XmlNodeName", name), ("XmlNodeValue", value))
    return RefusedError(INVALID_XML_NODE_VALUE, details=details)
