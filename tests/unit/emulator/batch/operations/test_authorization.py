"""SharedKey: the variants of clients, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.authorization import authorize
from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.http import Request
from tests.fakes.tokens import make_token
from tests.unit.emulator.batch.signing import plain_request, sign

ACCOUNT = Account(name="localbatch", kind=Kind.BATCH, key=b"k" * 64)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def refusal(request: Request) -> tuple[Reason, str]:
    """Why a request is not let in."""
    with pytest.raises(RefusedError) as caught:
        authorize(request, ACCOUNT, NOW)
    return caught.value.reason, dict(caught.value.details).get("AuthenticationErrorDetail", "")


def test_what_clients_sign_is_accepted() -> None:
    requests = [
        sign(plain_request("GET", "/pools"), ACCOUNT, NOW),
        sign(plain_request("HEAD", "/pools/p"), ACCOUNT, NOW),
        sign(plain_request("DELETE", "/pools/p"), ACCOUNT, NOW, length="0"),
        sign(plain_request("DELETE", "/pools/p"), ACCOUNT, NOW, length=""),
        sign(plain_request("POST", "/jobs", body={"a": 1}), ACCOUNT, NOW),
        sign(plain_request("GET", "/jobs/j/tasks/t/files/wd%2Fa%20b"), ACCOUNT, NOW),
        sign(
            plain_request("GET", "/jobs", query="$filter=id%20eq%20%27a%27&empty=&maxresults=5"),
            ACCOUNT,
            NOW,
        ),
        sign(
            plain_request(
                "POST",
                "/jobs",
                body={},
                headers={"content-type": "application/json; odata=minimalmetadata; charset=utf-8"},
            ),
            ACCOUNT,
            NOW,
        ),
        sign(plain_request("GET", "/x", headers={"ocp-range": "bytes=0-3"}), ACCOUNT, NOW),
    ]
    for request in requests:
        authorize(request, ACCOUNT, NOW)


@pytest.mark.parametrize(
    ("signed", "sent"), [("/jobs/s%3Ajob-1", "/jobs/s:job-1"), ("/x/wd%2Fa%2C%2B", "/x/wd%2Fa,+")]
)
def test_a_path_may_be_signed_before_it_is_decoded_in_part(signed: str, sent: str) -> None:
    request = sign(plain_request("GET", signed), ACCOUNT, NOW)
    authorize(replace(request, raw_path=f"/localbatch{sent}"), ACCOUNT, NOW)
    other = replace(request, raw_path="/localbatch/jobs/s:job-2")
    assert refusal(other)[0] is Reason.AUTHENTICATION_FAILED


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_quarter_of_an_hour_is_allowed(minutes: int) -> None:
    when = NOW + timedelta(minutes=minutes)
    authorize(sign(plain_request("GET", "/pools"), ACCOUNT, when), ACCOUNT, NOW)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_more_than_a_quarter_of_an_hour_is_not(minutes: int) -> None:
    when = NOW + timedelta(minutes=minutes)
    reason, detail = refusal(sign(plain_request("GET", "/pools"), ACCOUNT, when))
    assert reason is Reason.AUTHENTICATION_FAILED
    assert detail.endswith("is more than 15 minutes off")


def test_another_key_is_told_what_was_signed() -> None:
    request = sign(plain_request("GET", "/pools"), replace(ACCOUNT, key=b"other"), NOW)
    signature = request.headers["authorization"].partition(":")[2]
    signed = (
        "GET\n\n\n\n\n\n\n\n\n\n\n\n"
        "ocp-date:Fri, 02 Jan 2026 03:04:05 GMT\n/localbatch/localbatch/pools\n"
        "api-version:2025-06-01"
    )
    detail = (
        f"The MAC signature found in the HTTP request '{signature}' is not the same as any"
        f" computed signature. Server used following string to sign: '{signed}'."
    )
    assert refusal(request) == (Reason.AUTHENTICATION_FAILED, detail)


def test_a_changed_request_is_refused() -> None:
    request = sign(plain_request("GET", "/pools"), ACCOUNT, NOW)
    assert refusal(replace(request, raw_path="/localbatch/jobs"))[0] is Reason.AUTHENTICATION_FAILED
    assert refusal(replace(request, method="HEAD"))[0] is Reason.AUTHENTICATION_FAILED


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, Reason.ACCESS_UNSIGNED),
        ("Bearer abc", Reason.ACCESS_TOKEN_REFUSED),
        ("SharedKeyLite localbatch:abc", Reason.AUTHENTICATION_MALFORMED),
        ("SharedKey localbatch", Reason.AUTHENTICATION_MALFORMED),
        ("SharedKey :x", Reason.AUTHENTICATION_MALFORMED),
        ("SharedKey other:abc", Reason.AUTHENTICATION_FAILED),
        ("SharedKey localbatch:ü", Reason.AUTHENTICATION_FAILED),
    ],
)
def test_other_credentials_are_refused(header: str | None, reason: Reason) -> None:
    request = sign(plain_request("GET", "/pools"), ACCOUNT, NOW)
    headers = {k: v for k, v in request.headers.items() if k != "authorization"}
    if header is not None:
        headers["authorization"] = header
    assert refusal(replace(request, headers=headers))[0] is reason


def bearer(token: str, scheme: str = "https") -> Request:
    """A request with an access token."""
    request = plain_request("GET", "/pools", headers={"authorization": f"Bearer {token}"})
    return replace(request, scheme=scheme)


@pytest.mark.parametrize(
    "audience", ["https://batch.core.windows.net/", "https://batch.core.windows.net"]
)
def test_an_access_token_for_batch_is_enough(audience: str) -> None:
    token = make_token(audience, nbf=NOW.timestamp(), exp=NOW.timestamp() + 60)

    authorize(bearer(token), ACCOUNT, NOW)


@pytest.mark.parametrize(
    ("audience", "seconds", "scheme", "detail"),
    [
        (
            "https://batch.core.windows.net/",
            60,
            "http",
            "The authentication scheme Bearer is only permitted over HTTPS",
        ),
        (
            "https://batch.core.windows.net/",
            -600,
            "https",
            "The access token expired at 2026-01-02T02:54:05Z",
        ),
        (
            "https://management.azure.com/",
            60,
            "https",
            (
                "The access token has been obtained from wrong audience or resource"
                " 'https://management.azure.com/'. It should exactly match (including forward"
                " slash) with one of the allowed audiences 'https://batch.core.windows.net',"
                " 'https://batch.core.windows.net/'"
            ),
        ),
    ],
)
def test_a_token_that_does_not_fit_is_refused(
    audience: str, seconds: int, scheme: str, detail: str
) -> None:
    token = make_token(audience, nbf=0, exp=NOW.timestamp() + seconds)

    assert refusal(bearer(token, scheme)) == (Reason.ACCESS_TOKEN_REFUSED, detail)


def test_a_request_needs_a_date() -> None:
    request = sign(plain_request("GET", "/pools"), ACCOUNT, NOW)
    without = {k: v for k, v in request.headers.items() if k != "ocp-date"}
    assert refusal(replace(request, headers=without)) == (
        Reason.AUTHENTICATION_FAILED,
        "Neither ocp-date nor date is among the headers",
    )
    wrong = {**without, "date": "yesterday"}
    assert refusal(replace(request, headers=wrong))[1] == "'yesterday' is not a date"
