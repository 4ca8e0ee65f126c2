"""Access tokens: what fits, and what is said where something does not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from runner.emulator.server.tokens import NO_ID, Claims, Flaw, TokenError, check_token, is_bearer
from tests.fakes.tokens import OBJECT_ID, TENANT, encode_part, make_token

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
AUDIENCE = "https://batch.core.windows.net/"
HEADER = encode_part({"alg": "none"})


def at(**offset: float) -> int:
    return int((NOW + timedelta(**offset)).timestamp())


def refusal_of(header: str) -> tuple[Flaw, str]:
    with pytest.raises(TokenError) as refused:
        check_token(header, (AUDIENCE,), NOW)
    assert str(refused.value) == refused.value.message
    return refused.value.flaw, refused.value.message


def test_the_claims_of_a_token_that_fits_are_read() -> None:
    token = make_token(AUDIENCE, nbf=at(minutes=-1), exp=at(hours=1))

    assert check_token(f"Bearer {token}", (AUDIENCE,), NOW) == Claims(
        audience=AUDIENCE,
        not_before=NOW - timedelta(minutes=1),
        expires=NOW + timedelta(hours=1),
        tenant=TENANT,
        object_id=OBJECT_ID,
    )


def test_a_token_needs_no_more_than_audience_and_end() -> None:
    token = f"{HEADER}.{encode_part({'aud': ['x', AUDIENCE], 'exp': at(hours=1)})}."

    assert check_token(f"bearer  {token}", (AUDIENCE,), NOW) == Claims(
        audience=AUDIENCE,
        not_before=None,
        expires=NOW + timedelta(hours=1),
        tenant=NO_ID,
        object_id=NO_ID,
    )


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"exp": at(minutes=-4, seconds=-59)}, None),
        (
            {"exp": at(minutes=-5)},
            (Flaw.EXPIRED, "The access token expired at 2026-01-02T02:59:05Z"),
        ),
        ({"exp": at(hours=1), "nbf": at(minutes=5)}, None),
        (
            {"exp": at(hours=1), "nbf": at(minutes=5, seconds=1)},
            (Flaw.NOT_YET_VALID, "The access token is not valid before 2026-01-02T03:09:06Z"),
        ),
    ],
)
def test_clocks_may_differ_by_five_minutes(
    times: dict[str, int], expected: tuple[Flaw, str] | None
) -> None:
    header = f"Bearer {HEADER}.{encode_part({'aud': AUDIENCE, **times})}.s"

    if expected is None:
        assert check_token(header, (AUDIENCE,), NOW).audience == AUDIENCE
    else:
        assert refusal_of(header) == expected


@pytest.mark.parametrize("audience", ["https://batch.core.windows.net", None, 5, []])
def test_another_audience_is_named(audience: object) -> None:
    token = f"{HEADER}.{encode_part({'aud': audience, 'exp': at(hours=1)})}.s"
    shown = audience if isinstance(audience, str) else ""
    message = (
        f"The access token has been obtained from wrong audience or resource '{shown}'. It should"
        " exactly match (including forward slash) with one of the allowed audiences"
        " 'https://batch.core.windows.net/'"
    )

    assert refusal_of(f"Bearer {token}") == (Flaw.AUDIENCE, message)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("SharedKey a:b", "The authentication scheme is not Bearer"),
        ("Bearer", "The access token is not a JWT: it has not three parts"),
        ("Bearer a.b", "The access token is not a JWT: it has not three parts"),
        ("Bearer ä.b.c", "The access token is not a JWT: a part is not JSON in base64"),
        ("Bearer !!!!.b.c", "The access token is not a JWT: a part is not JSON in base64"),
        (f"Bearer {HEADER}.eA.", "The access token is not a JWT: a part is not JSON in base64"),
        (f"Bearer {HEADER}.NQ.", "The access token is not a JWT: a part is not a JSON object"),
        ("Bearer e30.e30.", "The access token is not a JWT: its header names no algorithm"),
        (f"Bearer {HEADER}.e30.", "The access token has no claim 'exp'"),
        (
            f"Bearer {HEADER}.{encode_part({'exp': True})}.",
            "The claim 'exp' of the access token is not a number",
        ),
        (
            f"Bearer {HEADER}.{encode_part({'exp': 1e300})}.",
            "The claim 'exp' of the access token is not a time",
        ),
    ],
)
def test_what_is_no_token_is_said(header: str, message: str) -> None:
    assert refusal_of(header) == (Flaw.MALFORMED, message)


def test_a_bearer_header_is_known_by_its_scheme() -> None:
    assert [is_bearer(text) for text in ("Bearer x", "bearer", "SharedKey a:b", "")] == [
        True,
        True,
        False,
        False,
    ]
