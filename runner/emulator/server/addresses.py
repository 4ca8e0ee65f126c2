"""By which address a request came: the account in its path, or in its `Host` header.

It must not know which accounts there are, nor what is asked of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from runner.emulator.server.accounts import Kind

# What may stand in a Host header: it comes back in links, and so in XML and in headers.
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
# `account.region.batch.localhost` and `account.blob.localhost`, as `account.region.batch.azure.com`
# and `account.blob.core.windows.net`; the region is any word.
_ACCOUNT_HOST = re.compile(
    r"(?P<account>[a-z0-9]+)\.(?:[a-z0-9-]+\.(?P<batch>batch)|blob)(?:\.[a-z0-9-]+)+"
)
_KINDS = {"batch": Kind.BATCH, None: Kind.BLOB}


class HostError(Exception):
    """The `Host` header is none."""


class Address(NamedTuple):
    """Where a request went: all links of its answer begin with `endpoint`."""

    account: str
    kind: Kind | None
    """The service that a host's name says; None where the path names the account."""
    endpoint: str | None
    """The account's URL without a slash at its end; None where the request names no host."""
    resource: str
    """The path as sent, below the account."""


def find_address(scheme: str, host: str, raw_path: str) -> Address:
    """The address of a request by its `Host` header (empty: there is none) and its path.

    Raises `HostError`.
    """
    account, kind = _read_host(host)
    if kind is not None:
        return Address(account, kind, f"{scheme}://{host}", raw_path)
    account, slash, rest = raw_path[1:].partition("/")
    return Address(account, None, f"{scheme}://{host}/{account}" if host else None, slash + rest)


@lru_cache(maxsize=64)
def _read_host(host: str) -> tuple[str, Kind | None]:
    """The account and the service that a host names, or None; raises `HostError`.

    The few hosts of one emulator come with every request.
    """
    if host and not _AUTHORITY.fullmatch(host):
        raise HostError
    match = _ACCOUNT_HOST.fullmatch(_name_of(host)) if "." in host else None
    if match is None:
        return "", None
    return match["account"], _KINDS[match["batch"]]


def _name_of(host: str) -> str:
    # A name may end with a dot, which says that it is whole.
    return host.partition(":")[0].lower().removesuffix(".")
