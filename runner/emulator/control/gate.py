"""Answers requests to `/.emulator/…` on the port of the services, from programs of this machine.

It must not know what can be told there (each `Resource` does). No account has a name that begins
with a dot.

A web page that the user of this machine looks at can have the browser send requests to loopback
addresses. So that none can tell the emulator anything: changes need the content type of JSON, which
a browser sends to other sites only if they allow it (the answers have no CORS headers, and never
do); a request with `Origin` is refused; and the host has to be a loopback name, since a page of a
name that resolves to 127.0.0.1 may send what it wants (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from runner.emulator.server.http import ContentTooLargeError, Request, Response, Service
from runner.emulator.storage.record import record

PREFIX = "/.emulator"
LARGEST_BODY_BYTES = 1024 * 1024


@record(frozen=True, slots=True, kw_only=True)
class Told:
    """A request to a resource: its path below the resource, without slashes at its ends."""

    method: str
    path: str
    body: str


class ControlError(Exception):
    """The request cannot be done; the message is one line for people."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Resource(Protocol):
    """What stands at `/.emulator/NAME`."""

    async def answer(self, told: Told) -> object:
        """What is to be answered as JSON; raises `ControlError`."""
        ...


class ControlGate:
    """A service in front of all accounts, which it leaves alone."""

    def __init__(self, accounts: Service, resources: Mapping[str, Resource]) -> None:
        self._accounts = accounts
        self._resources = dict(resources)

    def handle(self, request: Request) -> Coroutine[Any, Any, Response]:
        """The accounts' answer, or for `/.emulator/…` that of a resource, always as JSON."""
        path = request.raw_path
        if path.startswith(PREFIX) and (path == PREFIX or path[len(PREFIX)] == "/"):
            return self._tell(request)
        return self._accounts.handle(request)

    async def _tell(self, request: Request) -> Response:
        try:
            _check(request)
            document = await self._answer(request)
        except ControlError as error:
            return _write(error.status, {"error": error.message})
        return _write(200, document)

    async def _answer(self, request: Request) -> object:
        name, _, path = request.raw_path.removeprefix(PREFIX).strip("/").partition("/")
        resource = self._resources.get(name)
        if resource is None:
            known = ", ".join(f"`{PREFIX}/{known}`" for known in self._resources)
            raise ControlError(404, f"there is no `{request.raw_path}`; there is {known}")
        try:
            content = await request.read(limit_bytes=LARGEST_BODY_BYTES)
            body = content.decode("utf-8")
        except ContentTooLargeError:
            limit = f"{LARGEST_BODY_BYTES} bytes"
            raise ControlError(413, f"the content is larger than {limit}") from None
        except UnicodeDecodeError as error:
            raise ControlError(400, f"the content is not UTF-8: byte {error.start + 1}") from None
        return await resource.answer(Told(method=request.method, path=path, body=body))


def _check(request: Request) -> None:
    host = request.headers.get("host", "")
    if not is_loopback(host):
        raise ControlError(
            403, f"the host `{host}` is not this machine's own; use 127.0.0.1 or localhost"
        )
    if "origin" in request.headers:
        raise ControlError(403, "a web page may not tell the emulator anything")
    if request.method in ("GET", "HEAD"):
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ControlError(415, "a change needs the header `Content-Type: application/json`")


def is_loopback(host: str) -> bool:
    """Whether a `Host` header names this machine by a name that nobody else can give away."""
    name = host.rpartition(":")[0] if _has_port(host) else host
    name = name.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def _has_port(host: str) -> bool:
    _, colon, port = host.rpartition(":")
    return bool(colon) and port.isdigit() and (host.count(":") == 1 or "]" in host)


def _write(status: int, document: object) -> Response:
    content = json.dumps(document, indent=2).encode("ascii") + b"\n"
    return Response(status=status, headers=(("Content-Type", "application/json"),), body=content)
