"""Writes responses as HTTP/1.1 has them: the head, and how the body is framed.

It must not know what is answered, nor how bytes reach the socket.
"""

from __future__ import annotations

import re
from enum import Enum
from http import HTTPStatus
from typing import NamedTuple

from runner.emulator.server.http import Response


class Framing(Enum):
    """How the client knows where the body ends."""

    NONE = "none"
    """There is none, whatever the headers say: the answer to HEAD, 204, 304."""
    LENGTH = "length"
    CHUNKS = "chunks"
    CLOSE = "close"
    """With the connection: HTTP/1.0 has no chunks."""


class Head(NamedTuple):
    """The head of a response as it is sent; `length_bytes` is of a body with `Framing.LENGTH`."""

    content: bytes
    framing: Framing
    length_bytes: int


LAST_CHUNK = b"0\r\n\r\n"


def write_head(response: Response, *, method: str, simple: bool, closes: bool) -> Head:
    """The head of the response to a `method`; `simple` is for clients of HTTP/1.0.

    With `closes`, the connection ends with it, as it always has to with those. Raises `ValueError`
    for what no header may hold, and for a length that is not the body's.
    """
    status, body = response.status, response.body
    has_body = method != "HEAD" and status not in _BODYLESS
    lines = [_STATUS_LINES[status]]
    length: int | None = None
    in_chunks = False
    for name, value in response.headers:
        role = _roles.get(name) or _learn(name)
        if not value.isprintable() and _CONTROL.search(value):
            raise ValueError(f"the header `{name}` cannot hold {value!r}")
        if role is not _PLAIN:
            if role is _Role.LENGTH:
                length = int(value)
            else:
                in_chunks = True
                if simple:
                    continue
        lines.append(f"{name}: {value}\r\n")
    framing = Framing.CHUNKS if in_chunks and not simple else Framing.LENGTH
    if length is None and (simple or not in_chunks):
        if isinstance(body, bytes):
            length = len(body)
            lines.append(f"Content-Length: {length}\r\n")
        elif simple:
            framing = Framing.CLOSE
        elif has_body:
            framing = Framing.CHUNKS
            lines.append("Transfer-Encoding: chunked\r\n")
    if not has_body:
        framing = Framing.NONE
    elif framing is Framing.LENGTH and isinstance(body, bytes) and length != len(body):
        raise ValueError(f"the body has {len(body)} bytes, and its head says {length}")
    if closes:
        lines.append("Connection: close\r\n")
    lines.append("\r\n")
    return Head("".join(lines).encode("latin-1"), framing, length or 0)


def frame(piece: bytes, framing: Framing) -> bytes:
    """A piece of a body, which is not empty, as it is sent."""
    if framing is Framing.CHUNKS:
        return b"%x\r\n%b\r\n" % (len(piece), piece)
    return piece


def write_whole(body: bytes, framing: Framing) -> bytes:
    """A body as it is sent, to its end."""
    if framing is Framing.CHUNKS:
        return frame(body, framing) + LAST_CHUNK if body else LAST_CHUNK
    return b"" if framing is Framing.NONE else body


class _Role(Enum):
    PLAIN = "plain"
    LENGTH = "length"
    CODING = "coding"


_PLAIN = _Role.PLAIN
_ROLES = {"content-length": _Role.LENGTH, "transfer-encoding": _Role.CODING}
# Headers by their names as the services spell them; bounded, since metadata has any name.
_roles: dict[str, _Role] = {}
_MOST_ROLES = 1000

_BODYLESS = frozenset({204, 304})
# RFC 9110, 5.1 and 5.5.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def _learn(name: str) -> _Role:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header")
    role = _ROLES.get(name.lower(), _PLAIN)
    if len(_roles) < _MOST_ROLES:
        _roles[name] = role
    return role


def _status_line(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n"


_STATUS_LINES = {status: _status_line(status) for status in range(200, 600)}
