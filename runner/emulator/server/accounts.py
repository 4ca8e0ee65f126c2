"""The accounts of an emulator: names, keys, and which storage account a Batch account uses.

It must not know how either service signs its requests, nor where keys are kept.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import Enum

from runner.emulator.storage.record import record

DEFAULT_BATCH = "localbatch"
DEFAULT_STORAGE = "localstorage"

# The rule is the same for both services ("Naming rules and restrictions for Azure resources").
_NAME = re.compile(r"[a-z0-9]{3,24}", re.ASCII)


class Kind(Enum):
    """The service that an account belongs to."""

    BATCH = "batch"
    BLOB = "blob"


class AccountError(Exception):
    """The accounts asked for cannot be; the message is one line for people."""


@record(frozen=True, slots=True, kw_only=True)
class Account:
    """An account; the key never shows in a representation."""

    name: str
    kind: Kind
    key: bytes = field(repr=False)

    def encoded_key(self) -> str:
        """The key as clients are given it: base64."""
        return base64.b64encode(self.key).decode("ascii")


@record(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """A Batch account that is asked for, and the name of its auto-storage account."""

    name: str
    storage: str = DEFAULT_STORAGE


@record(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """The accounts that are asked for; those that are always there come first."""

    batch: tuple[BatchPlan, ...]
    storage: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        """All names."""
        return (*(account.name for account in self.batch), *self.storage)


@record(frozen=True, slots=True, kw_only=True)
class BatchAccount:
    """A Batch account with the storage account that its nodes fetch files from."""

    account: Account
    storage: Account


@record(frozen=True, slots=True, kw_only=True)
class Accounts:
    """All accounts of an emulator; the first of each service is the one that clients are given."""

    batch: tuple[BatchAccount, ...]
    storage: tuple[Account, ...]

    def all(self) -> tuple[Account, ...]:
        """Those of both services."""
        return (*(pair.account for pair in self.batch), *self.storage)


def plan_accounts(batch: Iterable[BatchPlan] = (), storage: Iterable[str] = ()) -> AccountPlan:
    """The accounts that are always there, and more; raises `AccountError`.

    One name is one account, since paths begin with it whatever the service.
    """
    plan = AccountPlan(
        batch=(BatchPlan(name=DEFAULT_BATCH), *batch), storage=(DEFAULT_STORAGE, *storage)
    )
    seen: set[str] = set()
    for name in plan.names():
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"`{name}` is not the name of an account: 3 to 24 lower-case letters and digits"
            )
        if name in seen:
            raise AccountError(f"there are two accounts `{name}`, of whichever service")
        seen.add(name)
    for account in plan.batch:
        if account.storage not in plan.storage:
            known = ", ".join(f"`{name}`" for name in plan.storage)
            raise AccountError(
                f"`{account.storage}`, where the Batch account `{account.name}` keeps files, is not"
                f" a storage account: there is {known}"
            )
    return plan


def make_accounts(plan: AccountPlan, keys: Mapping[str, bytes]) -> Accounts:
    """The accounts with their keys, of which there is one for each name."""
    storage = {name: Account(name=name, kind=Kind.BLOB, key=keys[name]) for name in plan.storage}
    return Accounts(
        batch=tuple(
            BatchAccount(
                account=Account(name=wanted.name, kind=Kind.BATCH, key=keys[wanted.name]),
                storage=storage[wanted.storage],
            )
            for wanted in plan.batch
        ),
        storage=tuple(storage.values()),
    )


def new_key() -> bytes:
    """512 random bits, the size of Azure's own keys."""
    return secrets.token_bytes(64)


def decode_key(text: object) -> bytes:
    """A key as clients are given it; raises `ValueError` or `TypeError` where it is none."""
    if not isinstance(text, str):
        raise TypeError("not a string")
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if not key:
        raise ValueError("empty")
    return key
