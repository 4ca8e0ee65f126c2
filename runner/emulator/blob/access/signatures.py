"""Checks shared access signatures: of one container or blob, of the account, and of a user.

Source: "Create a service SAS", "Create an account SAS" and "Create a user delegation SAS". It must
not know which operation is asked for, beyond the resource.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import NamedTuple

from runner.emulator.blob.access.delegation import DelegationKey, derive_secret
from runner.emulator.blob.access.grant import SignatureGrant
from runner.emulator.blob.access.shared_key import fail
from runner.emulator.blob.access.signed_strings import (
    OVERRIDES,
    account_string,
    delegation_string,
    service_string,
)
from runner.emulator.blob.access.target import Level, Target
from runner.emulator.blob.access.versions import is_version
from runner.emulator.blob.core.records import Container
from runner.emulator.blob.core.refusals import (
    AUTHORIZATION_PROTOCOL_MISMATCH,
    AUTHORIZATION_SERVICE_MISMATCH,
    AUTHORIZATION_SOURCE_IP_MISMATCH,
    RefusedError,
)
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from runner.emulator.server.shared_key import is_signature

_OLDEST_VERSION = "2015-04-05"
_OLDEST_DELEGATION = "2018-11-09"
# How many are known again.
_KNOWN = 1024
# A fraction of a second, which .NET may write, is not looked at.
_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:T(?P<time>\d\d:\d\d(?::\d\d)?)(?:\.\d{1,7})?Z)?", re.ASCII
)


class _Limits(NamedTuple):
    """When a signature is good, and for what."""

    start: datetime | None
    expiry: datetime
    permissions: str


class _Proven(NamedTuple):
    """A signature that is right, as far as neither the time nor a policy has a say."""

    limits: _Limits | None
    """None: a stored access policy has a part in them."""
    key_time: tuple[datetime, datetime] | None
    """When the user delegation key is good that it is made with."""
    grant: SignatureGrant
    has_origin: bool
    """Whether it says from where or how the request has to come."""
    is_lasting: bool
    """Whether the next request with the same query needs no other proof."""


class Signatures:
    """Checks the signatures that come to one account, and knows again those that were right.

    Clients send the same one with thousands of requests. What depends on the time, on the
    container's policies or on where a request comes from is looked at each time.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: dict[tuple[str, str, str], _Proven] = {}

    def check(
        self,
        request: Request,
        query: Mapping[str, str],
        target: Target,
        container: Container | None,
        now: datetime,
    ) -> SignatureGrant:
        """What the signature in the query permits; refuses one that is not right, or not now.

        `container` is the one of the target, whose stored access policies a signature may name.
        """
        # One of a container is good for all its blobs.
        blob = "" if query.get("sr") == "c" else target.blob
        place = (request.raw_query, target.container, blob)
        proven = self._known.get(place)
        if proven is None:
            proven = _prove(request, query, target, self._account, now)
            if proven.is_lasting:
                while len(self._known) >= _KNOWN:
                    del self._known[next(iter(self._known))]
                self._known[place] = proven
        elif proven.key_time is not None:
            _check_key_time(*proven.key_time, now)
        grant = proven.grant
        limits = proven.limits
        if limits is None:
            limits = _read_limits(_add_policy(query, container))
            grant = replace(grant, permissions=limits.permissions)
        _check_times(limits, now)
        if proven.has_origin:
            _check_origin(request, query)
        if grant.resource_types is not None and "b" not in query.get("ss", ""):
            raise RefusedError(AUTHORIZATION_SERVICE_MISMATCH)
        return grant


def _prove(
    request: Request,
    query: Mapping[str, str],
    target: Target,
    account: Account,
    now: datetime,
) -> _Proven:
    version = query.get("sv", "")
    if not is_version(version) or version < _OLDEST_VERSION:
        raise fail(f"sv is '{version}'; the emulator takes {_OLDEST_VERSION} and later.")
    is_account = "ss" in query or "srt" in query
    secret = account.key
    key_time = None
    if is_account:
        text = account_string(query, account.name, version)
    elif "skoid" in query:
        secret, key_time = _check_delegation(query, account, version, now)
        canonical = _find_resource(query, target, account)
        text = delegation_string(query, request.headers, canonical, version)
    else:
        text = service_string(query, _find_resource(query, target, account), version)
    signature = query["sig"]
    if not is_signature(secret, text, signature):
        raise fail(f"Signature did not match. String to sign used was {text}")
    # What a policy says is looked at once the signature holds: it is not for strangers.
    has_policy = not is_account and bool(query.get("si"))
    return _Proven(
        limits=None if has_policy else _read_limits(query),
        key_time=key_time,
        grant=SignatureGrant(
            permissions=query.get("sp", ""),
            resource_types=query.get("srt", "") if is_account else None,
            response_headers=tuple(
                (header, query[key]) for key, header in OVERRIDES if key in query
            ),
        ),
        has_origin=bool(query.get("spr") or query.get("sip")),
        # These sign headers of the request too.
        is_lasting="srh" not in query,
    )


