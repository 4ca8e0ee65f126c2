"""Checks the signature that the account's key makes of a request.

Source: "Authorize with Shared Key", Blob Storage, version 2015-02-21 and later; SharedKeyLite as
there too. It must not know what the request asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import unquote

from runner.emulator.blob.core.refusals import (
    AUTHENTICATION_FAILED,
    INVALID_AUTHENTICATION_INFO,
    RefusedError,
)
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from runner.emulator.server.shared_key import LARGEST_SKEW, SIGNED_HEADERS, is_signature

Order = Callable[[str], str]
"""What headers are sorted by, where not by their names."""


def check_shared_key(request: Request, account: Account, now: datetime) -> None:
    """Refuses the request unless its `SharedKey` or `SharedKeyLite` is right, its date near."""
    scheme, name, signature = _parse_authorization(request.headers["authorization"])
    if name != account.name:
        raise fail(f"The account of the Authorization header is '{name}', not '{account.name}'.")
    _check_date(request, now)
    put_together = _STRINGS[scheme]
    text = put_together(request, account.name, None)
    if is_signature(account.key, text, signature):
        return
    if not is_signature(account.key, put_together(request, account.name, _word_order), signature):
        raise fail(
            f"The MAC signature found in the HTTP request '{signature}' is not the same as any "
            f"computed signature. Server used following string to sign: '{text}'."
        )


def fail(detail: str) -> RefusedError:
    """403, with what the service tells about why."""
    return RefusedError(AUTHENTICATION_FAILED, details=(("AuthenticationErrorDetail", detail),))


def _parse_authorization(value: str) -> tuple[str, str, str]:
    scheme, _, rest = value.partition(" ")
    name, colon, signature = rest.strip().partition(":")
    if scheme not in _STRINGS or not colon or not signature.isascii():
        raise RefusedError(INVALID_AUTHENTICATION_INFO)
    return scheme, name, signature


def _check_date(request: Request, now: datetime) -> None:
    text = request.headers.get("x-ms-date") or request.headers.get("date")
    if text is None:
        raise fail("The request has neither an x-ms-date nor a Date header.")
    try:
        date = _parse_date(text)
    except (TypeError, ValueError) as error:
        raise fail(f"Request date header is not a date: '{text}'") from error
    if now - date > LARGEST_SKEW:
        raise fail(f"Request date header too old: '{text}'")
    if date - now > LARGEST_SKEW:
        raise fail(f"Request date header too far in the future: '{text}'")


# All requests of a second have one date.
@lru_cache(64)
def _parse_date(text: str) -> datetime:
    date = parsedate_to_datetime(text)
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


def _string_to_sign(request: Request, account: str, order: Order | None) -> str:
    headers = request.headers
    get = headers.get
    standard = [get(name, "") for name in SIGNED_HEADERS]
    if standard[2] == "0":
        standard[2] = ""
    if "x-ms-date" in headers:
        standard[5] = ""
    return "\n".join(
        (
            request.method,
            *standard,
            *_canonical_headers(request, order),
            f"/{account}{request.raw_path}",
            *_canonical_query(request.raw_query),
        )
    )


def _lite_string_to_sign(request: Request, account: str, order: Order | None) -> str:
    """Fewer headers, and of the query only what names a part of the resource."""
    headers = request.headers
    part = next((value for name, value in request.query if name == "comp"), None)
    return "\n".join(
        (
            request.method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            "" if "x-ms-date" in headers else headers.get("date", ""),
            *_canonical_headers(request, order),
            f"/{account}{request.raw_path}" + ("" if part is None else f"?comp={part}"),
        )
    )


_STRINGS = {"SharedKey": _string_to_sign, "SharedKeyLite": _lite_string_to_sign}


def _canonical_headers(request: Request, order: Order | None) -> Iterator[str]:
    headers = request.headers
    for name in sorted([name for name in headers if name.startswith("x-ms-")], key=order):
        yield f"{name}:{headers[name].strip()}"


def _word_order(name: str) -> str:
    # Clients also sort as Windows sorts words: hyphens do not count, an underscore comes before
    # digits and letters (azure-storage-blob 12.31, `_shared/authentication.py`).
    return name.replace("-", "").replace("_", " ")


def _canonical_query(raw_query: str) -> Iterator[str]:
    if not raw_query:
        return
    values: dict[str, list[str]] = {}
    for pair in raw_query.split("&"):
        name, _, value = pair.partition("=")
        # Not `unquote_plus`: the service does not take a plus sign for a space here.
        values.setdefault(unquote(name).lower(), []).append(unquote(value))
    for name in sorted(values):
        yield f"{name}:{','.join(sorted(values[name]))}"
