"""Requests to a Batch service, signed as clients sign them; no HTTP in between.

It must not know how the service checks a signature.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request
from tests.signing import STANDARD_HEADERS, mac


def plain_request(
    method: str,
    path: str,
    *,
    query: str = "api-version=2025-06-01",
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Request:
    """A request without a signature; a body that is not bytes is sent as JSON."""
    content = (
        b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    )

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    sent = dict(headers or {})
    if method not in ("GET", "HEAD"):
        sent.setdefault("content-length", str(len(content)))
    if content:
        sent.setdefault("content-type", "application/json; odata=minimalmetadata")
    return Request(
        method=method,
        raw_path=f"/localbatch{path}",
        raw_query=query,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=sent,
        scheme="http",
        client_address="127.0.0.1",
        body=pieces(),
    )


def sign(
    request: Request, account: Account, when: datetime, *, length: str | None = None
) -> Request:
    """The request with `ocp-date` and a signature; `length` is what to sign as content length."""
    headers = {**request.headers, "ocp-date": format_datetime(when, usegmt=True)}
    signed = dict(headers)
    if length is not None:
        signed["content-length"] = length
    lines = [request.method, *(signed.get(name, "") for name in STANDARD_HEADERS)]
    lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("ocp-")]
    lines.append(f"/{account.name}{request.raw_path}")
    first: dict[str, str] = {}
    for name, value in request.query:
        first.setdefault(name, value)
    lines += [f"{name}:{value}" for name, value in sorted(first.items()) if value]
    signature = mac(account.key, "\n".join(lines))
    return replace(
        request, headers={**headers, "authorization": f"SharedKey {account.name}:{signature}"}
    )