def _find_resource(query: Mapping[str, str], target: Target, account: Account) -> str:
    """What is signed for; refuses a signature that cannot be for what is asked for."""
    resource = query.get("sr", "")
    canonical = f"/blob/{account.name}/{target.container}"
    if resource == "c" and target.level is not Level.ACCOUNT:
        return canonical
    if target.level is Level.BLOB:
        if resource == "b" or (resource == "bs" and query.get("snapshot")):
            return f"{canonical}/{target.blob}"
        if resource == "d":
            raise fail("sr is 'd', and the account has no hierarchical namespace.")
        if resource == "bv":
            raise fail("sr is 'bv', and the emulator keeps no versions.")
    raise fail(f"sr is '{resource}', which does not cover the resource of the request.")


def _check_delegation(
    query: Mapping[str, str], account: Account, version: str, now: datetime
) -> tuple[bytes, tuple[datetime, datetime]]:
    """The secret of the key that the signature says it is made with, and from when to when it is
    good; refuses one out of time."""
    if version < _OLDEST_DELEGATION:
        raise fail(f"sv is '{version}'; user delegation came with {_OLDEST_DELEGATION}.")
    for name in ("skoid", "sktid", "skt", "ske", "sks", "skv"):
        if not query.get(name):
            raise fail(f"{name} is mandatory and cannot be empty.")
    if query.get("si"):
        raise fail("si cannot be given with a user delegation key.")
    if query["sks"] != "b":
        raise fail(f"sks is '{query['sks']}', and the key has to be one for 'b'.")
    start, expiry = _parse_time("skt", query["skt"]), _parse_time("ske", query["ske"])
    _check_key_time(start, expiry, now)
    key = DelegationKey(
        object_id=query["skoid"],
        tenant=query["sktid"],
        start=query["skt"],
        expiry=query["ske"],
        service=query["sks"],
        version=query["skv"],
        delegated_tenant=query.get("skdutid", ""),
    )
    return derive_secret(account, key), (start, expiry)


def _check_key_time(start: datetime, expiry: datetime, now: datetime) -> None:
    if not start <= now < expiry:
        raise fail(
            f"User delegation key not valid in the specified time frame: Start [{_show(start)}] - "
            f"Expiry [{_show(expiry)}] - Current [{_show(now)}]"
        )


def _add_policy(query: Mapping[str, str], container: Container | None) -> Mapping[str, str]:
    """The times and permissions, with those of the stored access policy that is named."""
    policy_id = query.get("si")
    policies = container.policies if container is not None else ()
    policy = next((policy for policy in policies if policy.policy_id == policy_id), None)
    if policy is None:
        raise fail(f"The container has no stored access policy '{policy_id}'.")
    limits = dict(query)
    for name, value in (
        ("st", policy.start),
        ("se", policy.expiry),
        ("sp", policy.permissions),
    ):
        if value and query.get(name):
            raise fail(f"{name} is given both in the signature and in its stored access policy.")
        if value:
            limits[name] = value
    return limits


def _read_limits(query: Mapping[str, str]) -> _Limits:
    if not query.get("se"):
        raise fail("se is mandatory and cannot be empty.")
    expiry = _parse_time("se", query["se"])
    start = _parse_time("st", query["st"]) if query.get("st") else None
    return _Limits(start=start, expiry=expiry, permissions=query.get("sp", ""))


def _check_times(limits: _Limits, now: datetime) -> None:
    start, expiry, _ = limits
    if now < expiry and (start is None or start <= now):
        return
    if start is not None:
        raise fail(
            f"Signature not valid in the specified time frame: Start [{_show(start)}] - "
            f"Expiry [{_show(expiry)}] - Current [{_show(now)}]"
        )
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
