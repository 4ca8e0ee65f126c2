"""The management plane is asked over TLS, with a token, for one account."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken

from runner.emulator.server.certificates import (
    encode_certificate,
    encode_key,
    make_authority,
    make_key,
    make_server_certificate,
)
from runner.errors import ServiceRefusedError
from runner.remote.endurance import Endurance
from runner.remote.examination.management import Place, read_quotas
from tests.fakes.services import NOW
from tests.unit.remote.stub import Canned, Stub


class Credential:
    """Somebody who is signed in."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        self.scopes += scopes
        return AccessToken("a-token", int(time.time()) + 3600)


@pytest.fixture
def secure(stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The service of canned answers, over TLS that the environment says to trust."""
    now = datetime.now(timezone.utc)
    authority, key = make_authority(now), make_key()
    certificate = make_server_certificate(authority, key, ["127.0.0.1"], now)
    chain = tmp_path / "server.pem"
    chain.write_bytes(encode_certificate(certificate) + encode_key(key))
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(encode_certificate(authority.certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    stub.server.socket = context.wrap_socket(stub.server.socket, server_side=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    yield stub


def ask(stub: Stub, credential: Credential) -> object:
    place = Place(
        endpoint=f"https://127.0.0.1:{stub.port}",
        subscription="sub",
        resource_group="a group",
        account="mine",
    )
    endurance = Endurance(clock=lambda: NOW, monotonic=time.monotonic, pause=lambda _: None)
    return read_quotas(place, credential, endurance)


def test_one_account_is_asked_for(secure: Stub) -> None:
    account = {"location": "westeurope", "properties": {"poolQuota": 7}}
    secure.answer(
        Canned(body=json.dumps(account).encode(), headers={"Content-Type": "application/json"})
    )
    credential = Credential()
    told = ask(secure, credential)
    assert (getattr(told, "location", None), getattr(told, "pools", None)) == ("westeurope", 7)
    (seen,) = secure.seen
    assert (seen.method, seen.query) == ("GET", {"api-version": "2024-07-01"})
    assert seen.path == (
        "/subscriptions/sub/resourceGroups/a%20group/providers/Microsoft.Batch/batchAccounts/mine"
    )
    assert seen.headers["authorization"] == "Bearer a-token"
    assert credential.scopes == [f"https://127.0.0.1:{secure.port}/.default"]


def test_who_may_not_read_it_is_told_in_the_services_words(secure: Stub) -> None:
    body = {"error": {"code": "AuthorizationFailed", "message": "The client may not do this."}}
    secure.answer(
        Canned(
            status=403,
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
    )
    with pytest.raises(ServiceRefusedError) as raised:
        ask(secure, Credential())
    assert raised.value.code == "AuthorizationFailed"
    assert raised.value.message.startswith(
        "Azure Resource Manager refused to show Batch account `mine`: AuthorizationFailed: "
    )
