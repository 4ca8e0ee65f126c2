"""Signatures that the SDK makes of anything, checked against what they are meant to permit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, urlencode

import pytest
from azure.storage.blob import (
    UserDelegationKey,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.tokens import make_token
from tests.unit.emulator.blob.wire import ACCOUNT, START, Answer, Wire

KEY = ACCOUNT.encoded_key()
LETTERS = "rwdlact"
# What each of the letters is tried on: method, path, further query; the letters that permit it.
USES = (
    ("GET", "box/b", "", "r"),
    ("HEAD", "box/b", "", "r"),
    ("PUT", "box/b", "comp=metadata", "w"),
    ("PUT", "box/b", "comp=snapshot", "wc"),
    ("GET", "box/b", "comp=tags", "t"),
    ("PUT", "box/log", "comp=appendblock", "aw"),
    ("DELETE", "box/gone", "", "d"),
)
IN_CONTAINER = ("GET", "box", "restype=container&comp=list", "l")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a signature says, in the terms of its makers."""

    permissions: str
    start_minutes: int | None
    expiry_minutes: int
    ip: str | None
    protocol: str | None
    cache_control: str | None

    @property
    def start(self) -> datetime | None:
        return None if self.start_minutes is None else minutes(self.start_minutes)

    @property
    def expiry(self) -> datetime:
        return minutes(self.expiry_minutes)

    def expect(self, letters: str, scheme: str) -> str | None:
        """The code that the service refuses with; None: it does not."""
        begun = self.start_minutes is None or self.start_minutes <= 0
        if not begun or self.expiry_minutes <= 0:
            return "AuthenticationFailed"
        if self.protocol == "https" and scheme == "http":
            return "AuthorizationProtocolMismatch"
        if self.ip is not None and not self.ip.startswith("127.0.0."):
            return "AuthorizationSourceIPMismatch"
        if not set(letters) & set(self.permissions):
            return "AuthorizationPermissionMismatch"
        return None


def minutes(number: int) -> datetime:
    """A time so far from the service's, which is at no whole minute."""
    return START.replace(second=0, microsecond=0) + timedelta(minutes=number + (number > 0))


