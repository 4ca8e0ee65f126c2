"""Requests find the account that their path or their host names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.http import Request, Response
from runner.emulator.server.routing import AccountRouter


class Named:
    """A service that answers with its name and the path that it saw."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def handle(self, request: Request) -> Response:
        return Response(status=200, body=f"{self.name} {request.raw_path}".encode())


async def nothing() -> AsyncIterator[bytes]:
    for piece in tuple[bytes, ...]():
        yield piece


ONE = Account(name="one", kind=Kind.BATCH, key=b"k")
TWO = Account(name="two", kind=Kind.BLOB, key=b"k")


def ask(path: str, host: str = "127.0.0.1:80") -> Response:
    router = AccountRouter({ONE: Named("first"), TWO: Named("second")})
    request = Request(
        method="GET",
        raw_path=path,
        raw_query="",
        query=(),
        headers={"host": host},
        scheme="http",
        client_address="127.0.0.1",
        body=nothing(),
    )
    return asyncio.run(router.handle(request))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/one", b"first /one"),
        ("/one/", b"first /one/"),
        ("/two/a%2Fb//c", b"second /two/a%2Fb//c"),
    ],
)
def test_an_account_is_found(path: str, body: bytes) -> None:
    assert ask(path) == Response(status=200, body=body)


@pytest.mark.parametrize(
    ("host", "path", "body"),
    [
        ("one.eastus.batch.localhost:80", "/pools", b"first /pools"),
        ("ONE.anywhere.batch.azure.com", "/two", b"first /two"),
        ("two.blob.localhost", "/", b"second /"),
        ("two.blob.core.windows.net", "/two/two", b"second /two/two"),
    ],
)
def test_an_account_is_found_by_the_host(host: str, path: str, body: bytes) -> None:
    assert ask(path, host) == Response(status=200, body=body)


def refusal(status: int, text: str) -> Response:
    return Response(
        status=status,
        headers=(("Content-Type", "text/plain; charset=utf-8"),),
        body=text.encode(),
    )


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("two.eastus.batch.localhost", "no Batch account `two` here; there is `one`\n"),
        ("one.blob.localhost:80", "no storage account `one` here; there is `two`\n"),
        ("three.blob.localhost", "no storage account `three` here; there is `two`\n"),
    ],
)
def test_a_host_of_no_account_is_named(host: str, text: str) -> None:
    assert ask("/one", host) == refusal(404, text)


def test_what_is_no_host_is_refused() -> None:
    text = "the Host header is not a name or an address, with a port or not\n"
    assert ask("/one", 'x"><y') == refusal(400, text)


@pytest.mark.parametrize(("path", "name"), [("/", ""), ("/three/x", "three"), ("/ONE", "ONE")])
def test_an_unknown_account_is_named(path: str, name: str) -> None:
    text = f"no account `{name}` here; the path begins with one of `/one`, `/two`\n"
    assert ask(path) == refusal(404, text)
