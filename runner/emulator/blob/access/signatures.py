"""Checks shared access signatures: of one container or blob, and of the account.

Source: "Create a service SAS" and "Create an account SAS". It must not know which operation is
asked for, beyond the resource.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import format_datetime

from runner.emulator.blob.access.grant import SignatureGrant
from runner.emulator.blob.access.shared_key import fail
from runner.emulator.blob.access.target import Level, Target
from runner.emulator.blob.core.refusals import (
    AUTHORIZATION_PROTOCOL_MISMATCH,
    AUTHORIZATION_SERVICE_MISMATCH,
    AUTHORIZATION_SOURCE_IP_MISMATCH,
    RefusedError,
)
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from runner.emulator.server.shared_key import is_signature

_OLDEST_VERSION = "2018-11-09"
# Since this version the encryption scope (`ses`) is signed too.
_SCOPE_VERSION = "2020-12-06"
# A fraction of a second, which .NET may write, is not looked at.
_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:T(?P<time>\d\d:\d\d(?::\d\d)?)(?:\.\d{1,7})?Z)?", re.ASCII
)
_OVERRIDES = (
    ("rscc", "Cache-Control"),
    ("rscd", "Content-Disposition"),
    ("rsce", "Content-Encoding"),
    ("rscl", "Content-Language"),
    ("rsct", "Content-Type"),
)


def check_signature(
    request: Request, query: Mapping[str, str], target: Target, account: Account, now: datetime
) -> SignatureGrant:
    """What the signature in the query permits; refuses one that is not right, or not now."""
    version = query.get("sv", "")
    if version < _OLDEST_VERSION:
        raise fail(f"sv is '{version}'; the emulator takes {_OLDEST_VERSION} and later.")
    if "skoid" in query:
        raise fail("The emulator gives out no user delegation keys.")
    is_account = "ss" in query or "srt" in query
    if is_account:
        text = _account_string(query, account, version)
    else:
        text = _service_string(query, target, account, version)
    signature = query["sig"]
    if not is_signature(account.key, text, signature):
        raise fail(f"Signature did not match. String to sign used was {text}")
    _check_times(query, now)
    _check_origin(request, query)
    if is_account and "b" not in query.get("ss", ""):
        raise RefusedError(AUTHORIZATION_SERVICE_MISMATCH)
    return SignatureGrant(
        permissions=query.get("sp", ""),
        resource_types=query.get("srt", "") if is_account else None,
        response_headers=tuple((header, query[key]) for key, header in _OVERRIDES if key in query),
    )


def _service_string(
    query: Mapping[str, str], target: Target, account: Account, version: str
) -> str:
    resource = query.get("sr", "")
    canonical = f"/blob/{account.name}/{target.container}"
    if resource == "b" and target.level is Level.BLOB:
        canonical += f"/{target.blob}"
    elif resource != "c" or target.level is Level.ACCOUNT:
        raise fail(f"sr is '{resource}', which does not cover the resource of the request.")
    if query.get("si"):
        raise fail(f"The container has no stored access policy '{query['si']}'.")
    fields = [
        *(query.get(name, "") for name in ("sp", "st", "se")),
        canonical,
        *(query.get(name, "") for name in ("si", "sip", "spr")),
        version,
        resource,
        query.get("snapshot", ""),
    ]
    if version >= _SCOPE_VERSION:
        fields.append(query.get("ses", ""))
    return "\n".join([*fields, *(query.get(key, "") for key, _ in _OVERRIDES)])


def _account_string(query: Mapping[str, str], account: Account, version: str) -> str:
    names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]
    if version >= _SCOPE_VERSION:
        names.append("ses")
    return "".join(f"{value}\n" for value in (account.name, *(query.get(n, "") for n in names)))


def _check_times(query: Mapping[str, str], now: datetime) -> None:
    if not query.get("se"):
        raise fail("se is mandatory and cannot be empty.")
    expiry = _parse_time("se", query["se"])
    if query.get("st"):
        start = _parse_time("st", query["st"])
        if not start <= now < expiry:
            raise fail(
                f"Signature not valid in the specified time frame: Start [{_show(start)}] - "
                f"Expiry [{_show(expiry)}] - Current [{_show(now)}]"
            )
    elif now >= expiry:
        raise fail(
            f"Signed expiry time [{_show(expiry)}] must be after signed start time [{_show(now)}]"
        )


def _parse_time(name: str, text: str) -> datetime:
    match = _TIME.fullmatch(text)
    if match:
        with suppress(ValueError):
            moment = datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}")
            return moment.replace(tzinfo=timezone.utc)
    raise fail(f"{name} is not a time in UTC: '{text}'")


def _show(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def _check_origin(request: Request, query: Mapping[str, str]) -> None:
    protocols = query.get("spr")
    if protocols and request.scheme not in protocols.split(","):
        raise RefusedError(AUTHORIZATION_PROTOCOL_MISMATCH)
    addresses = query.get("sip")
    if addresses and not _is_within(request.client_address, addresses):
        raise RefusedError(
            AUTHORIZATION_SOURCE_IP_MISMATCH,
            message=AUTHORIZATION_SOURCE_IP_MISMATCH.message.format(request.client_address),
        )


def _is_within(address: str, addresses: str) -> bool:
    first, _, last = addresses.partition("-")
    try:
        low = ipaddress.IPv4Address(first)
        high = ipaddress.IPv4Address(last or first)
        return low <= ipaddress.IPv4Address(address) <= high
    except ipaddress.AddressValueError:
        return False
