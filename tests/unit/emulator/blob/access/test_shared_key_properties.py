"""Whatever a client signs is let in, in the long form and the short, and nothing that was changed.

The signer is written from "Authorize with Shared Key"; it shares nothing with the emulator.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.emulator.blob.access.shared_key import check_shared_key
from runner.emulator.blob.core.refusals import RefusedError
from runner.emulator.server.http import Request
from tests.signing import STANDARD_HEADERS, mac
from tests.unit.emulator.blob.wire import ACCOUNT, START

SHORT = ("content-md5", "content-type", "date")


@dataclass(frozen=True)
class Sent:
    """A request before it is signed; query values are decoded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    length: int
    date_header: str
    short: bool
    in_host: bool
    when: datetime


async def nothing() -> AsyncIterator[bytes]:
    for piece in tuple[bytes, ...]():
        yield piece


def sign(sent: Sent) -> Request:
    """The request as it arrives."""
    path = quote(sent.path) if sent.in_host else quote(f"/localstorage{sent.path}")
    headers = {**dict(sent.headers), sent.date_header: format_datetime(sent.when, usegmt=True)}
    if sent.method == "PUT":
        headers["content-length"] = str(sent.length)
    lines = [sent.method]
    for name in SHORT if sent.short else STANDARD_HEADERS:
        value = headers.get(name, "")
        if name == "date" and "x-ms-date" in headers:
            value = ""
        lines.append("" if (name, value) == ("content-length", "0") else value)
    lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
    resource = f"/{ACCOUNT.name}{path}"
    if sent.short:
        parts = [value for name, value in sent.query if name == "comp"]
        lines.append(resource + (f"?comp={parts[0]}" if parts else ""))
    else:
        lines.append(resource)
        names = sorted({name.lower() for name, _ in sent.query})
        for name in names:
            values = sorted(value for found, value in sent.query if found.lower() == name)
            lines.append(f"{name}:{','.join(values)}")
    signature = mac(ACCOUNT.key, "\n".join(lines))
    scheme = "SharedKeyLite" if sent.short else "SharedKey"
    headers["authorization"] = f"{scheme} {ACCOUNT.name}:{signature}"
    return Request(
        method=sent.method,
        raw_path=path,
        raw_query="&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in sent.query),
        query=sent.query,
        headers={"host": "localstorage.blob.localhost" if sent.in_host else "h", **headers},
        scheme="http",
        client_address="127.0.0.1",
        body=nothing(),
    )


values = st.text(st.sampled_from("abcXYZ019/;=, .-+&%?"), min_size=1, max_size=8)
header_values = values.map(str.strip).filter(bool)
requests = st.builds(
    Sent,
    method=st.sampled_from(["GET", "HEAD", "PUT", "DELETE"]),
    path=st.text(st.characters(codec="utf-8"), max_size=8).map(lambda text: f"/{text}"),
    query=st.lists(
        st.tuples(st.sampled_from(["comp", "restype", "BlockId", "timeout", "x"]), values),
        max_size=4,
        unique_by=lambda pair: pair[0],
    ).map(tuple),
    headers=st.dictionaries(
        st.sampled_from(
            [
                *(name for name in STANDARD_HEADERS if name not in ("content-length", "date")),
                *("x-ms-version", "x-ms-meta-a", "x-ms-meta-b", "user-agent"),
            ]
        ),
        header_values,
        max_size=5,
    ).map(lambda headers: tuple(headers.items())),
    length=st.integers(0, 3),
    date_header=st.sampled_from(["date", "x-ms-date"]),
    short=st.booleans(),
    in_host=st.booleans(),
    when=st.integers(-14, 14).map(lambda minutes: START + timedelta(minutes=minutes)),
)


@settings(max_examples=300, deadline=None)
@given(requests)
def test_what_a_client_signs_is_let_in(sent: Sent) -> None:
    check_shared_key(sign(sent), ACCOUNT, START)


def changed(request: Request, what: str) -> Request:
    """The request as somebody else made it; the signature stays."""
    headers = dict(request.headers)
    match what:
        case "method":
            return replace(request, method="POST")
        case "path":
            return replace(request, raw_path=f"{request.raw_path}x")
        case "header":
            headers["x-ms-meta-c"] = "added"
        case "type":
            headers["content-type"] = headers.get("content-type", "") + "x"
        case "scheme":
            scheme, _, rest = headers["authorization"].partition(" ")
            other = "SharedKey" if scheme == "SharedKeyLite" else "SharedKeyLite"
            headers["authorization"] = f"{other} {rest}"
    return replace(request, headers=headers)


@settings(max_examples=200, deadline=None)
@given(requests, st.sampled_from(["method", "path", "header", "type", "scheme"]))
def test_what_was_changed_is_refused(sent: Sent, what: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_shared_key(changed(sign(sent), what), ACCOUNT, START)

    assert refused.value.refusal.code == "AuthenticationFailed"
