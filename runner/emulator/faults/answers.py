"""Errors on purpose, in the form of the service that they pretend to come from.

It must not know when they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from runner.emulator.batch.operations.replies import Reply, metadata, to_response
from runner.emulator.batch.operations.wire import format_full_moment
from runner.emulator.blob.operations.documents import write_error
from runner.emulator.faults.rules import ErrorAnswer
from runner.emulator.guids import make_guid
from runner.emulator.server.accounts import Kind
from runner.emulator.server.http import Request, Response
from runner.emulator.storage.record import record

_ERROR_TYPE = "Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"
_BLOB_SERVER = "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"


@record(frozen=True, slots=True)
class _Wording:
    code: str
    message: str


# REST reference, "Batch status and error codes" and "Common REST API error codes" of Storage; the
# references have no code of their own for 429.
_USUAL: Mapping[int, _Wording] = {
    429: _Wording("TooManyRequests", "Too many requests. Please retry your request later."),
    500: _Wording(
        "InternalError", "The server encountered an internal error. Please retry the request."
    ),
    503: _Wording(
        "ServerBusy",
        "The server is currently unable to receive requests. Please retry your request.",
    ),
}
_OTHERS = {
    "OperationTimedOut": "Operation could not be completed within the specified time.",
}


def write_answer(kind: Kind, error: ErrorAnswer, request: Request, now: datetime) -> Response:
    """The answer to a request that is to fail."""
    wording = _word(error)
    headers: tuple[tuple[str, str], ...] = ()
    if error.retry_after is not None:
        # Whole seconds: the form of the header has no others (RFC 9110, 10.2.3).
        seconds = -(-error.retry_after.total_seconds() // 1)
        headers = (("Retry-After", str(int(seconds))),)
    write = _write_batch if kind is Kind.BATCH else _write_blob
    return write(error.status, wording, headers, request, now)


def _word(error: ErrorAnswer) -> _Wording:
    usual = _USUAL.get(error.status)
    if error.code is None:
        return usual or _USUAL[500]
    if usual is not None and usual.code == error.code:
        return usual
    message = _OTHERS.get(error.code, f"The request failed with {error.code}.")
    return _Wording(error.code, message)


def _write_batch(
    status: int,
    wording: _Wording,
    headers: tuple[tuple[str, str], ...],
    request: Request,
    now: datetime,
) -> Response:
    request_id = make_guid()
    text = f"{wording.message}\nRequestId:{request_id}\nTime:{format_full_moment(now)}"
    reply = Reply(
        status=status,
        json={
            **metadata(request.address.endpoint or "", _ERROR_TYPE),
            "code": wording.code,
            "message": {"lang": "en-US", "value": text},
        },
        headers=headers,
    )
    return to_response(reply, request=request, request_id=request_id, now=now)


def _write_blob(
    status: int,
    wording: _Wording,
    headers: tuple[tuple[str, str], ...],
    request: Request,
    now: datetime,
) -> Response:
    request_id = make_guid()
    headers = (
        *headers,
        ("Server", _BLOB_SERVER),
        ("x-ms-request-id", request_id),
        ("x-ms-error-code", wording.code),
    )
    version, client = (
        request.headers.get("x-ms-version"),
        request.headers.get("x-ms-client-request-id"),
    )
    if version:
        headers = (*headers, ("x-ms-version", version))
    if client:
        headers = (*headers, ("x-ms-client-request-id", client))
    if request.method == "HEAD":
        return Response(status=status, headers=headers)
    text = f"{wording.message}\nRequestId:{request_id}\nTime:{format_full_moment(now)}"
    return Response(
        status=status,
        headers=(*headers, ("Content-Type", "application/xml")),
        body=write_error(wording.code, text, ()),
    )
