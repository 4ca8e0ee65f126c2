"""SharedKey of Azure Batch: whether a request was signed with the account's key, and lately.

It must not know what the request asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from runner.emulator.server.shared_key import LARGEST_SKEW, SIGNED_HEADERS, is_signature


def authorize(request: Request, account: Account, now: datetime) -> None:
    """Raises `RefusedError` unless the request is the account's own.

    The form was checked against azure-batch 15.1 and 14.2, az 2.91 and @azure/batch 10.2.
    """
    header = request.headers.get("authorization")
    if not header:
        raise RefusedError(Reason.ACCESS_UNSIGNED)
    name, signature = _parse(header)
    if name != account.name:
        raise _failed(f"There is no account {name} here")
    _check_time(request.headers, now)
    texts = tuple(_texts_to_sign(request, account.name))
    if not any(is_signature(account.key, text, signature) for text in texts):
        raise _failed(
            f"The MAC signature found in the HTTP request '{signature}' is not the same as any"
            f" computed signature. Server used following string to sign: '{texts[0]}'."
        )


def _parse(header: str) -> tuple[str, str]:
    scheme, _, credentials = header.partition(" ")
    name, colon, signature = credentials.strip().partition(":")
    if scheme.lower() != "sharedkey" or not (name and colon and signature):
        raise RefusedError(
            Reason.AUTHENTICATION_MALFORMED,
            ("AuthenticationErrorDetail", "The form is: SharedKey account:signature"),
        )
    return name, signature


def _check_time(headers: Mapping[str, str], now: datetime) -> None:
    text = headers.get("ocp-date") or headers.get("date")
    if not text:
        raise _failed("Neither ocp-date nor date is among the headers")
    try:
        sent = parsedate_to_datetime(text)
    except ValueError:
        raise _failed(f"'{text}' is not a date") from None
    sent = sent.replace(tzinfo=timezone.utc) if sent.tzinfo is None else sent
    if abs(now - sent) > LARGEST_SKEW:
        raise _failed(f"The date of the request, '{text}', is more than 15 minutes off")


def _texts_to_sign(request: Request, account: str) -> Iterator[str]:
    """The text as the clients make it: they differ over the length of no content."""
    length = request.headers.get("content-length", "")
    yield _text_to_sign(request, account, length)
    if length in ("", "0"):
        yield _text_to_sign(request, account, "0" if length == "" else "")


def _text_to_sign(request: Request, account: str, length: str) -> str:
    headers = {**request.headers, "content-length": length}
    lines = [request.method, *(headers.get(name, "") for name in SIGNED_HEADERS)]
    ocp = sorted((k, v) for k, v in request.headers.items() if k.startswith("ocp-") and v)
    lines += [f"{name}:{value}" for name, value in ocp]
    lines.append(f"/{account}{request.raw_path}")
    values: dict[str, str] = {}
    for name, value in request.query:
        if value:
            values.setdefault(name, value)
    lines += [f"{name}:{values[name]}" for name in sorted(values)]
    return "\n".join(lines)


def _failed(detail: str) -> RefusedError:
    return RefusedError(Reason.AUTHENTICATION_FAILED, ("AuthenticationErrorDetail", detail))
