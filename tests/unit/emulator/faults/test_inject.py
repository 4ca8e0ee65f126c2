"""Requests that are struck, with a service of the test's own behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from runner.emulator.faults.choose import Faults
from runner.emulator.faults.inject import FaultyService
from runner.emulator.faults.parse import parse_option
from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.breaking import BrokenOffError, NoAnswerError
from runner.emulator.server.http import Request, Response

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
BATCH = Account(name="batch", kind=Kind.BATCH, key=b"k")
BLOB = Account(name="blob", kind=Kind.BLOB, key=b"k")


async def nothing() -> AsyncIterator[bytes]:
    yield b""


def request(method: str, path: str, **headers: str) -> Request:
    return Request(
        method=method,
        raw_path=path,
        raw_query="",
        query=(),
        headers={"host": "127.0.0.1:1", **headers},
        scheme="http",
        client_address="127.0.0.1",
        body=nothing(),
    )


LIST_JOBS = request("GET", "/batch/jobs")
GET_BLOB = request("GET", "/blob/container/name")


class Struck:
    """A service that answers everything alike, behind the rules."""

    def __init__(self, account: Account, *rules: str, body: Any = b"0123456789") -> None:
        self.asked: list[str] = []
        self.slept: list[float] = []
        self._body = body
        faults = Faults([parse_option(rule) for rule in rules], seed=1)
        self.front = FaultyService(
            self, account=account, faults=faults, clock=lambda: NOW, sleep=self.sleep
        )

    async def handle(self, request: Request) -> Response:
        self.asked.append(request.raw_path)
        return Response(status=200, body=self._body)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def run(coroutine: Coroutine[Any, Any, Response]) -> Response:
    return asyncio.run(coroutine)


def test_without_rules_about_requests_nothing_is_done() -> None:
    struck = Struck(BATCH, "preempt", "clock=+1h")
    response = run(struck.front.handle(LIST_JOBS))
    assert response == Response(status=200, body=b"0123456789")


def test_an_answer_may_be_late() -> None:
    struck = Struck(BATCH, "latency=40ms", "latency=1s..3s operation=list_jobs")
    response = run(struck.front.handle(LIST_JOBS))
    assert struck.slept[0] == 0.04
    assert 1 < struck.slept[1] < 3
    assert (response.body, response.faults) == (b"0123456789", ("1:latency", "2:latency"))


def test_an_error_of_batch() -> None:
    struck = Struck(BATCH, "503 operation=list_jobs")
    response = run(struck.front.handle(LIST_JOBS))
    headers = dict(response.headers)
    assert isinstance(response.body, bytes)
    body = json.loads(response.body)
    request_id = headers["request-id"]
    assert (response.status, headers["Retry-After"], struck.asked) == (503, "1", [])
    assert body == {
        "odata.metadata": "http://127.0.0.1:1/batch/$metadata"
        "#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element",
        "code": "ServerBusy",
        "message": {
            "lang": "en-US",
            "value": "The server is currently unable to receive requests. Please retry your"
            f" request.\nRequestId:{request_id}\nTime:2026-01-02T03:04:05.0000000Z",
        },
    }


def test_an_error_of_blob_storage() -> None:
    struck = Struck(BLOB, "500=after operation=get_blob code=OperationTimedOut")
    response = run(struck.front.handle(GET_BLOB))
    headers = dict(response.headers)
    assert isinstance(response.body, bytes)
    assert (response.status, headers["x-ms-error-code"]) == (500, "OperationTimedOut")
    assert struck.asked == ["/blob/container/name"]
    assert response.body.decode() == (
        '<?xml version="1.0" encoding="utf-8"?><Error><Code>OperationTimedOut</Code>'
        "<Message>Operation could not be completed within the specified time."
        f"\nRequestId:{headers['x-ms-request-id']}\nTime:2026-01-02T03:04:05.0000000Z"
        "</Message></Error>"
    )
    assert run(struck.front.handle(request("HEAD", "/blob/container/name"))).body == b"0123456789"


@pytest.mark.parametrize(
    ("rule", "asked", "silence"),
    [
        ("reset", 0, timedelta()),
        ("reset=after", 1, timedelta()),
        ("timeout", 0, None),
        ("timeout=after for=2s", 1, timedelta(seconds=2)),
    ],
)
def test_there_may_be_no_answer(rule: str, asked: int, silence: timedelta | None) -> None:
    struck = Struck(BATCH, rule)
    with pytest.raises(NoAnswerError) as caught:
        run(struck.front.handle(LIST_JOBS))
    name = rule.split()[0]
    assert len(struck.asked) == asked
    assert caught.value.silence == silence
    assert caught.value.faults == (f"1:{name if '=' in name else f'{name}=before'}",)


async def two_pieces() -> AsyncIterator[bytes]:
    yield b"01234567"
    yield b"89"


@pytest.mark.parametrize("body", [b"0123456789", two_pieces()])
def test_a_body_may_break_off(body: Any) -> None:
    struck = Struck(BATCH, "reset=body", body=body)

    async def ask() -> tuple[Response, bytes]:
        response = await struck.front.handle(LIST_JOBS)
        assert not isinstance(response.body, bytes)
        got = b""
        with pytest.raises(BrokenOffError):
            async for piece in response.body:
                got += piece
        return response, got

    response, got = asyncio.run(ask())
    assert response.faults == ("1:reset=body",)
    if isinstance(body, bytes):
        assert (dict(response.headers), got) == ({"Content-Length": "10"}, b"01234")
    else:
        assert got == b"0"


def test_what_has_no_body_breaks_off_before_it() -> None:
    struck = Struck(BATCH, "reset=body", body=b"")
    with pytest.raises(NoAnswerError):
        run(struck.front.handle(LIST_JOBS))
    assert struck.asked == ["/batch/jobs"]
