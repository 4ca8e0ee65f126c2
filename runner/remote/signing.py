"""Makes the shared access signatures of containers, by account key or by user delegation key.

It must not know what a signature is handed out for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from runner.remote.settings import LONGEST_DELEGATION, SURE_DELEGATION
from runner.remote.storage_sdk import generate_container_sas
from runner.run.services import Permission

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, UserDelegationKey

Sign = Callable[[str, str, datetime], str]
"""A container's SAS for what letters say, until a time: a query string without its mark."""

_CLOCK_SKEW = timedelta(minutes=15)
_LETTERS = {Permission.READ: "rl", Permission.WRITE: "cw"}
# Of our own signatures: a request that one of them is on is over by far when it expires.
_LIFE = timedelta(hours=2)
_LEAST_LIFE = timedelta(hours=1)
_TRANSFERS = "rcwl"


def letters(permission: Permission) -> str:
    """The service's letters for a permission (REST, Create Service SAS)."""
    return _LETTERS[permission]


class Signatures:
    """Those that our own transfers go by, of each container one at a time."""

    def __init__(self, sign: Sign, *, clock: Callable[[], datetime]) -> None:
        self._sign = sign
        self._clock = clock
        self._held: dict[str, tuple[str, datetime]] = {}

    def __call__(self, container: str) -> str:
        """The signature of a container; two threads may make it at once, and it is the same."""
        now, held = self._clock(), self._held.get(container)
        if held is None or held[1] - now < _LEAST_LIFE:
            until = now + _LIFE
            held = self._held[container] = self._sign(container, _TRANSFERS, until), until
        return held[0]


def sign_by_key(account: str, key: str, *, https_only: bool) -> Sign:
    """Signs with the account's key."""
    protocol = "https" if https_only else None

    def sign(container: str, letters: str, expires: datetime) -> str:
        return generate_container_sas(
            account,
            container,
            account_key=key,
            permission=letters,
            expiry=expires,
            protocol=protocol,
        )

    return sign


def sign_by_delegation(
    account: str, service: BlobServiceClient, *, clock: Callable[[], datetime]
) -> Sign:
    """Signs with a key that the service gives to whoever is signed in; raises azure-core's errors.

    One key serves for a day. What would outlive its key expires with it: at least six days on.
    """
    lock = threading.Lock()
    held: tuple[UserDelegationKey, datetime] | None = None

    def sign(container: str, letters: str, expires: datetime) -> str:
        nonlocal held
        now = clock()
        with lock:
            if held is None or held[1] - now < SURE_DELEGATION:
                start = now - _CLOCK_SKEW
                until = start + LONGEST_DELEGATION
                held = service.get_user_delegation_key(start, until), until
            key, key_expires = held
        return generate_container_sas(
            account,
            container,
            user_delegation_key=key,
            permission=letters,
            expiry=min(expires, key_expires),
            protocol="https",
        )

    return sign
