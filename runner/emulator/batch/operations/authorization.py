"""Whether a request is an account's own: signed with its key, or with an access token that fits.

It must not know what the request asks for. Sources: "Authenticate Requests to Azure Batch", which
knows SharedKey and Entra ID and no SharedKeyLite, and the clients named below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import product
from typing import TypeAlias
from urllib.parse import quote, unquote_to_bytes

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from runner.emulator.server.shared_key import LARGEST_SKEW, SIGNED_HEADERS, is_signature
from runner.emulator.server.tokens import TokenError, check_token, is_bearer

# The service itself takes the first alone, slash and all; clients that ask for the scope
# `https://batch.core.windows.net/.default` get a token for the second.
AUDIENCES = ("https://batch.core.windows.net/", "https://batch.core.windows.net")


_LENGTH, _DATE = SIGNED_HEADERS.index("content-length"), SIGNED_HEADERS.index("date")


def authorize(request: Request, account: Account, now: datetime) -> None:
    """Raises `RefusedError` unless the request is the account's own."""
    header = request.headers.get("authorization")
    if not header:
        raise RefusedError(Reason.ACCESS_UNSIGNED)
    if is_bearer(header):
        _check_token(request, header, now)
    else:
        _check_key(request, header, account, now)


def _check_token(request: Request, header: str, now: datetime) -> None:
    if request.scheme != "https":
        raise _token_refused("The authentication scheme Bearer is only permitted over HTTPS")
    try:
        check_token(header, AUDIENCES, now)
    except TokenError as error:
        raise _token_refused(error.message) from None


def _check_key(request: Request, header: str, account: Account, now: datetime) -> None:
    """The form was checked against azure-batch 15.1 and 14.2, az 2.91 and @azure/batch 10.2."""
    name, signature = _parse(header)
    if name != account.name:
        raise _failed(f"There is no account {name} here")
    _check_time(request.headers, now)
    texts = _texts_to_sign(request, account.name)
    first = next(texts)
    if is_signature(account.key, first, signature):
        return
    if not any(is_signature(account.key, text, signature) for text in texts):
        raise _failed(
            f"The MAC signature found in the HTTP request '{signature}' is not the same as any"
            f" computed signature. Server used following string to sign: '{first}'."
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
        sent = _parse_date(text)
    except ValueError:
        raise _failed(f"'{text}' is not a date") from None
    if abs(now - sent) > LARGEST_SKEW:
        raise _failed(f"The date of the request, '{text}', is more than 15 minutes off")


@lru_cache(maxsize=64)
def _parse_date(text: str) -> datetime:
    """Raises `ValueError`. The requests of one second have the same."""
    sent = parsedate_to_datetime(text)
    return sent.replace(tzinfo=timezone.utc) if sent.tzinfo is None else sent


def _texts_to_sign(request: Request, account: str) -> Iterator[str]:
    """The text as the clients make it, those of Python first; the others differ from that over

    - the length of no content: `0` in Python, empty in JavaScript, whatever was sent;
    - a Date beside an ocp-date: empty as documented, or as a proxy may have added it;
    - the parameters: names as sent and no empty values, or names in lower case as documented;
    - the path: as sent, or as it was before aiohttp decoded what need not be encoded (`%3A`).
    """
    headers = request.headers
    length = headers.get("content-length", "")
    lengths = (length,) if length not in ("", "0") else (length, "0" if length == "" else "")
    date = headers.get("date", "")
    dates = ("", date) if date and "ocp-date" in headers else (date,)
    ocp = sorted([(name, value) for name, value in headers.items() if name.startswith("ocp-")])
    lines = [f"{name}:{value.strip()}" for name, value in ocp if value]
    standard = [headers.get(name, "") for name in SIGNED_HEADERS]
    # One after the other: the first is mostly the right one.
    for path in _paths(request.raw_path):
        for query in _canonical_queries(request):
            end = "\n".join([*lines, f"/{account}{path}", *query])
            for sent_length, sent_date in product(lengths, dates):
                standard[_LENGTH], standard[_DATE] = sent_length, sent_date
                yield "\n".join([request.method, *standard, end])


def _paths(raw_path: str) -> Iterator[str]:
    yield raw_path
    encoded = "/".join(quote(unquote_to_bytes(segment), safe="") for segment in raw_path.split("/"))
    if encoded != raw_path:
        yield encoded


def _canonical_queries(request: Request) -> Iterator[list[str]]:
    """The lines of the query, without those forms that are the same as an earlier one."""
    seen: list[list[str]] = []
    for form in (_as_sent, _lowered, _lowered_with_empty):
        # The first of several values counts.
        values = dict(reversed(form(request.query)))
        lines = [f"{name}:{values[name]}" for name in sorted(values)]
        if lines not in seen:
            seen.append(lines)
            yield lines


_Pairs: TypeAlias = Sequence[tuple[str, str]]


def _as_sent(pairs: _Pairs) -> _Pairs:
    return [pair for pair in pairs if pair[1]]


def _lowered(pairs: _Pairs) -> _Pairs:
    return _as_sent(_lowered_with_empty(pairs))


def _lowered_with_empty(pairs: _Pairs) -> _Pairs:
    return [(name.lower(), value) for name, value in pairs]


def _failed(detail: str) -> RefusedError:
    return RefusedError(Reason.AUTHENTICATION_FAILED, ("AuthenticationErrorDetail", detail))


def _token_refused(detail: str) -> RefusedError:
    return RefusedError(Reason.ACCESS_TOKEN_REFUSED, ("AuthenticationErrorDetail", detail))
