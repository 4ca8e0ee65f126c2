"""Answers with contents of files and blobs: pieces to be read, and attachments to be saved.

Whatever is in them, a browser is to take it for text. It must not know where they are kept.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from runner.emulator.control.gate import ControlError
from runner.emulator.server.http import Response

PIECE_BYTES = 256 * 1024
"""What is read of a content at once, for who looks at it."""
_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_HARMLESS = (("Content-Type", "text/plain; charset=utf-8"),)


def find_start(query: dict[str, str], size_bytes: int) -> int:
    """Where a piece is to begin: at `start`, or so that it has the end; raises `ControlError`."""
    given = query.get("start", "")
    if given and not (given.isascii() and given.isdigit() and len(given) < 16):
        raise ControlError(400, f"`start`: `{given}` is not a number")
    return int(given) if given else max(0, size_bytes - PIECE_BYTES)


def answer_piece(piece: bytes, start: int, size_bytes: int) -> Response:
    """`X-File-Start` and `X-File-Bytes` say where it begins and how long the whole is."""
    return Response(
        status=200,
        headers=(*_HARMLESS, ("X-File-Start", str(start)), ("X-File-Bytes", str(size_bytes))),
        body=piece,
    )


def answer_attachment(path: str, size_bytes: int, body: AsyncIterator[bytes]) -> Response:
    """The whole of a content, to be saved under the last part of its path."""
    name = _PLAIN.sub("_", path.rpartition("/")[2]) or "file"
    return Response(
        status=200,
        headers=(
            *_HARMLESS,
            ("Content-Disposition", f'attachment; filename="{name}"'),
            ("Content-Length", str(size_bytes)),
        ),
        body=body,
    )
