"""Access tokens for Blob Storage: over TLS, for storage, in time."""

from __future__ import annotations

from typing import Any

import pytest

from runner.emulator.blob.access.authentication import authenticate
from runner.emulator.blob.access.grant import FullGrant
from runner.emulator.blob.access.signatures import Signatures
from runner.emulator.blob.access.target import Target
from tests.fakes.tokens import OBJECT_ID, TENANT, make_token
from tests.unit.emulator.blob.wire import ACCOUNT, START, Wire, make_request

CHALLENGE = (
    "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize"
    " resource_id=https://storage.azure.com"
)
STORAGE = "https://storage.azure.com/"
IN_TIME = {"nbf": START.timestamp(), "exp": START.timestamp() + 60}


@pytest.mark.parametrize(
    "audience",
    [STORAGE, "https://storage.azure.com", "https://localstorage.blob.core.windows.net"],
)
def test_a_token_permits_everything_and_says_who_has_it(audience: str) -> None:
    token = make_token(audience, **IN_TIME)
    request = make_request(
        "GET", "/localstorage", headers={"authorization": f"Bearer {token}"}, scheme="https"
    )

    grant = authenticate(request, {}, Target(), ACCOUNT, None, Signatures(ACCOUNT), START)

    assert isinstance(grant, FullGrant)
    assert grant.claims is not None
    assert (grant.claims.tenant, grant.claims.object_id) == (TENANT, OBJECT_ID)


@pytest.mark.parametrize(
    ("token", "detail"),
    [
        ("a.b", "The access token is not a JWT: it has not three parts."),
        (
            make_token("https://batch.core.windows.net/", **IN_TIME),
            "Audience validation failed. Audience did not match.",
        ),
        (
            make_token(STORAGE, nbf=0, exp=START.timestamp() - 600),
            "Lifetime validation failed. The token is expired.",
        ),
        (
            make_token(STORAGE, nbf=START.timestamp() + 600, exp=START.timestamp() + 700),
            "Lifetime validation failed. The token is not yet valid.",
        ),
    ],
)
def test_a_token_that_does_not_fit_is_refused(wire: Wire, token: str, detail: str) -> None:
    answer = wire.ask(
        "GET",
        "/localstorage",
        "comp=list",
        headers={"authorization": f"Bearer {token}"},
        signed=False,
        scheme="https",
    )

    assert (answer.status, answer.code) == (401, "InvalidAuthenticationInfo")
    assert answer.headers["www-authenticate"] == CHALLENGE
    assert answer.text("AuthenticationErrorDetail") == detail


@pytest.mark.parametrize(
    ("scheme", "version", "detail"),
    [
        ("http", "2021-12-02", "Authentication scheme Bearer is not allowed with HTTP."),
        (
            "https",
            "2016-05-31",
            "Authentication scheme Bearer is not supported in this version.",
        ),
    ],
)
def test_a_token_needs_tls_and_a_version_that_knows_it(
    wire: Wire, scheme: str, version: str, detail: str
) -> None:
    headers: dict[str, Any] = {
        "authorization": f"Bearer {make_token(STORAGE, **IN_TIME)}",
        "x-ms-version": version,
    }
    answer = wire.ask(
        "GET", "/localstorage", "comp=list", headers=headers, signed=False, scheme=scheme
    )

    assert (answer.status, answer.code) == (403, "AuthenticationFailed")
    assert answer.text("AuthenticationErrorDetail") == detail


@pytest.mark.parametrize(("scheme", "challenge"), [("http", "SharedKey"), ("https", CHALLENGE)])
def test_whoever_proves_nothing_is_told_how(wire: Wire, scheme: str, challenge: str) -> None:
    answer = wire.ask("GET", "/localstorage", "comp=list", signed=False, scheme=scheme)

    assert (answer.status, answer.code) == (401, "NoAuthenticationInformation")
    assert answer.headers["www-authenticate"] == challenge
