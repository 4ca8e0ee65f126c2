"""Finds out by which means a request proves who it is, and what it may do then.

It must not know what the request asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from runner.emulator.blob.access.bearer import CHALLENGE, check_bearer
from runner.emulator.blob.access.grant import FullGrant, Grant
from runner.emulator.blob.access.shared_key import check_shared_key
from runner.emulator.blob.access.signatures import check_signature
from runner.emulator.blob.access.target import Target
from runner.emulator.blob.core.refusals import NO_AUTHENTICATION_INFORMATION, RefusedError
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from runner.emulator.server.tokens import is_bearer

_FULL = FullGrant()


def authenticate(
    request: Request, query: Mapping[str, str], target: Target, account: Account, now: datetime
) -> Grant:
    """What the request may do; refuses one that proves nothing, since no container is public."""
    header = request.headers.get("authorization")
    if header is not None:
        if is_bearer(header):
            return FullGrant(claims=check_bearer(request, header, account, now))
        check_shared_key(request, account, now)
        return _FULL
    if "sig" in query:
        return check_signature(request, query, target, account, now)
    # Without TLS a token would not be taken, so none is asked for.
    challenge = CHALLENGE if request.scheme == "https" else "SharedKey"
    raise RefusedError(NO_AUTHENTICATION_INFORMATION, headers=(("WWW-Authenticate", challenge),))
