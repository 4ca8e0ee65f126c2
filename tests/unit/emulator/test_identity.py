"""Managed identities open the emulator's own storage accounts, and nothing else."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import parse_qs

import pytest

from runner.emulator.identity import sign_by_identity
from runner.emulator.server.accounts import Account, Kind

ORIGIN = "http://127.0.0.1:8080"
UNTIL = datetime(2026, 1, 2, tzinfo=timezone.utc)
ACCOUNTS = (Account(name="mystorage", kind=Kind.BLOB, key=b"key"),)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/mystorage/data",
        "http://localhost:8080/mystorage/data/a%20b.txt",
        "http://mystorage.blob.localhost:8080/data/a.txt",
    ],
)
def test_own_containers_and_blobs_are_signed(url: str) -> None:
    signed = sign_by_identity(url, ACCOUNTS, origin=ORIGIN, until=UNTIL)
    given, _, query = signed.partition("?")
    assert given == url
    parameters = parse_qs(query)
    assert (parameters["sr"], parameters["sp"]) == (["c"], ["rwl"])
    assert parameters["se"] == ["2026-01-02T00:00:00Z"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/other/data",
        "http://127.0.0.1:8080/mystorage",
        "http://127.0.0.1:8080/mystorage/data?sig=x",
        "http://127.0.0.1:9090/mystorage/data",
        "https://mystorage.blob.core.windows.net/data",
        "http://example.org:8080/mystorage/data",
        "http://[bad/mystorage/data",
    ],
)
def test_other_urls_stay_as_they_are(url: str) -> None:
    assert sign_by_identity(url, ACCOUNTS, origin=ORIGIN, until=UNTIL) == url
