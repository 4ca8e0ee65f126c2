"""The directories of nodes and tasks: made, and removed whatever tasks left in them.

It must not know what runs in them.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from runner.emulator.batch.node.launch import NodeDirectories
from runner.emulator.batch.node.users import open_to_users

_REMOVAL_ROUNDS = 5


def make_node_directories(directories: NodeDirectories, *, has_users: bool = False) -> None:
    """Makes the documented folders of a node (Batch docs, files-and-directories).

    Raises `OSError`; folders that exist stay as they are. On a node that has users, each may enter
    them, and write to what is shared.
    """
    for path in (
        directories.root,
        directories.shared,
        directories.startup,
        directories.mounts,
        directories.workitems,
        directories.root / "applications",
        directories.root / "volatile" / "startup",
    ):
        path.mkdir(parents=True, exist_ok=True)
        if has_users:
            open_to_users(path)
    if has_users:
        for path in (directories.shared, directories.mounts):
            path.chmod(0o777)


def create_file(path: Path) -> int:
    """A descriptor, for appending, of a new file in the place of what was there.

    A link that a task left there is replaced, not followed. Raises `OSError`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileExistsError:
        path.unlink(missing_ok=True)
        return os.open(path, flags, 0o644)


def append_file(path: Path) -> int:
    """A descriptor, for appending, of a file that is there, or else of a new one.

    A link that a task left there is replaced, not followed. Raises `OSError`.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ELOOP}:
            raise
        return create_file(path)


def remove_tree(root: Path) -> None:
    """Removes a directory and all below it; nothing happens where there is none.

    Directories without permissions are opened up first. Links are removed, never followed.
    Subdirectories are moved up to `root` before they are emptied, so that neither depth nor long
    paths matter. Raises `OSError` where something cannot be removed: files of another user, a
    mounted file system, a process that goes on making files.
    """
    if not root.is_dir() or root.is_symlink():
        if os.path.lexists(root):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))
        return
    for _ in range(_REMOVAL_ROUNDS):
        pending = [root]
        emptied: list[Path] = []
        while pending:
            directory = pending.pop()
            pending += _empty(directory, root)
            emptied.append(directory)
        try:
            for directory in reversed(emptied):
                directory.rmdir()
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
        else:
            return
    raise OSError(errno.ENOTEMPTY, "something still makes files there", str(root))


def _empty(directory: Path, root: Path) -> list[Path]:
    """Removes the files of a directory; its subdirectories, moved to `root`."""
    _open_up(directory)
    moved = []
    with os.scandir(directory) as entries:
        for entry in list(entries):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)
                continue
            below = Path(entry.path)
            _open_up(below)
            place = root / f"removed-{secrets.token_hex(8)}"
            below.rename(place)
            moved.append(place)
    return moved


def _open_up(directory: Path) -> None:
    mode = stat.S_IMODE(directory.lstat().st_mode)
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        directory.chmod(mode | stat.S_IRWXU)
