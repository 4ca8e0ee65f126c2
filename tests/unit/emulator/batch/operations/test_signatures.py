"""Whatever clients sign is let in, and nothing that was changed on its way.

The signer here is written from the documentation and from what the clients of several languages
send; it shares nothing with the emulator.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import quote, unquote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.authorization import authorize
from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.http import Request
from tests.signing import mac

ACCOUNT = Account(name="localbatch", kind=Kind.BATCH, key=bytes(range(64)))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
BETWEEN = ("content-encoding", "content-language", "content-length", "content-md5", "content-type")
CONDITIONS = ("if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range")


@dataclass(frozen=True)
class Client:
    """How a client signs: what it makes of no content, of parameters and of the two dates."""

    no_content: str
    lower_names: bool
    keeps_empty: bool
    date_header: str | None
    signs_date: bool


@dataclass(frozen=True)
class Sent:
    """A request as a client has it before it signs."""

    method: str
    segments: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    content: bytes
    in_host: bool
    when: datetime


async def nothing() -> AsyncIterator[bytes]:
    for piece in tuple[bytes, ...]():
        yield piece


def sign(sent: Sent, client: Client) -> Request:
    """The request as it arrives."""
    path = "/" + "/".join(quote(segment, safe="") for segment in sent.segments)
    path = path if sent.in_host else f"/localbatch{path}"
    stamp = format_datetime(sent.when.astimezone(timezone.utc), usegmt=True)
    headers = dict(sent.headers)
    if client.date_header == "date":
        headers["date"] = stamp
    else:
        headers["ocp-date"] = stamp
        if client.date_header == "both":
            headers["date"] = format_datetime(sent.when + timedelta(seconds=1), usegmt=True)
    if sent.method not in ("GET", "HEAD"):
        headers["content-length"] = str(len(sent.content))
    signed = dict(headers)
    if not sent.content:
        signed["content-length"] = "" if sent.method in ("GET", "HEAD") else client.no_content
    if "ocp-date" in headers and not client.signs_date:
        signed["date"] = ""
    text = sent.method + "\n"
    for name in (*BETWEEN, "date", *CONDITIONS):
        text += signed.get(name, "") + "\n"
    for name in sorted(headers):
        if name.startswith("ocp-"):
            text += f"{name}:{headers[name]}\n"
    text += f"/localbatch{path}"
    values: dict[str, str] = {}
    for name, value in sent.parameters:
        key = name.lower() if client.lower_names else name
        if value or client.keeps_empty:
            values.setdefault(key, value)
    for name in sorted(values):
        text += f"\n{name}:{values[name]}"
    headers["authorization"] = f"SharedKey localbatch:{mac(ACCOUNT.key, text)}"
    return Request(
        method=sent.method,
        raw_path=path,
        raw_query=urlencode(sent.parameters, quote_via=quote),
        query=sent.parameters,
        headers={"host": "localbatch.eastus.batch.localhost" if sent.in_host else "h", **headers},
        scheme="http",
        client_address="127.0.0.1",
        body=nothing(),
    )


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
header_values = st.text(st.sampled_from("abcXYZ019/;=,. -"), min_size=1).map(str.strip).filter(bool)
clients = st.builds(
    Client,
    no_content=st.sampled_from(["", "0"]),
    lower_names=st.booleans(),
    keeps_empty=st.booleans(),
    date_header=st.sampled_from([None, "date", "both"]),
    signs_date=st.booleans(),
).filter(lambda client: client.lower_names or not client.keeps_empty)
requests = st.builds(
    Sent,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
    segments=st.lists(texts, min_size=1, max_size=5).map(tuple),
    parameters=st.lists(
        st.tuples(
            st.sampled_from(["api-version", "timeOut", "maxresults", "$filter", "$Select", "x"]),
            st.one_of(st.just(""), texts),
        ),
        max_size=5,
        unique_by=lambda pair: pair[0].lower(),
    ).map(tuple),
    headers=st.dictionaries(
        st.sampled_from(
            [*BETWEEN[:2], *BETWEEN[3:], *CONDITIONS, "ocp-range", "ocp-x", "user-agent"]
        ),
        header_values,
        max_size=5,
    ).map(lambda headers: tuple(headers.items())),
    content=st.binary(max_size=5),
    in_host=st.booleans(),
    when=st.timedeltas(timedelta(minutes=-14, seconds=-59), timedelta(minutes=14, seconds=59)).map(
        lambda offset: NOW + offset
    ),
)


@settings(max_examples=300, deadline=None)
@given(requests, clients)
def test_what_a_client_signs_is_let_in(sent: Sent, client: Client) -> None:
    authorize(sign(sent, client), ACCOUNT, NOW)


def changed(request: Request, what: str, by: str) -> Request:
    """The request as somebody else made it; the signature stays."""
    headers = dict(request.headers)
    match what:
        case "method":
            return replace(request, method="PUT" if request.method != "PUT" else "POST")
        case "path":
            return replace(request, raw_path=f"{request.raw_path}{quote(by, safe='')}")
        case "query":
            return replace(request, query=(*request.query, ("added", by)))
        case "header":
            headers["if-match"] = headers.get("if-match", "") + "x"
        case "ocp":
            headers["ocp-added"] = "x"
        case "length":
            headers["content-length"] = str(int(headers.get("content-length", "0")) + 1)
        case "signature":
            scheme, _, signature = headers["authorization"].rpartition(":")
            flipped = bytes([base64.b64decode(signature)[0] ^ 1, *base64.b64decode(signature)[1:]])
            headers["authorization"] = f"{scheme}:{base64.b64encode(flipped).decode()}"
    return replace(request, headers=headers)


@settings(max_examples=300, deadline=None)
@given(
    requests,
    clients,
    st.sampled_from(["method", "path", "query", "header", "ocp", "length", "signature"]),
    texts,
)
def test_what_was_changed_is_refused(sent: Sent, client: Client, what: str, by: str) -> None:
    with pytest.raises(RefusedError) as refused:
        authorize(changed(sign(sent, client), what, by), ACCOUNT, NOW)

    assert refused.value.reason is Reason.AUTHENTICATION_FAILED


def test_the_path_is_signed_as_it_was_sent() -> None:
    client = Client("", lower_names=False, keeps_empty=False, date_header=None, signs_date=False)
    request = sign(Sent("GET", ("files", "wd/a b"), (), (), b"", False, NOW), client)
    assert request.raw_path == "/localbatch/files/wd%2Fa%20b"

    authorize(request, ACCOUNT, NOW)
    with pytest.raises(RefusedError):
        authorize(replace(request, raw_path=unquote(request.raw_path)), ACCOUNT, NOW)
