"""Finds out by which means a request proves who it is, and what it may do then.

It must not know what the request asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from runner.emulator.blob.access.bearer import CHALLENGE, check_bearer
from runner.emulator.blob.access.grant import (
    AnonymousGrant,
    FullGrant,
    Grant,
    refuse_anonymous,
)
from runner.emulator.blob.access.shared_key import check_shared_key, fail
from runner.emulator.blob.access.signatures import Signatures
from runner.emulator.blob.access.target import Target
from runner.emulator.blob.core.records import Container, PublicAccess
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from runner.emulator.server.tokens import is_bearer

_FULL = FullGrant()


def authenticate(
    request: Request,
    query: Mapping[str, str],
    target: Target,
    account: Account,
    container: Container | None,
    signatures: Signatures,
    now: datetime,
) -> Grant:
    """What the request may do; refuses one that proves nothing, unless the container is public.

    `container` is the one of the target, where it is there; `signatures` are those of the account.
    """
    header = request.headers.get("authorization")
    if header is not None:
        if not is_bearer(header):
            check_shared_key(request, account, now)
            return _FULL
        claims = check_bearer(request, header, account, now)
        if "sduoid" not in query:
            return FullGrant(claims=claims)
        if claims.object_id != query["sduoid"]:
            raise fail("The access token is of another user than the one that sduoid names.")
    elif "sduoid" in query:
        raise fail("sduoid names a user, whose access token has to come with the signature.")
    if "sig" in query:
        return signatures.check(request, query, target, container, now)
    # Without TLS a token would not be taken, so none is asked for.
    challenge = CHALLENGE if request.scheme == "https" else "SharedKey"
    anonymous = AnonymousGrant(
        access=container.access if container is not None else PublicAccess.NONE,
        challenge=challenge,
    )
    if anonymous.access is PublicAccess.NONE:
        raise refuse_anonymous(anonymous)
    return anonymous