limits = st.builds(
    Limits,
    permissions=st.sets(st.sampled_from(LETTERS), min_size=1).map(
        lambda chosen: "".join(letter for letter in "racwdxltmeop" if letter in chosen)
    ),
    start_minutes=st.none() | st.integers(-100, 3),
    expiry_minutes=st.integers(-3, 100),
    ip=st.sampled_from(
        [None, "127.0.0.1", "127.0.0.0-127.0.0.255", "10.0.0.1", "10.0.0.1-10.0.0.9"]
    ),
    protocol=st.sampled_from([None, "https", "https,http"]),
    cache_control=st.sampled_from([None, "no-cache", "max-age=5, private"]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A service, and a user delegation key of it."""

    wire: Wire
    key: UserDelegationKey


schemes = st.sampled_from(["http", "https"])


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """A service with a block blob, an append blob, and one to be deleted."""
    with TemporaryDirectory() as folder:
        made = Wire(directory=Path(folder) / "blob")
        assert made.ask("PUT", "/localstorage/box", "restype=container").status == 201
        made.put("b")
        append = {"x-ms-blob-type": "AppendBlob"}
        made.ask("PUT", "/localstorage/box/log", headers=append)
        yield Serving(wire=made, key=delegation_key(made))


def use(wire: Wire, sign: Callable[[str], str], used: tuple[str, ...], scheme: str) -> Answer:
    """One request with the signature that `sign` makes for its blob."""
    method, path, query, _ = used
    if path.endswith("gone"):
        wire.put("gone")
    signature = sign(path.partition("/")[2])
    body = b"x" if "appendblock" in query else b""
    return wire.ask(
        method,
        f"/localstorage/{path}",
        f"{query}&{signature}" if query else signature,
        body=body,
        signed=False,
        scheme=scheme,
    )


def check(answer: Answer, expected: str | None) -> None:
    if expected is None:
        assert answer.status < 300, answer
    else:
        assert (answer.status, answer.code) == (403, expected)


def delegation_key(wire: Wire) -> UserDelegationKey:
    """A key that the service gives to who comes with a token."""
    token = make_token(
        "https://storage.azure.com/",
        nbf=int(START.timestamp()),
        exp=int((START + timedelta(hours=1)).timestamp()),
        oid="11111111-1111-1111-1111-111111111111",
        tid="22222222-2222-2222-2222-222222222222",
    )
    answer = wire.ask(
        "POST",
        "/localstorage/",
        "restype=service&comp=userdelegationkey",
        headers={"authorization": f"Bearer {token}"},
        body=b"<KeyInfo><Start>2026-03-04T05:00:00Z</Start>"
        b"<Expiry>2026-03-05T05:00:00Z</Expiry></KeyInfo>",
        signed=False,
        scheme="https",
    )
    assert answer.status == 200, answer.body
    key = UserDelegationKey()  # type: ignore[no-untyped-call]
    key.signed_oid = answer.text("SignedOid")
    key.signed_tid = answer.text("SignedTid")
    key.signed_start = answer.text("SignedStart")
    key.signed_expiry = answer.text("SignedExpiry")
    key.signed_service = answer.text("SignedService")
    key.signed_version = answer.text("SignedVersion")
    key.value = answer.text("Value")
    return key


@settings(max_examples=150, deadline=None)
@given(said=limits, used=st.sampled_from(USES), scheme=schemes, delegated=st.booleans())
def test_a_signature_of_a_blob(
    serving: Serving, said: Limits, used: tuple[str, ...], scheme: str, *, delegated: bool
) -> None:
    key = serving.key if delegated else None

    def sign(blob: str) -> str:
        return generate_blob_sas(
            "localstorage",
            "box",
            blob,
            account_key=None if delegated else KEY,
            user_delegation_key=key,
            permission=said.permissions,
            start=said.start,
            expiry=said.expiry,
            ip=said.ip,
            protocol=said.protocol,
            cache_control=said.cache_control,
        )

    answer = use(serving.wire, sign, used, scheme)

    check(answer, said.expect(used[3], scheme))
    if answer.status == 200 and used[0] == "GET" and used[3] == "r" and said.cache_control:
        assert answer.headers["cache-control"] == said.cache_control


@settings(max_examples=100, deadline=None)
@given(
    said=limits,
    used=st.sampled_from((*USES, IN_CONTAINER)),
    scheme=schemes,
    delegated=st.booleans(),
)
def test_a_signature_of_a_container(
    serving: Serving, said: Limits, used: tuple[str, ...], scheme: str, *, delegated: bool
) -> None:
    key = serving.key if delegated else None

    def sign(_: str) -> str:
        return generate_container_sas(
            "localstorage",
            "box",
            account_key=None if delegated else KEY,
            user_delegation_key=key,
            permission=said.permissions,
            start=said.start,
            expiry=said.expiry,
            ip=said.ip,
            protocol=said.protocol,
        )

    check(use(serving.wire, sign, used, scheme), said.expect(used[3], scheme))


@settings(max_examples=100, deadline=None)
@given(
    said=limits,
    used=st.sampled_from((*USES, IN_CONTAINER)),
    scheme=schemes,
    types=st.sets(st.sampled_from("sco"), min_size=1).map(sorted).map("".join),
)
def test_a_signature_of_the_account(
    serving: Serving, said: Limits, used: tuple[str, ...], scheme: str, types: str
) -> None:
    def sign(_: str) -> str:
        return generate_account_sas(
            "localstorage",
            KEY,
            resource_types=types,
            permission=said.permissions,
            start=said.start,
            expiry=said.expiry,
            ip=said.ip,
            protocol=said.protocol,
        )

    expected = said.expect(used[3], scheme)
    needed = "c" if used is IN_CONTAINER else "o"
    if expected in (None, "AuthorizationPermissionMismatch") and needed not in types:
        expected = "AuthorizationResourceTypeMismatch"
    check(use(serving.wire, sign, used, scheme), expected)


@settings(max_examples=100, deadline=None)
@given(
    said=limits,
    delegated=st.booleans(),
    field=st.integers(0, 30),
    added=st.characters(codec="ascii"),
)
def test_a_field_that_was_changed_is_found_out(
    serving: Serving, said: Limits, *, delegated: bool, field: int, added: str
) -> None:
    query = generate_container_sas(
        "localstorage",
        "box",
        account_key=None if delegated else KEY,
        user_delegation_key=serving.key if delegated else None,
        permission=said.permissions,
        start=said.start,
        expiry=said.expiry,
        ip=said.ip,
        protocol=said.protocol,
        cache_control=said.cache_control,
    )
    fields = parse_qsl(query)
    name, value = fields[field % len(fields)]
    fields[field % len(fields)] = (name, value + added)

    answer = serving.wire.ask("GET", "/localstorage/box/b", urlencode(fields), signed=False)

    assert (answer.status, answer.code) == (403, "AuthenticationFailed")


def test_a_delegation_key_out_of_its_time(tmp_path: Path) -> None:
    wire = Wire(directory=tmp_path / "blob")
    wire.ask("PUT", "/localstorage/box", "restype=container")
    wire.put("b")
    query = generate_blob_sas(
        "localstorage",
        "box",
        "b",
        user_delegation_key=delegation_key(wire),
        permission="r",
        expiry=START + timedelta(days=3),
    )

    now = wire.ask("GET", "/localstorage/box/b", query, signed=False)
    wire.now = START + timedelta(days=2)
    later = wire.ask("GET", "/localstorage/box/b", query, signed=False)

    assert now.body == b"content"
    assert (later.status, later.code) == (403, "AuthenticationFailed")
    assert later.text("AuthenticationErrorDetail") == (
        "User delegation key not valid in the specified time frame: Start [Wed, 04 Mar 2026 "
        "05:00:00 GMT] - Expiry [Thu, 05 Mar 2026 05:00:00 GMT] - Current "
        "[Fri, 06 Mar 2026 05:06:07 GMT]"
    )


def test_a_delegation_key_needs_a_token(tmp_path: Path) -> None:
    wire = Wire(directory=tmp_path / "blob")

    answer = wire.ask("POST", "/localstorage/", "restype=service&comp=userdelegationkey")

    assert (answer.status, answer.code) == (403, "AuthenticationFailed")
    assert answer.text("AuthenticationErrorDetail") == (
        "Only authentication scheme Bearer is supported for this operation."
    )


def test_a_signature_may_bind_headers_and_parameters_of_the_request(tmp_path: Path) -> None:
    wire = Wire(directory=tmp_path / "blob")
    wire.ask("PUT", "/localstorage/box", "restype=container")
    wire.put("b")
    query = generate_blob_sas(
        "localstorage",
        "box",
        "b",
        user_delegation_key=delegation_key(wire),
        permission="r",
        expiry=START + timedelta(hours=1),
        request_headers={"x-ms-range": "bytes=0-1"},
        request_query_params={"timeout": "5"},
    )

    def ask(range_: str, timeout: str) -> int:
        return wire.ask(
            "GET",
            "/localstorage/box/b",
            f"{query}&timeout={timeout}",
            headers={"x-ms-range": range_},
            signed=False,
        ).status

    assert ask("bytes=0-1", "5") == 206
    assert ask("bytes=0-2", "5") == 403
    assert ask("bytes=0-1", "6") == 403
