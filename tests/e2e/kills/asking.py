"""Asks both services over plain HTTP, signed as the REST reference says.

It must not know what is asked for, nor of any client library.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.signing import STANDARD_HEADERS, mac

BATCH_VERSION = "2025-06-01"
BLOB_VERSION = "2023-11-03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body of an answer of Batch."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return self.headers.get("x-ms-error-code") or str(self.json["code"])


class LostError(Exception):
    """The emulator has gone: whether it has done what was asked for is not known."""


@dataclass(slots=True, kw_only=True)
class Wire:
    """One account, over one connection, for one thread."""

    endpoint: str
    account: str
    key: str
    batch: bool
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=60)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sends a request and reads the answer; raises `LostError`."""
        if self.batch:
            query = f"api-version={BATCH_VERSION}" + (f"&{query}" if query else "")
        target = urlsplit(self.endpoint).path + path
        sent = self._sign(method, target, query, body, headers or {})
        try:
            self._connection.request(method, f"{target}?{query}", body or None, sent)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LostError from error
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=names, body=content)

    def send(self, method: str, path: str, document: object, query: str = "") -> Answer:
        """Sends JSON to Batch."""
        kind = {"content-type": "application/json; odata=minimalmetadata"}
        content = json.dumps(document).encode()
        return self.ask(method, path, query=query, body=content, headers=kind)

    def _sign(
        self, method: str, target: str, query: str, body: bytes, given: Mapping[str, str]
    ) -> dict[str, str]:
        service = "ocp-" if self.batch else "x-ms-"
        headers = {**given, f"{service}date": format_datetime(_now(), usegmt=True)}
        if not self.batch:
            headers["x-ms-version"] = BLOB_VERSION
        length = str(len(body)) if body or (self.batch and method not in ("GET", "HEAD")) else ""
        if method not in ("GET", "HEAD"):
            headers["content-length"] = str(len(body))
        signed = {**headers, "content-length": length}
        lines = [method]
        lines += [signed.get(name, "") for name in STANDARD_HEADERS]
        lines += [f"{n}:{headers[n]}" for n in sorted(headers) if n.startswith(service)]
        lines.append(f"/{self.account}{target}")
        lines += [f"{n}:{v}" for n, v in sorted(parse_qsl(query)) if v]
        signature = mac(base64.b64decode(self.key), "\n".join(lines))
        return {**headers, "authorization": f"SharedKey {self.account}:{signature}"}


def _now() -> datetime:
    return datetime.now(timezone.utc)
