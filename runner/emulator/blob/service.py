"""Blob Storage as a service: authenticates, routes, asks the operation, and writes refusals.

It must not know what any operation does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from runner.emulator.blob.access.authentication import authenticate
from runner.emulator.blob.access.grant import Grant, check_grant, check_tag_grant
from runner.emulator.blob.access.signatures import Signatures
from runner.emulator.blob.access.target import Level, Target, parse_target
from runner.emulator.blob.access.versions import NEWEST, is_version
from runner.emulator.blob.core.catalogue import Catalogue
from runner.emulator.blob.core.contents import Contents
from runner.emulator.blob.core.kinds import KINDS
from runner.emulator.blob.core.refusals import (
    RefusedError,
    header_refused,
    not_implemented,
    query_refused,
)
from runner.emulator.blob.core.state import State
from runner.emulator.blob.fetching import Fetched, fetch_url
from runner.emulator.blob.keeping import restore
from runner.emulator.blob.operations.call import Call, Headers, format_date
from runner.emulator.blob.operations.documents import write_error
from runner.emulator.blob.operations.table import Operation, find_operation
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Request, Response
from runner.emulator.server.tls import Tls
from runner.emulator.storage.database import StorageError
from runner.emulator.storage.journal import Journal

_SERVER = "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"
# What would change the meaning of a request, and is not done here.
_UNKNOWN_HEADERS = (
    "x-ms-access-tier-if-modified-since",
    "x-ms-access-tier-if-unmodified-since",
    "x-ms-blob-if-match",
    "x-ms-blob-if-modified-since",
    "x-ms-blob-if-none-match",
    "x-ms-blob-if-unmodified-since",
    "x-ms-content-crc64",
    "x-ms-encryption-key",
    "x-ms-encryption-scope",
    "x-ms-immutability-policy-mode",
    "x-ms-immutability-policy-until-date",
    "x-ms-legal-hold",
    "x-ms-range-get-content-crc64",
    "x-ms-source-content-crc64",
    "x-ms-structured-body",
)
_UNKNOWN_PARAMETERS = ("versionid",)
_KNOWN_QUERIES = 1024


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
        rehydration_delay: timedelta = timedelta(0),
        tls: Tls | None = None,
        keep: bool = False,
    ) -> None:
        """Keeps contents below `directory`; `endpoint` is the account's own URL.

        Azure takes about 30 seconds until a deleted container's name can be used again: to
        rehearse that, give `container_delete_delay`. It takes hours until a blob has come out of
        the archive: for that there is `rehydration_delay`. `tls` is what the emulator is served
        with, so that copies from its other accounts trust it.

        With `keep`, records are on disk too, and those of an earlier start come back. Then it is
        to be made within the loop that it serves; raises `StorageError`.
        """
        self._account = account
        self._endpoint = endpoint
        self._clock = clock
        self._signatures = Signatures(account)
        self._queries: dict[str, Mapping[str, str]] = {}
        self._tls = None if tls is None else tls.client
        contents = Contents(directory)
        self._state = State(
            catalogue=Catalogue(),
            contents=contents,
            container_delete_delay=container_delete_delay,
            rehydration_delay=rehydration_delay,
        )
        self._journal = Journal(directory / "state.db", KINDS) if keep else None
        if self._journal is not None:
            restore(self._state, self._journal)
        contents.remove_unreferenced()

    @property
    def state(self) -> State:
        """What it holds, for who only looks at it."""
        return self._state

    def close(self) -> None:
        """Writes what is not on disk yet."""
        if self._journal is not None:
            self._journal.close()
        self._state.contents.close()

    async def handle(self, request: Request) -> Response:
        """Answers a request to the account, whichever of its addresses it came by."""
        query = self._read_query(request)
        address = request.address
        endpoint = address.endpoint or self._endpoint
        return await self._answer(request, query, address.resource, endpoint)

    async def answer_part(self, request: Request, resource: str) -> Response:
        """Answers a request that came in another; `resource` is its path below the account."""
        return await self._answer(request, self._read_query(request), resource, self._endpoint)

    def authorize_read(self, request: Request) -> None:
        """Raises `RefusedError` unless the request may read the blob that it names."""
        query = self._read_query(request)
        target = parse_target(request.address.resource)
        grant = self._authenticate(request, query, target)
        check_grant(grant, find_operation("GET", Level.BLOB, {}, {}).demand)

    async def fetch(self, url: str, headers: Mapping[str, str]) -> Fetched:
        """Asks another server for a source; raises `FetchError`."""
        return await fetch_url(url, headers, self._tls)

    async def _answer(
        self, request: Request, query: Mapping[str, str], resource: str, endpoint: str
    ) -> Response:
        request_id = _new_id()
        try:
            response = await self._perform(request, query, resource, endpoint)
        except RefusedError as error:
            response = self._refuse(error, request, request_id)
        try:
            # Also what is only read may have been changed a moment ago.
            await self.settled()
        except StorageError:
            # Nobody will read the body, which holds a content.
            close = getattr(response.body, "aclose", None)
            if close is not None:
                await close()
            raise
        return Response(
            status=response.status,
            headers=response.headers + _common_headers(request, query, request_id, self._clock()),
            body=response.body,
        )

    async def _perform(
        self, request: Request, query: Mapping[str, str], resource: str, endpoint: str
    ) -> Response:
        operation, call = self._admit(request, query, resource, endpoint)
        assert operation.handler is not None
        return await operation.handler(call)

    def admit(self, request: Request, resource: str) -> tuple[str, Call]:
        """The operation's name that a request may do, and what with; refuses one that may not."""
        operation, call = self._admit(request, self._read_query(request), resource, self._endpoint)
        return operation.name, call

    def admit_again(self, call: Call, blob: str) -> Call | None:
        """As `admit`, for a request that differs from an admitted one in its blob alone.

        It may have no header that proves anything. None where it may do less or more.
        """
        target = Target(container=call.target.container, blob=blob)
        request = call.request
        if self._authenticate(request, call.query, target) != call.grant:
            return None
        return Call(
            request=request,
            target=target,
            query=call.query,
            grant=call.grant,
            state=call.state,
            endpoint=call.endpoint,
            clock=call.clock,
            account=call.account,
            service=call.service,
        )

    async def settled(self) -> None:
        """Returns once all changes so far are on disk; raises `StorageError`."""
        if self._journal is not None:
            await self._journal.settled()

    def commit(self) -> bool:
        """Writes all changes so far; whether they are on disk. It is tried again where not."""
        return self._journal is None or self._journal.commit()

    def _admit(
        self, request: Request, query: Mapping[str, str], resource: str, endpoint: str
    ) -> tuple[Operation, Call]:
        target = parse_target(resource)
        headers = request.headers
        version = headers.get("x-ms-version")
        if version is not None and not is_version(version):
            raise header_refused("x-ms-version", version)
        grant = self._authenticate(request, query, target)
        operation = find_operation(request.method, target.level, query, headers)
        check_grant(grant, operation.demand)
        check_tag_grant(grant, headers)
        if operation.handler is None:
            raise not_implemented(operation.name)
        _refuse_unknown(headers, query)
        _refuse_change_of_snapshot(request, query)
        call = Call(
            request=request,
            target=target,
            query=query,
            grant=grant,
            state=self._state,
            endpoint=endpoint,
            clock=self._clock,
            account=self._account,
            service=self,
        )
        return operation, call

    def _authenticate(self, request: Request, query: Mapping[str, str], target: Target) -> Grant:
        container = self._state.catalogue.container(target.container)
        return authenticate(
            request, query, target, self._account, container, self._signatures, self._clock()
        )

    def _read_query(self, request: Request) -> Mapping[str, str]:
        """The first value of each name; a signature comes with thousands of requests."""
        query = self._queries.get(request.raw_query)
        if query is None:
            query = _first_values(request)
            while len(self._queries) >= _KNOWN_QUERIES:
                del self._queries[next(iter(self._queries))]
            self._queries[request.raw_query] = query
        return query

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
    if not headers.keys().isdisjoint(_UNKNOWN_HEADERS):
        name = next(name for name in _UNKNOWN_HEADERS if name in headers)
        raise not_implemented(f"the header `{name}`")
    for name in _UNKNOWN_PARAMETERS:
        if name in query:
            raise not_implemented(f"the query parameter `{name}`")


def _refuse_change_of_snapshot(request: Request, query: Mapping[str, str]) -> None:
    """A snapshot can be read, deleted, and put into a tier."""
    snapshot = query.get("snapshot")
    if snapshot and request.method == "PUT" and query.get("comp", "").lower() != "tier":
        raise query_refused("snapshot", snapshot, "A snapshot cannot be changed.")


def _common_headers(
    request: Request, query: Mapping[str, str], request_id: str, now: datetime
) -> Headers:
    version = request.headers.get("x-ms-version") or query.get("sv") or NEWEST
    if not is_version(version):
        version = NEWEST
    client = request.headers.get("x-ms-client-request-id")
    common: Headers = (
        ("Server", _SERVER),
        ("x-ms-request-id", request_id),
        ("x-ms-version", version),
        ("Date", format_date(now)),
    )
    return (*common, ("x-ms-client-request-id", client)) if client else common


def _new_id() -> str:
    """A random UUID, without the cost of the class."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
