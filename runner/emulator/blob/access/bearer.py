"""Checks the access token of a request, as Blob Storage words what is wrong with it.

Source: "Authorize with Microsoft Entra ID", Azure Storage. It must not know what the request asks
for.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.blob.access.shared_key import fail
from runner.emulator.blob.core.refusals import Refusal, RefusedError
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from runner.emulator.server.tokens import Claims, Flaw, TokenError, check_token

CHALLENGE = (
    "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize"
    " resource_id=https://storage.azure.com"
)
# The first version that knows tokens; a request without a version is older than that.
_FIRST_VERSION = "2017-11-09"
_REFUSED = Refusal(
    status=401,
    code="InvalidAuthenticationInfo",
    message=(
        "Server failed to authenticate the request. Please refer to the information in the "
        "www-authenticate header."
    ),
)


def check_bearer(request: Request, header: str, account: Account, now: datetime) -> Claims:
    """What the token says; refuses one that does not fit, or that came in the clear."""
    if request.headers.get("x-ms-version", "") < _FIRST_VERSION:
        raise fail("Authentication scheme Bearer is not supported in this version.")
    if request.scheme != "https":
        raise fail("Authentication scheme Bearer is not allowed with HTTP.")
    audiences = (
        "https://storage.azure.com/",
        "https://storage.azure.com",
        f"https://{account.name}.blob.core.windows.net/",
        f"https://{account.name}.blob.core.windows.net",
    )
    try:
        return check_token(header, audiences, now)
    except TokenError as error:
        raise RefusedError(
            _REFUSED,
            headers=(("WWW-Authenticate", CHALLENGE),),
            details=(("AuthenticationErrorDetail", _explain(error)),),
        ) from error


def _explain(error: TokenError) -> str:
    match error.flaw:
        case Flaw.AUDIENCE:
            return "Audience validation failed. Audience did not match."
        case Flaw.EXPIRED:
            return "Lifetime validation failed. The token is expired."
        case Flaw.NOT_YET_VALID:
            return "Lifetime validation failed. The token is not yet valid."
        case Flaw.MALFORMED:
            return f"{error.message}."
