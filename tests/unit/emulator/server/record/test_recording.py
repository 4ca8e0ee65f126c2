"""Every request to an account becomes a line, whatever the service does with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.http import Request, Response, Service
from runner.emulator.server.record.recording import LARGEST_BODY_BYTES, RecordError, Recording
from runner.emulator.server.routing import AccountRouter

ACCOUNTS = (
    Account(name="b", kind=Kind.BATCH, key=b"k"),
    Account(name="s", kind=Kind.BLOB, key=b"k"),
)


class Refusing:
    """Refuses without reading the content."""

    async def handle(self, request: Request) -> Response:
        del request
        return Response(status=501, body=b'{"code":"NotImplemented"}')


class Reading:
    """Takes the content."""

    async def handle(self, request: Request) -> Response:
        content = await request.read(limit_bytes=1 << 30)
        return Response(status=201, body=content[:1])


class Failing:
    """Fails as no service should."""

    async def handle(self, request: Request) -> Response:
        raise ZeroDivisionError(request.method)


class RefusingBlob:
    """Refuses as Blob does."""

    async def handle(self, request: Request) -> Response:
        del request
        return Response(status=404, headers=(("x-ms-error-code", "BlobNotFound"),), body=b"<xml/>")


def clock() -> datetime:
    return datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=timezone.utc)


def a_request(path: str, *pieces: bytes) -> Request:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return Request(
        method="POST",
        raw_path=path,
        raw_query="api-version=1",
        query=(("api-version", "1"),),
        headers={"authorization": "SharedKey b:x", "content-type": "application/json"},
        scheme="http",
        client_address="127.0.0.1",
        body=body(),
    )


def record(tmp_path: Path, service: Service, request: Request) -> tuple[Response, Any]:
    """The answer through a router that records, and the line."""
    file = tmp_path / "record.jsonl"
    recording = Recording(file, accounts=ACCOUNTS, clock=clock)
    router = AccountRouter(dict.fromkeys(ACCOUNTS, service), recording=recording)
    try:
        response = asyncio.run(router.handle(request))
        # Read before the file is closed: lines are flushed one by one.
        (line,) = file.read_text().splitlines()
    finally:
        recording.close()
    return response, json.loads(line)


def test_a_refused_request_is_recorded_with_its_body(tmp_path: Path) -> None:
    request = a_request("/b/pools", b'{"id":"p",', b'"password":"x"}')
    response, line = record(tmp_path, Refusing(), request)
    assert response.status == 501
    assert line == {
        "time": "2026-01-02T03:04:05.678Z",
        "service": "batch",
        "account": "b",
        "method": "POST",
        "path": "/b/pools",
        "query": {"api-version": "1"},
        "headers": {"content-type": "application/json"},
        "body": {"id": "p", "password": "***"},
        "body_bytes": 25,
        "status": 501,
        "error": "NotImplemented",
    }


def test_the_service_reads_what_was_sent(tmp_path: Path) -> None:
    response, line = record(tmp_path, Reading(), a_request("/b/jobs", b'{"id"', b':"j"}'))
    assert response.body == b"{"
    assert (line["body"], line["status"], line["error"]) == ({"id": "j"}, 201, None)


def test_of_a_blob_only_the_length_is_kept(tmp_path: Path) -> None:
    _, line = record(tmp_path, Reading(), a_request("/s/c/b", b"abc", b"de"))
    assert "body" not in line
    assert (line["service"], line["body_bytes"]) == ("blob", 5)


def test_the_error_code_of_a_blob_request_is_in_a_header(tmp_path: Path) -> None:
    _, line = record(tmp_path, RefusingBlob(), a_request("/s/c/b"))
    assert (line["status"], line["error"]) == (404, "BlobNotFound")


@pytest.mark.parametrize(
    "content", [b'{"password": "x', b"\xff", b"[" * 100_000, b" " * (LARGEST_BODY_BYTES + 1)]
)
def test_content_that_cannot_be_read_is_left_out(tmp_path: Path, content: bytes) -> None:
    _, line = record(tmp_path, Refusing(), a_request("/b/jobs", content))
    assert (line["body"], line["body_bytes"]) == (None, len(content))


def test_a_request_at_which_the_service_fails_has_no_status(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    recording = Recording(file, accounts=ACCOUNTS, clock=clock)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(recording.handle(Failing(), "b", a_request("/b/jobs")))
    recording.close()
    line = json.loads(file.read_text())
    assert (line["status"], line["error"]) == (None, None)


def test_a_record_that_cannot_be_opened_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordError) as caught:
        Recording(tmp_path, accounts=ACCOUNTS, clock=clock)
    assert str(caught.value) == f"record {tmp_path} cannot be written: Is a directory"
