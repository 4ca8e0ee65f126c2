"""Lists and reads files of tasks and nodes, a directory or a piece at a time.

It must not know how a task or a node is shown.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, BinaryIO
from urllib.parse import quote

from runner.emulator.batch.node.containment import (
    NodeFolder,
    OutsideError,
    parts_below,
    resolve_below,
)
from runner.emulator.batch.node.files import NodeFile, list_files, open_file
from runner.emulator.batch.operations.wire import format_moment
from runner.emulator.control.gate import ControlError
from runner.emulator.server.http import Response

MOST_FILES = 1000
PIECE_BYTES = 256 * 1024
"""What is read of a file at once, for who looks at it."""
_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")


async def list_folder(root: NodeFolder, path: str) -> dict[str, Any]:
    """What lies in a directory below the root; each with its `path` percent-encoded."""
    try:
        parts = parts_below(path)
        files = await asyncio.to_thread(_list, root, parts)
    except OutsideError:
        raise ControlError(404, f"there is no `{path}`") from None
    except OSError as error:
        raise ControlError(404, f"`{path or '.'}` cannot be read: {error.strerror}") from error
    above = "".join(f"{part}/" for part in parts)
    return {
        "path": _encode(path),
        "files": [
            {
                "name": _show_name(file.name),
                "path": _encode(above + file.name),
                "is_directory": file.is_directory,
                "bytes": file.size_bytes,
                "modified": format_moment(file.modified),
            }
            for file in files[:MOST_FILES]
        ],
        "total": len(files),
    }


async def read_piece(root: NodeFolder, path: str, query: dict[str, str]) -> Response:
    """A piece of a file: of its end, or from `start` on; never as anything but plain text.

    `X-File-Start` and `X-File-Bytes` say where it begins and how long the file is.
    """
    file, content = await asyncio.to_thread(_open, root, path)
    given = query.get("start", "")
    if given and not (given.isascii() and given.isdigit() and len(given) < 16):
        content.close()
        raise ControlError(400, f"`start`: `{given}` is not a number")
    start = int(given) if given else max(0, file - PIECE_BYTES)
    try:
        piece = await asyncio.to_thread(_read, content, start)
    finally:
        content.close()
    return Response(
        status=200,
        headers=(*_HARMLESS, ("X-File-Start", str(start)), ("X-File-Bytes", str(file))),
        body=piece,
    )


async def download(root: NodeFolder, path: str) -> Response:
    """The whole of a file, to be saved."""
    size, content = await asyncio.to_thread(_open, root, path)
    name = _PLAIN.sub("_", path.rpartition("/")[2]) or "file"
    return Response(
        status=200,
        headers=(
            *_HARMLESS,
            ("Content-Disposition", f'attachment; filename="{name}"'),
            ("Content-Length", str(size)),
        ),
        body=_stream(content, size),
    )


# Whatever a task wrote, a browser is to take it for text.
_HARMLESS = (("Content-Type", "text/plain; charset=utf-8"),)


def _list(root: NodeFolder, parts: tuple[str, ...]) -> tuple[NodeFile, ...]:
    """A link on the way is followed below the root, as where it is listed; raises `OutsideError`"""
    resolved = resolve_below(root, parts)
    if resolved is None:
        raise OutsideError("/".join(parts))
    return list_files(root.below(*resolved), recursive=False)


def _open(root: NodeFolder, path: str) -> tuple[int, BinaryIO]:
    try:
        found = open_file(root, path)
    except OSError as error:
        raise ControlError(404, f"`{path}` cannot be read: {error.strerror}") from error
    if found is None:
        raise ControlError(404, f"there is no file `{path}`")
    return found[0].size_bytes, found[1]


def _read(content: BinaryIO, start: int) -> bytes:
    content.seek(start)
    return content.read(PIECE_BYTES)


async def _stream(content: BinaryIO, size_bytes: int) -> AsyncIterator[bytes]:
    """So many bytes: a file that grows meanwhile is cut, one that was cut breaks off."""
    left = size_bytes
    try:
        while left > 0:
            piece = await asyncio.to_thread(content.read, min(left, PIECE_BYTES))
            if not piece:
                return
            left -= len(piece)
            yield piece
    finally:
        content.close()


def _encode(path: str) -> str:
    return quote(path, safe="", errors="surrogateescape")


def _show_name(name: str) -> str:
    """For people: bytes that are not UTF-8 are shown as U+FFFD."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
