"""Reads the access tokens of Entra ID: whether the claims fit. Signatures are not verified.

It must not know which service asks, nor how it words a refusal. Sources: RFC 6750, RFC 7519,
"Access tokens in the Microsoft identity platform".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum

from runner.emulator.storage.record import record

LARGEST_SKEW = timedelta(minutes=5)
"""How far clocks may differ (the default of the libraries that Microsoft's services check with)."""

TOKENS_TAKEN = (
    "access tokens of Entra ID are taken if their claims fit; their signatures are not verified"
)

NO_ID = "00000000-0000-0000-0000-000000000000"


class Flaw(Enum):
    """What is wrong with a token."""

    MALFORMED = "malformed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    AUDIENCE = "audience"


class TokenError(Exception):
    """A token that does not fit; the message is for the answer, and holds nothing of the token."""

    def __init__(self, flaw: Flaw, message: str) -> None:
        super().__init__(message)
        self.flaw = flaw
        self.message = message


@record(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says; `tenant` and `object_id` are `NO_ID` where it does not say."""

    audience: str
    expires: datetime
    not_before: datetime | None
    tenant: str
    """The claim `tid`."""
    object_id: str
    """The claim `oid`: who asks."""


def is_bearer(header: str) -> bool:
    """Whether an `Authorization` header is meant to carry a token."""
    return header.partition(" ")[0].lower() == "bearer"


def check_token(header: str, audiences: Collection[str], now: datetime) -> Claims:
    """The claims of `Authorization: Bearer <token>`; raises `TokenError` where they do not fit.

    The token has to be a JWT for one of the `audiences`, at a time between `nbf` and `exp`. Any
    algorithm and any signature will do.
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise _malformed("The authentication scheme is not Bearer")
    document = _read_claims(token.strip())
    expires = _read_moment(document, "exp")
    if expires is None:
        raise _malformed("The access token has no claim 'exp'")
    not_before = _read_moment(document, "nbf")
    audience = _find_audience(document, audiences)
    if now >= expires + LARGEST_SKEW:
        raise TokenError(Flaw.EXPIRED, f"The access token expired at {_show(expires)}")
    if not_before is not None and now < not_before - LARGEST_SKEW:
        message = f"The access token is not valid before {_show(not_before)}"
        raise TokenError(Flaw.NOT_YET_VALID, message)
    return Claims(
        audience=audience,
        expires=expires,
        not_before=not_before,
        tenant=_read_id(document, "tid"),
        object_id=_read_id(document, "oid"),
    )


def _read_claims(token: str) -> Mapping[str, object]:
    parts = token.split(".")
    if len(parts) != 3:
        raise _malformed("The access token is not a JWT: it has not three parts")
    header, claims = (_decode(part) for part in parts[:2])
    if not isinstance(header.get("alg"), str):
        raise _malformed("The access token is not a JWT: its header names no algorithm")
    return claims


def _decode(part: str) -> Mapping[str, object]:
    try:
        # Only the alphabet of URLs, without padding (RFC 7515, section 2).
        padded = part.encode("ascii") + b"=" * (-len(part) % 4)
        document = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _malformed("The access token is not a JWT: a part is not JSON in base64") from error
    if not isinstance(document, dict):
        raise _malformed("The access token is not a JWT: a part is not a JSON object")
    return document


def _find_audience(document: Mapping[str, object], audiences: Collection[str]) -> str:
    named = document.get("aud")
    names = named if isinstance(named, list) else [named]
    for name in names:
        if isinstance(name, str) and name in audiences:
            return name
    shown = next((name for name in names if isinstance(name, str)), "")
    allowed = ", ".join(f"'{audience}'" for audience in sorted(audiences))
    raise TokenError(
        Flaw.AUDIENCE,
        f"The access token has been obtained from wrong audience or resource '{shown}'."
        " It should exactly match (including forward slash) with one of the allowed audiences"
        f" {allowed}",
    )


def _read_moment(document: Mapping[str, object], name: str) -> datetime | None:
    value = document.get(name)
    if value is None:
        return None
    # A JSON true is an int to Python.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _malformed(f"The claim '{name}' of the access token is not a number")
    try:
        return datetime.fromtimestamp(value, timezone.utc)
    except (ValueError, OverflowError, OSError) as error:
        raise _malformed(f"The claim '{name}' of the access token is not a time") from error


def _read_id(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) and value else NO_ID


def _malformed(message: str) -> TokenError:
    return TokenError(Flaw.MALFORMED, message)


def _show(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
