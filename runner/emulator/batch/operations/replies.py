"""What an operation answers, and how that becomes a response with the service's headers.

It must not know any operation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from runner.emulator.batch.operations.wire import etag_of, http_date
from runner.emulator.server.http import Request, Response
from runner.emulator.storage.jsontext import write_json
from runner.emulator.storage.record import record

CONTENT_TYPE = "application/json;odata=minimalmetadata"
_CHUNKED = ("Transfer-Encoding", "chunked")
_NO_CONTENT = frozenset({204, 304})


@record(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; `modified` gives `ETag` and `Last-Modified`."""

    status: int
    json: Mapping[str, Any] | None = None
    stream: AsyncIterator[bytes] | None = None
    modified: datetime | None = None
    service_id: str | None = None
    location: str | None = None
    length: int | None = None
    """`Content-Length`, where it is not that of the content: in the answer to HEAD."""
    headers: tuple[tuple[str, str], ...] = ()


def metadata(endpoint: str, name: str) -> dict[str, Any]:
    """The first property of every body: what the rest is."""
    return {"odata.metadata": f"{endpoint}/$metadata#{name}"}


def element(endpoint: str, name: str, body: Mapping[str, Any], modified: datetime | None) -> Reply:
    """A single entity."""
    document = {**metadata(endpoint, f"{name}/@Element"), **body}
    return Reply(status=200, json=document, modified=modified)


def changed(url: str, status: int, modified: datetime | None = None) -> Reply:
    """Something was done to what has the URL; `modified` is of an entity with an ETag."""
    return Reply(status=status, modified=modified, service_id=url)


def to_response(reply: Reply, *, request: Request, request_id: str, now: datetime) -> Response:
    """The response to `request`; one to HEAD has no content."""
    headers_sent = request.headers
    headers = [
        ("Server", "Microsoft-HTTPAPI/2.0"),
        ("request-id", request_id),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("X-Content-Type-Options", "nosniff"),
        ("DataServiceVersion", "3.0"),
        ("Date", http_date(now)),
    ]
    client_id = headers_sent.get("client-request-id")
    if client_id and headers_sent.get("return-client-request-id", "").lower() == "true":
        headers.append(("client-request-id", client_id))
    if reply.modified is not None:
        headers.append(("ETag", etag_of(reply.modified)))
        headers.append(("Last-Modified", http_date(reply.modified)))
    if reply.service_id is not None:
        headers.append(("DataServiceId", reply.service_id))
    if reply.location is not None:
        headers.append(("Location", reply.location))
    headers.extend(reply.headers)
    if reply.stream is not None:
        headers.append(_CHUNKED)
        return Response(status=reply.status, headers=tuple(headers), body=reply.stream)
    content = b""
    if reply.json is not None:
        headers.append(("Content-Type", CONTENT_TYPE))
        content = write_json(reply.json).encode("ascii")
    if request.method == "HEAD":
        content = b""
    headers.append(_length_of(reply, content))
    return Response(status=reply.status, headers=tuple(headers), body=content)


def _length_of(reply: Reply, content: bytes) -> tuple[str, str]:
    """On record: what succeeds is sent in chunks, what is refused or empty has a length."""
    if reply.length is not None:
        return "Content-Length", str(reply.length)
    if reply.status in _NO_CONTENT or reply.status >= 400:
        return "Content-Length", str(len(content))
    return _CHUNKED
