"""What the emulator prints once it is ready: where its services are, for programs and for shells.

It must not know how the services are served.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

from runner.emulator.server.accounts import Account


def write_json(
    write: Callable[[str], object], authority: str, batch: Account, storage: Account
) -> None:
    """Writes where the services are as one line of JSON."""
    document = {
        "batch": {
            "endpoint": f"http://{authority}/{batch.name}",
            "account": batch.name,
            "key": batch.encoded_key(),
        },
        "storage": {
            "blob_endpoint": f"http://{authority}/{storage.name}",
            "account": storage.name,
            "key": storage.encoded_key(),
            "connection_string": format_connection_string(authority, storage),
        },
    }
    write(json.dumps(document) + "\n")


def write_exports(
    write: Callable[[str], object], authority: str, batch: Account, storage: Account
) -> None:
    """Writes where the services are as lines that a shell takes with `eval`."""
    variables = {
        "AZURE_BATCH_ENDPOINT": f"http://{authority}/{batch.name}",
        "AZURE_BATCH_ACCOUNT": batch.name,
        "AZURE_BATCH_ACCESS_KEY": batch.encoded_key(),
        "AZURE_STORAGE_CONNECTION_STRING": format_connection_string(authority, storage),
    }
    for name, value in variables.items():
        write(f"export {name}={shlex.quote(value)}\n")


def format_connection_string(authority: str, storage: Account) -> str:
    """The storage account as `azure-storage-blob` and other clients are given it."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={storage.name};"
        f"AccountKey={storage.encoded_key()};"
        f"BlobEndpoint=http://{authority}/{storage.name};"
    )
