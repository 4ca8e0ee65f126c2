"""What a managed identity may do: read, write and list in the emulator's own storage accounts.

A pool cannot be given an identity by the requests that the emulator answers, so any that a file
refers to counts as the pool's. It must not know nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import unquote, urlsplit

from runner.emulator.blob.access.issue import container_url
from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.addresses import Address, HostError, find_address

_PERMISSIONS = "rwl"


def sign_by_identity(url: str, accounts: Iterable[Account], *, origin: str, until: datetime) -> str:
    """The URL with a signature, where it is of a container or blob of one of the storage accounts.

    Any other URL comes back as it is. `origin` is the scheme, host and port of the emulator;
    `until` is when the signature ends.
    """
    try:
        parts, own = urlsplit(url), urlsplit(origin)
        if parts.query or (parts.scheme, parts.port) != (own.scheme, own.port):
            return url
        address = find_address(parts.scheme, parts.netloc, parts.path)
    except (HostError, ValueError):
        return url
    container = unquote(address.resource.lstrip("/").partition("/")[0])
    if not container or not _is_here(address, parts.hostname, own.hostname):
        return url
    for account in accounts:
        if account.name == address.account:
            signed = container_url(account, "", container, until=until, permissions=_PERMISSIONS)
            return f"{url}?{signed.partition('?')[2]}"
    return url


def _is_here(address: Address, host: str | None, own: str | None) -> bool:
    if address.kind is Kind.BLOB:
        return True
    return address.kind is None and host in {own, "localhost"}
