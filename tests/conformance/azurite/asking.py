"""Sends raw requests to a Blob service, signed here, and reads what matters of the answers.

It uses neither the emulator's own signing nor the SDK's, so that all three can be told apart.
"""

from __future__ import annotations

import base64
import http.client
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree as ET

from tests.signing import STANDARD_HEADERS, mac

VERSION = "2025-11-05"
# Transport, not the service.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "content-length"})
_TIMES = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
)
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ETAGS = re.compile(r'"?0x[0-9A-F]{6,}"?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, as it was."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The error code, empty where there is none."""
        return self.headers.get("x-ms-error-code", "")


@dataclass(slots=True, kw_only=True)
class Service:
    """A connection to one account."""

    endpoint: str
    account: str
    key: str
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        auth: str = "key",
    ) -> Answer:
        """One request; `auth` is `key`, `none`, or the query of a signature."""
        base = urlsplit(self.endpoint)
        target = f"{base.path}/{path}" if path else f"{base.path}/"
        sent = {"x-ms-version": VERSION, "x-ms-date": formatdate(usegmt=True), **(headers or {})}
        if body or method == "PUT":
            sent.setdefault("Content-Length", str(len(body)))
        if auth == "key":
            sent["Authorization"] = self._sign(method, target, query, sent)
        elif auth != "none":
            query = f"{query}&{auth}" if query else auth
        if self._connection is None:
            assert base.hostname is not None
            self._connection = http.client.HTTPConnection(base.hostname, base.port, timeout=60)
        url = f"{target}?{query}" if query else target
        self._connection.request(method, url, body=body or None, headers=sent)
        response = self._connection.getresponse()
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=response.read(),
        )

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()

    def sas(self, resource: str, **fields: str) -> str:
        """A service signature for `container` or `container/blob`, in the newest layout."""
        fields = {"sv": VERSION, "se": _soon(), **fields}
        order = (
            *("sp", "st", "se", "", "si", "sip", "spr", "sv", "sr", "snapshot", "ses"),
            *("rscc", "rscd", "rsce", "rscl", "rsct"),
        )
        values = [
            fields.get(name, "") if name else f"/blob/{self.account}/{resource}" for name in order
        ]
        fields.pop("snapshot", None)
        return urlencode({**fields, "sig": self.mac("\n".join(values))})

    def account_sas(self, **fields: str) -> str:
        """A signature of the account."""
        fields = {"sv": VERSION, "ss": "b", "se": _soon(), **fields}
        order = ("sp", "ss", "srt", "st", "se", "sip", "spr", "sv", "ses")
        text = "".join(
            f"{value}\n" for value in (self.account, *(fields.get(n, "") for n in order))
        )
        return urlencode({**fields, "sig": self.mac(text)})

    def mac(self, text: str) -> str:
        """HMAC-SHA256 with the account's key, in base64."""
        return mac(base64.b64decode(self.key), text)

    def _sign(self, method: str, target: str, query: str, headers: Mapping[str, str]) -> str:
        lower = {name.lower(): value for name, value in headers.items()}
        standard = [lower.get(name, "") for name in STANDARD_HEADERS]
        if standard[2] == "0":
            standard[2] = ""
        extra = [f"{n}:{lower[n]}" for n in sorted(lower) if n.startswith("x-ms-")]
        asked: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            asked.setdefault(name.lower(), []).append(value)
        params = [f"{name}:{','.join(sorted(values))}" for name, values in sorted(asked.items())]
        text = "\n".join([method, *standard, *extra, f"/{self.account}{target}", *params])
        return f"SharedKey {self.account}:{self.mac(text)}"


def read_content(answer: Answer) -> list[str]:
    """The content of an answer that is no error, in lines; XML as a line for each element.

    Empty elements are left out, since readers take them for ones that are not there.
    """
    if answer.status >= 400 or not answer.body:
        return []
    kind = answer.headers.get("content-type", "")
    if answer.body.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml"):
        return sorted(_flatten(ET.fromstring(answer.body), ""))
    if kind.startswith("multipart/mixed"):
        return [
            f"part={status}" for status in re.findall(r"HTTP/1.1 (\d{3})", answer.body.decode())
        ]
    return [f"content={answer.body!r}"]


def read_error(answer: Answer) -> dict[str, str]:
    """The elements of an error's body, the message without what names the request."""
    if not answer.body or answer.status < 400:
        return {}
    try:
        root = ET.fromstring(answer.body)
    except ET.ParseError:
        return {"": answer.body.decode("utf-8", "replace")}
    found = {child.tag: (child.text or "") for child in root}
    found["Message"] = found.get("Message", "").partition("\n")[0].strip()
    return {name: _hide(text) for name, text in found.items()}


def select_headers(answer: Answer) -> dict[str, str]:
    """The headers that the service sets, without what differs from one request to the next."""
    return {name: _hide(value) for name, value in answer.headers.items() if name not in _HOP}


def _flatten(node: ET.Element, above: str) -> Iterator[str]:
    path = f"{above}/{node.tag}" if above else node.tag
    text = _hide((node.text or "").strip())
    if text:
        yield f"{path}={'MARKER' if node.tag == 'NextMarker' else text}"
    for child in node:
        yield from _flatten(child, path)


def _hide(text: str) -> str:
    text = _ETAGS.sub("ETAG", _IDS.sub("ID", _TIMES.sub("TIME", text)))
    return re.sub(r"http://127\.0\.0\.1:\d+", "ORIGIN", text)


def _soon() -> str:
    return (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
