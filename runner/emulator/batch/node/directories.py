"""The directories of nodes and tasks: made, and removed whatever tasks left in them.

It must not know what runs in them.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runner.emulator.batch.node.containment import (
    ABSENT,
    NodeFolder,
    directory_below,
    make_directory,
)
from runner.emulator.batch.node.owners import open_to_users

if TYPE_CHECKING:
    # The processes that make nodes are to start quickly.
    from runner.emulator.batch.node.launch import NodeDirectories

_REMOVAL_ROUNDS = 5
_MOVING = frozenset(
    {
        *(errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT),
        *(errno.ENOTDIR, errno.ELOOP, errno.EISDIR),
    }
)
"""Error numbers which say that somebody else changes what is being removed."""


def make_node_directories(directories: NodeDirectories, *, has_users: bool = False) -> None:
    """Makes the documented folders of a node (Batch docs, files-and-directories).

    Raises `OSError`; folders that exist stay as they are. On a node that has users, each may enter
    them, and write to what is shared. Where a task put a link, that stays for its own use.
    """
    directories.root.mkdir(parents=True, exist_ok=True)
    with directory_below(NodeFolder(directories.root)) as root:
        if has_users:
            open_to_users(root)
        for name in ("shared", "startup", "fsmounts", "workitems", "applications", "volatile"):
            with suppress(NotADirectoryError):
                folder = make_directory(name, root)
                try:
                    _set_up(folder, name, has_users=has_users)
                finally:
                    os.close(folder)


def _set_up(folder: int, name: str, *, has_users: bool) -> None:
    if name == "volatile":
        startup = make_directory("startup", folder, replace_links=True)
        try:
            if has_users:
                open_to_users(startup)
        finally:
            os.close(startup)
    if has_users:
        open_to_users(folder)
        if name in {"shared", "fsmounts"}:
            os.fchmod(folder, 0o777)


def create_file(name: str, directory: int) -> int:
    """A descriptor, for appending, of a new file of an open directory, in the place of what was
    there.

    A link that a task left there is replaced, not followed. Raises `OSError`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, 0o644, dir_fd=directory)
    except FileExistsError:
        unlink(name, directory)
        return os.open(name, flags, 0o644, dir_fd=directory)


def append_file(name: str, directory: int) -> int:
    """A descriptor, for appending, of a file that is there, or else of a new one.

    What a task left there in its place, such as a link or a pipe, is replaced. Raises `OSError`.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=directory)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP}:
            raise
        return create_file(name, directory)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.set_blocking(descriptor, True)
        return descriptor
    os.close(descriptor)
    return create_file(name, directory)


def put_file(name: str, directory: int, content: bytes, mode: int) -> None:
    """Puts a file into an open directory, whole or not at all; raises `OSError`."""
    temporary = f".{os.urandom(8).hex()}.part"
    descriptor = create_file(temporary, directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        unlink(temporary, directory)
        raise


def unlink(name: str, directory: int) -> None:
    """Removes a file or link of an open directory, if there is one; raises `OSError`."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)


def remove_folder(folder: NodeFolder) -> None:
    """Removes a directory of a node as `remove_tree` does, or whatever a task put in its place.

    Where a link is on the way to it, it is not there, and what the link leads to stays. Raises
    `OSError` as `remove_tree` does.
    """
    if not folder.parts:
        remove_tree(folder.node)
        return
    with ExitStack() as stack:
        try:
            parent = stack.enter_context(directory_below(folder.above))
        except OSError as error:
            if error.errno in ABSENT:
                return
            raise
        remove_entry(folder.parts[-1], parent)


def remove_tree(root: Path) -> None:
    """Removes a directory and all below it; nothing happens where there is none.

    Directories without permissions are opened up first. Links are removed, never followed, also
    where they take the place of directories meanwhile; those that lead to `root` are trusted.
    Subdirectories are moved up to `root` before they are emptied, so that neither depth nor long
    paths matter. Raises `OSError` where something cannot be removed: files of another user, a
    mounted file system, a process that goes on making files.
    """
    if not os.path.lexists(root):
        return
    with directory_below(NodeFolder(root.parent)) as parent:
        if not _is_directory(root.name, parent):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))
        remove_entry(root.name, parent)


def remove_entry(name: str, parent: int) -> None:
    """Removes a file, a link or a directory with all below it; raises as `remove_tree` does."""
    for _ in range(_REMOVAL_ROUNDS):
        try:
            if _is_directory(name, parent):
                _remove_directory(name, parent)
            else:
                os.unlink(name, dir_fd=parent)
        except OSError as error:
            if error.errno not in _MOVING:
                raise
        if not _exists(name, parent):
            return
    raise OSError(errno.ENOTEMPTY, "something still makes files there", name)


def _remove_directory(name: str, parent: int) -> None:
    root = _open_up(name, parent)
    try:
        pending = _empty(root, root)
        while pending:
            moved = pending.pop()
            directory = _open_up(moved, root)
            try:
                pending += _empty(directory, root)
            finally:
                os.close(directory)
            os.rmdir(moved, dir_fd=root)
    finally:
        os.close(root)
    os.rmdir(name, dir_fd=parent)


def _empty(directory: int, root: int) -> list[str]:
    """Removes the files of a directory; its subdirectories, moved to `root`.

    A file system that is mounted there cannot be moved: so nothing of it is ever removed.
    """
    moved = []
    with os.scandir(directory) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_directory in found:
        if not is_directory:
            unlink(name, directory)
            continue
        place = f"removed-{os.urandom(8).hex()}"
        try:
            os.rename(name, place, src_dir_fd=directory, dst_dir_fd=root)
        except PermissionError:
            # Without rights to it, it cannot be moved.
            os.close(_open_up(name, directory))
            os.rename(name, place, src_dir_fd=directory, dst_dir_fd=root)
        moved.append(place)
    return moved


def _open_up(name: str, parent: int) -> int:
    """A descriptor of a directory that we have all rights to then."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=parent)
    except PermissionError:
        mode = stat.S_IMODE(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
        _change_mode(name, parent, mode | stat.S_IRWXU)
        return os.open(name, flags, dir_fd=parent)
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        try:
            os.fchmod(descriptor, mode | stat.S_IRWXU)
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor


if sys.platform == "linux":

    def _change_mode(name: str, parent: int, mode: int) -> None:
        """Changes the mode of a directory that may not be opened; never through a link."""
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=parent)
        try:
            Path(f"/proc/self/fd/{descriptor}").chmod(mode)
        finally:
            os.close(descriptor)

else:

    def _change_mode(name: str, parent: int, mode: int) -> None:
        """Changes the mode of a directory that may not be opened; never through a link."""
        os.chmod(name, mode, dir_fd=parent, follow_symlinks=False)


def _is_directory(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _exists(name: str, parent: int) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
