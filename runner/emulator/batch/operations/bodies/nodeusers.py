"""The bodies of the operations on the users of nodes.

It must not know what the core does with them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from runner.emulator.batch.core.node import NodeUser
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.operations.shapes import Boolean, Field, Moment, Shape, Text
from runner.emulator.batch.operations.wire import parse_moment

LIFETIME = timedelta(days=1)
# What Windows refuses in the names of accounts; spaces end a name on Linux.
_NAME = Text(longest=20, pattern=r"[^\s\"/\\\[\]:;|=,+*?<>@]+")
_CREDENTIALS = (
    Field(name="password", kind=Text(empty=False)),
    Field(name="sshPublicKey", kind=Text(empty=False)),
    Field(name="expiryTime", kind=Moment()),
)
_CREATE = Shape(
    (
        Field(name="name", kind=_NAME, required=True),
        Field(name="isAdmin", kind=Boolean(), default=False),
        *_CREDENTIALS,
    )
)
_REPLACE = Shape(_CREDENTIALS)


def decode_user(body: object, *, windows: bool, now: datetime) -> NodeUser:
    """A user that is to be added; its password and key are checked, and dropped."""
    read = _CREATE.read(body, "")
    _check_credentials(body, windows=windows)
    return NodeUser(name=read["name"], is_admin=read["isAdmin"], expires=_expiry(read, now))


def decode_user_update(body: object, *, windows: bool, now: datetime) -> datetime:
    """When a user expires from now on."""
    read = _REPLACE.read(body, "")
    _check_credentials(body, windows=windows)
    return _expiry(read, now)


def _check_credentials(body: object, *, windows: bool) -> None:
    sent = body if isinstance(body, dict) else {}
    has_key = sent.get("sshPublicKey") is not None
    if windows and has_key:
        raise invalid_property(
            "sshPublicKey", "", "The value may be given for nodes that run Linux only"
        )
    if sent.get("password") is None and not has_key:
        raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "password"))


def _expiry(read: dict[str, Any], now: datetime) -> datetime:
    text = read.get("expiryTime")
    if text is None:
        return now + LIFETIME
    expires = parse_moment(text)
    assert expires is not None
    if expires <= now:
        raise invalid_property("expiryTime", text, "The value is not in the future")
    return expires
