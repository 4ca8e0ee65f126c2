"""Who is let in: SharedKey, clock skew, api-version."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from tests.conformance.batch.asking import refused
from tests.conformance.endpoints import Emulator


def ask(emulator: Emulator, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and content of a GET without the SDK."""
    url = urlsplit(emulator.batch_endpoint)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=60)
    try:
        connection.request("GET", f"{url.path}{path}", headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    key = base64.b64encode(b"wrong" * 12).decode()
    credential = AzureNamedKeyCredential(emulator.batch_account, key)
    with BatchClient(emulator.batch_endpoint, credential) as client:
        assert refused(lambda: list(client.list_pools())) == (403, "AuthenticationFailed")


def test_a_request_without_a_signature_is_refused(emulator: Emulator) -> None:
    status, body = ask(emulator, "/pools?api-version=2025-06-01", {})
    assert (status, body["code"]) == (401, "AuthenticationFailed")
    assert body["message"]["value"].startswith("Server failed to authenticate the request.")


def test_an_old_version_of_the_api_is_refused(emulator: Emulator) -> None:
    credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
    with BatchClient(emulator.batch_endpoint, credential, api_version="2010-01-01.1.0") as client:
        assert refused(lambda: list(client.list_pools())) == (400, "UnsupportedRequestVersion")
