"""Requests find the account that their path begins with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

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


def ask(path: str) -> Response:
    router = AccountRouter({"one": Named("first"), "two": Named("second")})
    request = Request(
        method="GET",
        raw_path=path,
        raw_query="",
        query=(),
        headers={},
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


@pytest.mark.parametrize(("path", "name"), [("/", ""), ("/three/x", "three"), ("/ONE", "ONE")])
def test_an_unknown_account_is_named(path: str, name: str) -> None:
    assert ask(path) == Response(
        status=404,
        headers=(("Content-Type", "text/plain; charset=utf-8"),),
        body=f"no account `{name}` here; the path begins with one of `/one`, `/two`\n".encode(),
    )
