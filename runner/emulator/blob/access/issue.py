"""Makes shared access signatures for containers, as the service's own parts need them.

Source: "Create a service SAS". It must not know what they are used for.
"""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import quote, urlencode

from runner.emulator.server.accounts import Account
from runner.emulator.server.shared_key import sign

_VERSION = "2022-11-02"
# Signed and not given: identifier, address, protocol; snapshot, scope and the five headers.
_BEFORE_VERSION = ("", "", "")
_AFTER_RESOURCE = ("", "", "", "", "", "", "")


def container_url(
    account: Account,
    endpoint: str,
    container: str,
    *,
    until: datetime,
    permissions: str = "rl",
) -> str:
    """The URL of a container with a signature, to read and list it where nothing else is said.

    `until` is when that ends.
    """
    expiry = until.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = "\n".join(
        (
            permissions,
            "",
            expiry,
            f"/blob/{account.name}/{container}",
            *_BEFORE_VERSION,
            _VERSION,
            "c",
            *_AFTER_RESOURCE,
        )
    )
    query = {
        "sv": _VERSION,
        "sr": "c",
        "sp": permissions,
        "se": expiry,
        "sig": sign(account.key, text),
    }
    return f"{endpoint}/{quote(container, safe='')}?{urlencode(query)}"
