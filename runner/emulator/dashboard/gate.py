"""Lets those in who have the token, from this machine and from no other page; serves the page.

A page that the user of this machine looks at may send requests here. So the host has to be a
loopback name (DNS rebinding), no other origin may ask, and all data needs the token in a header,
which no other site's page can make a browser send: there are no CORS headers, and no cookies. The
port is not that of the accounts, since these serve what clients have put there, which could read
all that their own origin may. It must not know what there is to be seen.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

from runner.emulator.control.gate import PREFIX, ControlError, is_loopback
from runner.emulator.server.http import Request, Response

_FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFETY = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_PAGE_PATHS = ("/", f"{PREFIX}/dashboard", f"{PREFIX}/dashboard/")
_ADVICE = "open the address that the emulator printed when it started"


class Data(Protocol):
    """What answers requests below `/.emulator/`."""

    async def answer(self, request: Request) -> Response:
        """Raises `ControlError` for what there is not."""
        ...


class DashboardGate:
    """The service of the page's port."""

    def __init__(self, token: str, open_data: Callable[[], Data]) -> None:
        """`open_data` is called for the first request that needs it."""
        self._token = token.encode("ascii")
        self._open_data = open_data
        self._data: Data | None = None

    def handle(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Answers every request: refusals as JSON with an `error`."""
        return self._handle(request)

    async def _handle(self, request: Request) -> Response:
        try:
            _check_origin(request)
            if request.raw_path in _PAGE_PATHS:
                response = _serve_file(request, "page.html")
            elif request.raw_path.startswith(f"{PREFIX}/"):
                response = await self._answer(request)
            else:
                response = _serve_file(request, request.raw_path[1:])
        except ControlError as error:
            response = write_json(error.status, {"error": error.message})
        body = response.body
        if request.method == "HEAD":
            # Nobody will read it, and it may hold a blob's content.
            close = getattr(body, "aclose", None)
            if close is not None:
                await close()
            body = b""
        return Response(status=response.status, headers=(*_SAFETY, *response.headers), body=body)

    async def _answer(self, request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        known = hmac.compare_digest(given.strip().encode("utf-8"), self._token)
        if scheme.lower() != "bearer" or not known:
            raise ControlError(401, f"the token is missing or wrong; {_ADVICE}")
        if request.method not in ("GET", "HEAD"):
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise ControlError(
                    415, "a change needs the header `Content-Type: application/json`"
                )
        if self._data is None:
            self._data = self._open_data()
        return await self._data.answer(request)


def write_json(status: int, document: object, *headers: tuple[str, str]) -> Response:
    """An answer in JSON."""
    content = json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"
    return Response(
        status=status, headers=(("Content-Type", "application/json"), *headers), body=content
    )


def _check_origin(request: Request) -> None:
    host = request.headers.get("host", "")
    if not is_loopback(host):
        raise ControlError(
            403, f"the host `{host}` is not this machine's own; use 127.0.0.1 or localhost"
        )
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() != f"{request.scheme}://{host}".lower():
        raise ControlError(403, "a web page of another origin may not ask for anything")
    # A link to the page may be followed from anywhere; whatever a script asks for is its own.
    if request.raw_path not in _PAGE_PATHS:
        site = request.headers.get("sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            raise ControlError(403, "a web page of another origin may not ask for anything")


def _serve_file(request: Request, name: str) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise ControlError(405, f"`{request.method}` is none of GET and HEAD")
    # From a list of names, not by a path: nothing else can be reached.
    path = {each.name: each for each in _FOLDER.iterdir()}.get(name)
    kind = None if path is None else _TYPES.get(path.suffix)
    if path is None or kind is None:
        raise ControlError(404, f"there is no `{request.raw_path}`; the page is at `/`")
    return Response(status=200, headers=(("Content-Type", kind),), body=path.read_bytes())
