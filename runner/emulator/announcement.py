"""What the emulator prints once it is ready: where its services are, for programs and for shells.

It must not know how the services are served.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from typing import Any

from runner.emulator.server.accounts import Account, Accounts, BatchAccount
from runner.emulator.server.trust import Trust
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Where the accounts are: `origin` is the scheme, host and port that all of them share.

    `trust` is what clients need to trust the certificate, if anything.
    """

    origin: str
    accounts: Accounts
    trust: Trust | None = None
    dashboard: str | None = None
    """The address of the page with its token, if there is a page."""

    def endpoint(self, account: Account) -> str:
        """The URL of an account, which its path names."""
        return f"{self.origin}/{account.name}"

    def connection_string(self, storage: Account) -> str:
        """A storage account as `azure-storage-blob` and other clients are given it."""
        protocol = self.origin.partition(":")[0]
        return (
            f"DefaultEndpointsProtocol={protocol};AccountName={storage.name};"
            f"AccountKey={storage.encoded_key()};BlobEndpoint={self.endpoint(storage)};"
        )


class AnnouncementError(Exception):
    """Where the services are could not be printed; the words say why."""


def print_whole(text: str) -> None:
    """Writes to standard output, past its buffer: what that keeps would be tried again at the end.

    Raises `BrokenPipeError` where nobody reads it, and `AnnouncementError` where it is closed, or
    full.
    """
    stdout: object = sys.stdout
    if stdout is None:  # Python's, where it was closed from the start
        raise AnnouncementError("cannot write to standard output: it is closed")
    left = memoryview(text.encode("utf-8", "surrogateescape"))
    try:
        while left:
            left = left[os.write(1, left) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise AnnouncementError(f"cannot write to standard output: {reason}") from error


def write_json(write: Callable[[str], object], announcement: Announcement) -> None:
    """Writes where the services are as one line of JSON.

    `accounts` is there only where there are more than one of a service, and `tls` where clients
    have to be told whom to trust.
    """
    accounts = announcement.accounts
    document: dict[str, Any] = {
        "batch": _show_batch(announcement, accounts.batch[0].account),
        "storage": _show_storage(announcement, accounts.storage[0]),
    }
    if len(accounts.all()) > 2:
        document["accounts"] = {
            "batch": [
                {**_show_batch(announcement, pair.account), "auto_storage": pair.storage.name}
                for pair in accounts.batch
            ],
            "storage": [_show_storage(announcement, account) for account in accounts.storage],
        }
    if announcement.dashboard is not None:
        document["dashboard"] = announcement.dashboard
    trust = announcement.trust
    if trust is not None:
        document["tls"] = {"ca_file": str(trust.authority), "ca_bundle": str(trust.bundle)}
    write(json.dumps(document) + "\n")


def write_exports(write: Callable[[str], object], announcement: Announcement) -> None:
    """Writes where the services are as lines that a shell takes with `eval`.

    The variables of a further account end with its name, in capitals.
    """
    accounts = announcement.accounts
    for number, pair in enumerate(accounts.batch):
        for name, value in _batch_variables(announcement, pair):
            _export(write, name + _suffix(number, pair.account), value)
    for number, storage in enumerate(accounts.storage):
        name = "AZURE_STORAGE_CONNECTION_STRING" + _suffix(number, storage)
        _export(write, name, announcement.connection_string(storage))
    if announcement.trust is not None:
        for name, value in announcement.trust.variables().items():
            _export(write, name, value)


def _show_batch(announcement: Announcement, account: Account) -> dict[str, str]:
    return {
        "endpoint": announcement.endpoint(account),
        "account": account.name,
        "key": account.encoded_key(),
    }


def _show_storage(announcement: Announcement, account: Account) -> dict[str, str]:
    return {
        "blob_endpoint": announcement.endpoint(account),
        "account": account.name,
        "key": account.encoded_key(),
        "connection_string": announcement.connection_string(account),
    }


def _batch_variables(announcement: Announcement, pair: BatchAccount) -> Iterator[tuple[str, str]]:
    yield "AZURE_BATCH_ENDPOINT", announcement.endpoint(pair.account)
    yield "AZURE_BATCH_ACCOUNT", pair.account.name
    yield "AZURE_BATCH_ACCESS_KEY", pair.account.encoded_key()


def _suffix(number: int, account: Account) -> str:
    return "" if number == 0 else f"_{account.name.upper()}"


def _export(write: Callable[[str], object], name: str, value: str) -> None:
    write(f"export {name}={shlex.quote(value)}\n")
