"""Asks a Blob service of the emulator without a socket, signing as the REST reference says.

It uses nothing of the emulator's own signing, so that the two cannot share a mistake.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote
from xml.etree import ElementTree as ET

from runner.emulator.blob.service import BlobService
from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.http import Request, Response
from tests.signing import mac

ACCOUNT = Account(name="localstorage", kind=Kind.BLOB, key=b"a key of the tests")
START = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response with its content read."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return self.headers["x-ms-error-code"]

    def text(self, path: str) -> str | None:
        """The text of an element of the body."""
        return ET.fromstring(self.body).findtext(path)

    def texts(self, path: str) -> list[str]:
        """The texts of all elements at a path of the body."""
        return [e.text or "" for e in ET.fromstring(self.body).findall(path)]


@dataclass(slots=True, kw_only=True)
class Wire:
    """A service and the time that it is told."""

    directory: Path
    delete_delay: timedelta = timedelta(0)
    now: datetime = START
    service: BlobService = field(init=False)

    def __post_init__(self) -> None:
        self.service = BlobService(
            account=ACCOUNT,
            endpoint="http://127.0.0.1:1/localstorage",
            directory=self.directory,
            clock=lambda: self.now,
            container_delete_delay=self.delete_delay,
        )

    def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        signed: bool = True,
        scheme: str = "http",
    ) -> Answer:
        """One request and its whole answer; header names in lower case."""
        request = make_request(method, path, query, headers=headers or {}, body=body, scheme=scheme)
        if signed:
            request = sign_request(request, self.now)
        return asyncio.run(self._ask(request))

    def put(self, name: str, content: bytes = b"content", **headers: str) -> Answer:
        """Puts a block blob into the container `box`."""
        named = {f"x-ms-{key.replace('_', '-')}": value for key, value in headers.items()}
        return self.ask(
            "PUT",
            f"/localstorage/box/{quote(name)}",
            headers={"x-ms-blob-type": "BlockBlob", **named},
            body=content,
        )

    def files(self) -> int:
        """How many files the service keeps."""
        return sum(1 for path in self.directory.rglob("*") if path.is_file())

    async def _ask(self, request: Request) -> Answer:
        return await read_answer(await self.service.handle(request))


async def read_answer(response: Response) -> Answer:
    """The response with its content read and its reader closed."""
    body = response.body
    if not isinstance(body, bytes):
        pieces = [piece async for piece in body]
        await body.aclose()  # type: ignore[attr-defined]
        body = b"".join(pieces)
    headers = {name.lower(): value for name, value in response.headers}
    return Answer(status=response.status, headers=headers, body=body)


def make_request(
    method: str,
    path: str,
    query: str = "",
    *,
    headers: dict[str, str],
    body: bytes = b"",
    scheme: str = "http",
) -> Request:
    """A request with the headers that every client sends."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    sized = {"content-length": str(len(body))} if body or method == "PUT" else {}
    return Request(
        method=method,
        raw_path=path,
        raw_query=query,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers={"x-ms-version": "2021-12-02", **sized, **headers},
        scheme=scheme,
        client_address="127.0.0.1",
        body=pieces(),
    )


def sign_request(request: Request, now: datetime, key: bytes = ACCOUNT.key) -> Request:
    """The request with `x-ms-date` and `Authorization: SharedKey`."""
    headers = {"x-ms-date": format_datetime(now, usegmt=True), **request.headers}
    length = headers.get("content-length", "")
    lines = [
        request.method,
        headers.get("content-encoding", ""),
        headers.get("content-language", ""),
        "" if length == "0" else length,
        headers.get("content-md5", ""),
        headers.get("content-type", ""),
        "",
        headers.get("if-modified-since", ""),
        headers.get("if-match", ""),
        headers.get("if-none-match", ""),
        headers.get("if-unmodified-since", ""),
        headers.get("range", ""),
    ]
    lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
    lines.append(f"/{ACCOUNT.name}{request.raw_path}")
    lines += [f"{name.lower()}:{value}" for name, value in sorted(request.query)]
    signature = make_signature("\n".join(lines), key)
    headers["authorization"] = f"SharedKey {ACCOUNT.name}:{signature}"
    return Request(
        method=request.method,
        raw_path=request.raw_path,
        raw_query=request.raw_query,
        query=request.query,
        headers=headers,
        scheme=request.scheme,
        client_address=request.client_address,
        body=request.body,
    )


def make_signature(text: str, key: bytes = ACCOUNT.key) -> str:
    """HMAC-SHA256 in base64."""
    return mac(key, text)
