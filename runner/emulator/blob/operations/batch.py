"""Blob Batch: many deletions or tiers in one request, each answered as if it had come alone.

Source: "Blob Batch", RFC 2046. It must not know what the requests in it do.
"""

from __future__ import annotations

import re

from runner.emulator.blob.access.target import Level, parse_target
from runner.emulator.blob.core.refusals import (
    INVALID_INPUT,
    REQUEST_BODY_TOO_LARGE,
    RefusedError,
    header_refused,
)
from runner.emulator.blob.operations.call import Call, request_within
from runner.emulator.guids import make_guid
from runner.emulator.server.http import ContentTooLargeError, Request, Response
from runner.emulator.server.tokens import is_bearer

# "Blob Batch", remarks.
_MAXIMUM_REQUESTS = 256
_MAXIMUM_BYTES = 4 * 1024 * 1024
_LINE = re.compile(r"(?P<method>[A-Z]+) (?P<path>/[^ ?]*)(?:\?(?P<query>[^ ]*))? HTTP/1\.1")
_REASONS = {
    200: "OK",
    202: "Accepted",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    412: "Precondition Failed",
}


async def submit(call: Call) -> Response:
    """Blob Batch, of the account or of one container."""
    boundary = _read_boundary(call.request.headers.get("content-type", ""))
    try:
        body = await call.request.read(limit_bytes=_MAXIMUM_BYTES)
    except ContentTooLargeError as error:
        raise RefusedError(REQUEST_BODY_TOO_LARGE) from error
    parts = [_parse_part(call, part) for part in _split(body, boundary)]
    if not 1 <= len(parts) <= _MAXIMUM_REQUESTS:
        raise RefusedError(INVALID_INPUT)
    resources = [_find_resource(call, request) for _, request in parts]
    mark = f"batchresponse_{make_guid()}"
    pieces: list[bytes] = []
    for (content_id, request), resource in zip(parts, resources, strict=True):
        response = await call.service.answer_part(request, resource)
        pieces.append(_write_part(mark, content_id, response))
    pieces.append(f"--{mark}--\r\n".encode("ascii"))
    return Response(
        status=202,
        headers=(("Content-Type", f"multipart/mixed; boundary={mark}"),),
        body=b"".join(pieces),
    )


def _read_boundary(content_type: str) -> bytes:
    match = re.fullmatch(r'multipart/mixed\s*;\s*boundary="?([^";]{1,70})"?', content_type.strip())
    if match is None:
        raise header_refused("Content-Type", content_type)
    return match[1].encode("latin-1")


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    mark = b"--" + boundary
    before, *parts = re.split(rb"(?:^|\r?\n)" + re.escape(mark), body)
    if not parts or before.strip() or not parts[-1].startswith(b"--"):
        raise RefusedError(INVALID_INPUT)
    return parts[:-1]


def _parse_part(call: Call, part: bytes) -> tuple[str, Request]:
    """A part's `Content-ID`, and the request in it."""
    # Imported here: it takes a while, and few emulators get a batch.
    from email.parser import BytesParser

    outer = BytesParser().parsebytes(part.lstrip(b"\r\n"))
    inner = outer.get_payload(decode=False)
    if not isinstance(inner, str):
        raise RefusedError(INVALID_INPUT)
    line, _, rest = inner.lstrip("\r\n").partition("\n")
    match = _LINE.fullmatch(line.rstrip("\r"))
    if match is None:
        raise RefusedError(INVALID_INPUT)
    fields = BytesParser().parsebytes(rest.encode("latin-1", "replace"), headersonly=True)
    headers = {name.lower(): str(value) for name, value in fields.items()}
    if is_bearer(headers.get("authorization", "")):
        # With a key the version is signed, or is not there at all.
        headers.setdefault("x-ms-version", call.version)
    request = request_within(
        call.request, match["method"], match["path"], match["query"] or "", headers
    )
    return str(outer.get("Content-ID", "")), request


def _find_resource(call: Call, request: Request) -> str:
    """The path below the account; refuses what may not be in a batch."""
    comp = next((value for name, value in request.query if name.lower() == "comp"), "")
    is_tier = request.method == "PUT" and comp == "tier"
    is_delete = request.method == "DELETE" and not comp
    if not (is_tier or is_delete):
        raise RefusedError(INVALID_INPUT)
    resource = request.raw_path
    # Where the path names the account some clients write it into each request, and some do not.
    first, _, rest = resource[1:].partition("/")
    if call.request.address.kind is None and first == call.account.name and "/" in rest:
        resource = f"/{rest}"
    target = parse_target(resource)
    if target.level is not Level.BLOB or call.target.container not in ("", target.container):
        raise RefusedError(INVALID_INPUT)
    return resource


def _write_part(mark: str, content_id: str, response: Response) -> bytes:
    body = response.body
    assert isinstance(body, bytes)
    reason = _REASONS.get(response.status, "Error")
    lines = [f"--{mark}", "Content-Type: application/http"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {response.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head + body + b"\r\n"
