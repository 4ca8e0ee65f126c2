"""The files of a node as the file service shows them; nothing outside its root is ever reached.

It must not know of HTTP, nor which node or task a root belongs to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

from runner.emulator.batch.node.containment import (
    ABSENT,
    NodeFolder,
    OutsideError,
    directory_below,
    open_regular_below,
    parts_below,
    resolve_below,
    status_below,
)
from runner.emulator.batch.node.directories import remove_entry
from runner.emulator.storage.record import record

if TYPE_CHECKING:
    import mimetypes


@record(frozen=True, slots=True, kw_only=True)
class NodeFile:
    """A file or directory; `mode` is the whole `st_mode`, as `fileMode` shows it (`0o100644`)."""

    name: str
    """Relative to the root, with `/`. Bytes that are not UTF-8 are lone surrogates, as in `os`."""
    is_directory: bool
    size_bytes: int
    modified: datetime
    mode: int
    content_type: str


def list_files(root: NodeFolder, *, recursive: bool) -> tuple[NodeFile, ...]:
    """What lies below `root`, sorted by name; nothing where there is no such directory.

    Links show as the files they lead to, below `root` alone; they are not descended into. Raises
    `OSError` where a directory cannot be read.
    """
    found = []
    pending: list[tuple[str, ...]] = [()]
    while pending:
        parts = pending.pop()
        for name, status in _entries(root, parts):
            here = (*parts, name)
            if not stat.S_ISLNK(status.st_mode):
                found.append(_node_file("/".join(here), status))
                if recursive and stat.S_ISDIR(status.st_mode):
                    pending.append(here)
            elif (target := _status_at(root, resolve_below(root, here))) is not None:
                found.append(_node_file("/".join(here), target))
    return tuple(sorted(found, key=lambda file: file.name))


def find_file(root: NodeFolder, name: str) -> NodeFile | None:
    """The file or directory of that name; None where there is none below `root`.

    Raises `OSError` where a directory on the way cannot be entered.
    """
    status = _status_at(root, _resolve(root, name))
    return None if status is None else _node_file(name, status)


def open_file(root: NodeFolder, name: str) -> tuple[NodeFile, BinaryIO] | None:
    """A regular file and its open content, which the caller closes; None where there is none.

    What is described and what is read are the same file, whatever a task does meanwhile. Raises
    `OSError` where it may not be read.
    """
    resolved = _resolve(root, name)
    descriptor = open_regular_below(root, resolved) if resolved else None
    if descriptor is None:
        return None
    return _node_file(name, os.fstat(descriptor)), os.fdopen(descriptor, "rb")


def _resolve(root: NodeFolder, name: str) -> tuple[str, ...] | None:
    try:
        return resolve_below(root, parts_below(name))
    except OutsideError:
        return None


def _node_file(name: str, status: os.stat_result) -> NodeFile:
    is_directory = stat.S_ISDIR(status.st_mode)
    return NodeFile(
        name=name,
        is_directory=is_directory,
        size_bytes=0 if is_directory else status.st_size,
        modified=datetime.fromtimestamp(status.st_mtime, tz=timezone.utc),
        mode=status.st_mode,
        content_type=_content_type(name),
    )


def _content_type(name: str) -> str:
    # The slash keeps a name like `data:x` from being read as a URL.
    content_type, encoding = _known_types().guess_type("/" + name)
    return content_type if content_type and not encoding else "application/octet-stream"


@cache
def _known_types() -> mimetypes.MimeTypes:
    """The types that Python knows, whatever the machine's own tables say."""
    # Imported here: it takes a while, and few ask for files of nodes.
    import mimetypes

    return mimetypes.MimeTypes()


def _status_at(root: NodeFolder, resolved: tuple[str, ...] | None) -> os.stat_result | None:
    """Of what is there once links are followed, unless that is what they lead to by now."""
    status = status_below(root, resolved) if resolved else None
    return None if status is None or stat.S_ISLNK(status.st_mode) else status


def _entries(root: NodeFolder, parts: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
    """Names and what they are, links not followed."""
    try:
        with directory_below(root, parts) as directory, os.scandir(directory) as entries:
            for entry in entries:
                # It may have been removed since it was listed.
                with suppress(FileNotFoundError):
                    yield entry.name, entry.stat(follow_symlinks=False)
    except OSError as error:
        if error.errno not in ABSENT:
            raise


def delete_file(root: NodeFolder, name: str, *, recursive: bool) -> bool:
    """Removes a file, a link, or a directory with all in it if `recursive`; False if not there.

    Raises `OSError` where it cannot be removed, as with a directory that is not empty.
    """
    try:
        parts = parts_below(name)
    except OutsideError:
        return False
    if not parts:
        return False
    try:
        with directory_below(root, parts[:-1]) as directory:
            status = os.stat(parts[-1], dir_fd=directory, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(parts[-1], dir_fd=directory)
            elif not recursive:
                os.rmdir(parts[-1], dir_fd=directory)
            else:
                remove_entry(parts[-1], directory)
    except OSError as error:
        if error.errno in ABSENT:
            return False
        raise
    return True
