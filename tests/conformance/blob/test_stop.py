"""The emulator stops at once, whatever its clients are doing."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

from tests.conformance.endpoints import start_emulator


def test_a_client_that_does_not_read_does_not_hold_the_emulator_up() -> None:
    with start_emulator() as emulator:
        with BlobServiceClient.from_connection_string(emulator.connection_string) as account:
            account.create_container("box").upload_blob("big", bytes(50_000_000))
        sas = generate_blob_sas(
            emulator.storage_account,
            "box",
            "big",
            account_key=emulator.storage_key,
            permission=BlobSasPermissions(read=True),
            expiry=datetime.now(timezone.utc) + timedelta(hours=1),
        )
        url = urlsplit(f"{emulator.blob_endpoint}/box/big?{sas}")
        assert url.hostname is not None
        with socket.create_connection((url.hostname, url.port or 0)) as stalled:
            request = f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n"
            stalled.sendall(request.encode())
            assert stalled.recv(12) == b"HTTP/1.1 200"

            assert emulator.process.stdin is not None
            emulator.process.stdin.close()
            assert emulator.process.wait(timeout=60) == 0
