"""A small blob service over real HTTP, its faults, and a wait with a deadline."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

SIGNATURE = "c2VjcmV0LXNpZ25hdHVyZQ"
SAS = f"sv=2021-08-06&sr=c&sp=rwl&sig={SIGNATURE}%3D"
DEADLINE_SECONDS = 60.0

Fault = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class BlobService:
    """Containers in memory; `faults` are answered, one each, before anything else."""

    containers: dict[str, dict[str, bytes]] = field(default_factory=dict)
    blocks: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    page_size: int = 5000
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/account"

    def container_url(self, container: str, sas: str = SAS) -> str:
        return f"{self.endpoint}/{container}?{sas}"

    def blob_url(self, container: str, name: str, sas: str = SAS) -> str:
        return f"{self.endpoint}/{container}/{quote(name)}?{sas}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    service: BlobService

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that clients break off are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = DEADLINE_SECONDS
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Silence."""

    def do_GET(self) -> None:
        if not self._begin():
            return
        container, name = self._target()
        blobs = self.server.service.containers.get(container)
        if blobs is None:
            self.answer(404, code="ContainerNotFound")
        elif self._query().get("comp") == ["list"]:
            self._list(blobs)
        elif name not in blobs:
            self.answer(404, code="BlobNotFound")
        else:
            digest = base64.b64encode(hashlib.md5(blobs[name]).digest()).decode()
            self.answer(200, blobs[name], headers={"Content-MD5": digest})

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if not self._begin():
            return
        container, name = self._target()
        blobs = self.server.service.containers.get(container)
        if blobs is None:
            self.answer(404, code="ContainerNotFound")
            return
        expected = self.headers.get("content-md5")
        if expected and base64.b64encode(hashlib.md5(body).digest()).decode() != expected:
            self.answer(400, code="Md5Mismatch")
            return
        query = self._query()
        match query.get("comp"):
            case ["block"]:
                self.server.service.blocks[query["blockid"][0]] = body
            case ["blocklist"]:
                names = [element.text or "" for element in ET.fromstring(body)]
                blobs[name] = b"".join(self.server.service.blocks[name] for name in names)
            case _:
                assert self.headers["x-ms-blob-type"] == "BlockBlob"
                blobs[name] = body
        self.answer(201)

    def answer(
        self, status: int, body: bytes = b"", *, code: str = "", headers: Any = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if code:
            self.send_header("x-ms-error-code", code)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def _begin(self) -> bool:
        service = self.server.service
        with service.lock:
            service.requests.append(f"{self.command} {self.path}")
            service.headers.append({key.lower(): value for key, value in self.headers.items()})
            service.connections.add(self.client_address)
            fault = service.faults.pop(0) if service.faults else None
        if fault is not None:
            fault(self)
            return False
        if not self._query().get("sig", [""])[0].startswith(SIGNATURE):
            self.answer(403, code="AuthenticationFailed")
            return False
        return True

    def _target(self) -> tuple[str, str]:
        _, _, rest = urlsplit(self.path).path.removeprefix("/").partition("/")
        container, _, name = rest.partition("/")
        return container, unquote(name)

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query)

    def _list(self, blobs: dict[str, bytes]) -> None:
        query = self._query()
        prefix, marker = query.get("prefix", [""])[0], query.get("marker", [""])[0]
        names = [n for n in sorted(blobs) if n.startswith(prefix) and n >= marker]
        page, rest = names[: self.server.service.page_size], names[self.server.service.page_size :]
        listed = "".join(f"<Blob>{_name_element(name)}<Properties/></Blob>" for name in page)
        following = escape(rest[0]) if rest else ""
        document = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<EnumerationResults><Blobs>{listed}</Blobs>"
            f"<NextMarker>{following}</NextMarker></EnumerationResults>"
        )
        self.answer(200, b"\xef\xbb\xbf" + document.encode())


def _name_element(name: str) -> str:
    if all(character >= " " for character in name):
        return f"<Name>{escape(name)}</Name>"
    return f'<Name Encoded="true">{quote(name)}</Name>'


def answering(status: int, **kwargs: Any) -> Fault:
    """A fault: that status, whatever was asked."""
    return lambda handler: handler.answer(status, **kwargs)  # type: ignore[attr-defined]


def closing(handler: BaseHTTPRequestHandler) -> None:
    """A fault: the connection is closed without an answer."""
    handler.close_connection = True


@contextmanager
def serving() -> Iterator[BlobService]:
    """The service on a free port, with a container `box`."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.service = BlobService(containers={"box": {}}, port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def utc_now() -> datetime:
    """The clock that the tests hand over."""
    return datetime.now(timezone.utc)


def wait_until(condition: Callable[[], bool]) -> None:
    """Polls until it holds; fails at the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come to hold in time"
        time.sleep(0.005)
