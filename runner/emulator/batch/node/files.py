"""The files of a node as the file service shows them; nothing outside its root is ever reached.

It must not know of HTTP, nor which node or task a root belongs to.
"""

from __future__ import annotations

import mimetypes
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import BinaryIO

from runner.emulator.batch.node.containment import (
    ABSENT,
    OutsideError,
    directory_below,
    open_regular_below,
    parts_below,
    resolve_below,
)
from runner.emulator.batch.node.directories import remove_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFile:
    """A file or directory; `mode` is the whole `st_mode`, as `fileMode` shows it (`0o100644`)."""

    name: str
    """Relative to the root, with `/`. Bytes that are not UTF-8 are lone surrogates, as in `os`."""
    is_directory: bool
    size_bytes: int
    modified: datetime
    mode: int
    content_type: str


def list_files(root: Path, *, recursive: bool) -> tuple[NodeFile, ...]:
    """What lies below `root`, sorted by name; nothing where there is no such directory.

    Links show as the files they lead to, below `root` alone; they are not descended into. Raises
    `OSError` where a directory cannot be read.
    """
    found = []
    pending: list[tuple[str, ...]] = [()]
    while pending:
        parts = pending.pop()
        for entry in _entries(root.joinpath(*parts)):
            here = (*parts, entry.name)
            is_link = entry.is_symlink()
            if is_link and not resolve_below(root, here):
                continue
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue  # Removed since it was listed, or a link to nothing.
            found.append(_node_file("/".join(here), status))
            if recursive and not is_link and stat.S_ISDIR(status.st_mode):
                pending.append(here)
    return tuple(sorted(found, key=lambda file: file.name))


def find_file(root: Path, name: str) -> NodeFile | None:
    """The file or directory of that name; None where there is none below `root`.

    Raises `OSError` where a directory on the way cannot be entered.
    """
    resolved = _resolve(root, name)
    if not resolved:
        return None
    try:
        with directory_below(root, resolved[:-1], create=False) as directory:
            status = os.stat(resolved[-1], dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise
    return None if stat.S_ISLNK(status.st_mode) else _node_file(name, status)


def open_file(root: Path, name: str) -> tuple[NodeFile, BinaryIO] | None:
    """A regular file and its open content, which the caller closes; None where there is none.

    What is described and what is read are the same file, whatever a task does meanwhile. Raises
    `OSError` where it may not be read.
    """
    resolved = _resolve(root, name)
    descriptor = open_regular_below(root, resolved) if resolved else None
    if descriptor is None:
        return None
    return _node_file(name, os.fstat(descriptor)), os.fdopen(descriptor, "rb")


def _resolve(root: Path, name: str) -> tuple[str, ...] | None:
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
    return mimetypes.MimeTypes()


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


def delete_file(root: Path, name: str, *, recursive: bool) -> bool:
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
        with directory_below(root, parts[:-1], create=False) as directory:
            status = os.stat(parts[-1], dir_fd=directory, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(parts[-1], dir_fd=directory)
            elif not recursive:
                os.rmdir(parts[-1], dir_fd=directory)
            else:
                remove_tree(root.joinpath(*parts))
    except OSError as error:
        if error.errno in ABSENT:
            return False
        raise
    return True
