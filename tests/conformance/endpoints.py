"""Where the emulator under test listens, and how it is started as a process of its own.

It must not know what the tests then ask of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """Endpoints and keys of a running emulator, and its process."""

    batch_endpoint: str
    batch_account: str
    batch_key: str
    blob_endpoint: str
    storage_account: str
    storage_key: str
    connection_string: str
    batch_accounts: Mapping[str, Mapping[str, str]] = field(repr=False)
    """By name; where there are only the usual two accounts, that of the usual one."""
    storage_accounts: Mapping[str, Mapping[str, str]] = field(repr=False)
    ca_file: str | None
    """Whom clients have to trust, over TLS."""
    dashboard: str | None = field(repr=False)
    """The address of its page, with the token."""
    process: subprocess.Popen[str] = field(repr=False)


def parse_announcement(line: str, process: subprocess.Popen[str]) -> Emulator:
    """What the emulator's `--json` line says."""
    document = json.loads(line)
    batch, storage = document["batch"], document["storage"]
    accounts = document.get("accounts", {"batch": [batch], "storage": [storage]})
    return Emulator(
        batch_endpoint=batch["endpoint"],
        batch_account=batch["account"],
        batch_key=batch["key"],
        blob_endpoint=storage["blob_endpoint"],
        storage_account=storage["account"],
        storage_key=storage["key"],
        connection_string=storage["connection_string"],
        batch_accounts={account["account"]: account for account in accounts["batch"]},
        storage_accounts={account["account"]: account for account in accounts["storage"]},
        ca_file=document.get("tls", {}).get("ca_file"),
        dashboard=document.get("dashboard"),
        process=process,
    )


@contextmanager
def start_emulator(*arguments: str) -> Iterator[Emulator]:
    """An emulator on a free port of loopback that ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runner.emulator", "--json", "--until-stdin-closes", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"the emulator ended with {process.wait(timeout=10)} before it was ready"
        yield parse_announcement(line, process)
    finally:
        process.stdin.close()
        try:
            exit_code = process.wait(timeout=60)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
    assert exit_code == 0
