"""Blob Storage as a service: authenticates, routes, asks the operation, and writes refusals.

It must not know what any operation does.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from runner.emulator.blob.access.authentication import authenticate
from runner.emulator.blob.access.grant import check_grant
from runner.emulator.blob.access.target import parse_target
from runner.emulator.blob.core.catalogue import Catalogue
from runner.emulator.blob.core.contents import Contents
from runner.emulator.blob.core.refusals import RefusedError, header_refused, not_implemented
from runner.emulator.blob.core.state import State
from runner.emulator.blob.operations.call import Call, Headers, format_date
from runner.emulator.blob.operations.documents import write_error
from runner.emulator.blob.operations.table import find_operation
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request, Response

# The newest version that azure-storage-blob 12.31 signs; answered where a client names none.
_DEFAULT_VERSION = "2026-10-06"
_VERSION = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SERVER = "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"
# What would change the meaning of a request, and is not done here.
_UNKNOWN_HEADERS = (
    "x-ms-content-crc64",
    "x-ms-encryption-key",
    "x-ms-encryption-scope",
    "x-ms-if-tags",
    "x-ms-immutability-policy-mode",
    "x-ms-immutability-policy-until-date",
    "x-ms-legal-hold",
    "x-ms-structured-body",
    "x-ms-tags",
)
_UNKNOWN_PARAMETERS = ("snapshot", "versionid")


class BlobService:
    """The Blob Storage of one account."""

    def __init__(
        self,
        *,
        account: Account,
        endpoint: str,
        directory: Path,
        clock: Callable[[], datetime],
        container_delete_delay: timedelta = timedelta(0),
    ) -> None:
        """Keeps contents below `directory`; `endpoint` is the account's own URL.

        Azure takes about 30 seconds until a deleted container's name can be used again: to
        rehearse that, give `container_delete_delay`.
        """
        self._account = account
        self._endpoint = endpoint
        self._clock = clock
        contents = Contents(directory)
        contents.remove_unreferenced()
        self._state = State(
            catalogue=Catalogue(),
            contents=contents,
            container_delete_delay=container_delete_delay,
        )

    async def handle(self, request: Request) -> Response:
        """Answers a request to the account, whichever of its addresses it came by."""
        query = _first_values(request)
        request_id = str(uuid.uuid4())
        try:
            response = await self._answer(request, query)
        except RefusedError as error:
            response = self._refuse(error, request, request_id)
        return Response(
            status=response.status,
            headers=(
                *response.headers,
                *_common_headers(request, query, request_id),
                ("Date", format_date(self._clock())),
            ),
            body=response.body,
        )

    async def _answer(self, request: Request, query: Mapping[str, str]) -> Response:
        address = request.address
        target = parse_target(address.resource)
        grant = authenticate(request, query, target, self._account, self._clock())
        headers = request.headers
        version = headers.get("x-ms-version")
        if version is not None and not _VERSION.fullmatch(version):
            raise header_refused("x-ms-version", version)
        operation = find_operation(request.method, target.level, query, headers)
        check_grant(grant, operation.demand)
        if operation.handler is None:
            raise not_implemented(operation.name)
        _refuse_unknown(headers, query)
        call = Call(
            request=request,
            target=target,
            query=query,
            grant=grant,
            state=self._state,
            endpoint=address.endpoint or self._endpoint,
            clock=self._clock,
        )
        return await operation.handler(call)

    def _refuse(self, error: RefusedError, request: Request, request_id: str) -> Response:
        refusal = error.refusal
        headers = (*error.headers, ("x-ms-error-code", refusal.code))
        if request.method == "HEAD" or refusal.status == 304:
            return Response(status=refusal.status, headers=headers)
        time = self._clock().strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
        message = f"{error.message}\nRequestId:{request_id}\nTime:{time}"
        return Response(
            status=refusal.status,
            headers=(*headers, ("Content-Type", "application/xml")),
            body=write_error(refusal.code, message, error.details),
        )


def _first_values(request: Request) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in request.query:
        query.setdefault(name.lower(), value)
    return query


def _refuse_unknown(headers: Mapping[str, str], query: Mapping[str, str]) -> None:
    for name in _UNKNOWN_HEADERS:
        if name in headers:
            raise not_implemented(f"the header `{name}`")
    for name in _UNKNOWN_PARAMETERS:
        if name in query:
            raise not_implemented(f"the query parameter `{name}`")


def _common_headers(request: Request, query: Mapping[str, str], request_id: str) -> Headers:
    version = request.headers.get("x-ms-version") or query.get("sv") or _DEFAULT_VERSION
    if not _VERSION.fullmatch(version):
        version = _DEFAULT_VERSION
    client = request.headers.get("x-ms-client-request-id")
    return (
        ("Server", _SERVER),
        ("x-ms-request-id", request_id),
        ("x-ms-version", version),
        *((("x-ms-client-request-id", client),) if client else ()),
    )
