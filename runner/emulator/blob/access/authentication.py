"""Finds out by which means a request proves who it is, and what it may do then.

It must not know what the request asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from runner.emulator.blob.access.grant import FullGrant, Grant
from runner.emulator.blob.access.shared_key import check_shared_key
from runner.emulator.blob.access.signatures import check_signature
from runner.emulator.blob.access.target import Target
from runner.emulator.blob.core.refusals import NO_AUTHENTICATION_INFORMATION, RefusedError
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request

_FULL = FullGrant()


def authenticate(
    request: Request, query: Mapping[str, str], target: Target, account: Account, now: datetime
) -> Grant:
    """What the request may do; refuses one that proves nothing, since no container is public."""
    if "authorization" in request.headers:
        check_shared_key(request, account, now)
        return _FULL
    if "sig" in query:
        return check_signature(request, query, target, account, now)
    raise RefusedError(
        NO_AUTHENTICATION_INFORMATION,
        headers=(("WWW-Authenticate", "SharedKey"),),
    )
