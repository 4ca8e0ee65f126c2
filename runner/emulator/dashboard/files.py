"""Lists and reads files of tasks and nodes, a directory or a piece at a time.

It must not know how a task or a node is shown.
"""

from __future__ import annotations

import asyncio
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
from runner.emulator.dashboard.contents import (
    PIECE_BYTES,
    answer_attachment,
    answer_piece,
    find_start,
)
from runner.emulator.server.http import Response

MOST_FILES = 1000


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
    """A piece of a file: of its end, or from `start` on."""
    size, content = await asyncio.to_thread(_open, root, path)
    try:
        start = find_start(query, size)
        piece = await asyncio.to_thread(_read, content, start)
    finally:
        content.close()
    return answer_piece(piece, start, size)


async def download(root: NodeFolder, path: str) -> Response:
    """The whole of a file, to be saved."""
    size, content = await asyncio.to_thread(_open, root, path)
    return answer_attachment(path, size, _stream(content, size))


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
