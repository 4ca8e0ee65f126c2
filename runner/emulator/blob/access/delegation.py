"""User delegation keys: what signs for somebody who holds a token and not the account's key.

A key follows from the account's own key and from what it says, so none is kept: it works as long as
its time lasts, over restarts too. It must not know how the key is asked for.
"""

from __future__ import annotations

import hashlib
import hmac

from runner.emulator.server.accounts import Account
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class DelegationKey:
    """What a key says about itself; all is signed and comes back in every signature.

    Times are in UTC, `2026-01-02T03:04:05Z`.
    """

    object_id: str
    tenant: str
    start: str
    expiry: str
    service: str
    version: str
    delegated_tenant: str = ""


def derive_secret(account: Account, key: DelegationKey) -> bytes:
    """The 32 bytes that sign."""
    text = "\n".join(
        (
            "user delegation key",
            account.name,
            key.object_id,
            key.tenant,
            key.start,
            key.expiry,
            key.service,
            key.version,
            key.delegated_tenant,
        )
    )
    return hmac.digest(account.key, text.encode("utf-8"), hashlib.sha256)
