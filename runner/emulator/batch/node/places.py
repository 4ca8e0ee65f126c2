"""The folder of a task, made and open, below a folder of its job that is walked to but once.

It must not know what is put there, nor what runs in it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runner.emulator.batch.node.containment import (
    NodeFolder,
    directory_below,
    find_directory,
)
from runner.emulator.batch.node.directories import unlink
from runner.emulator.batch.node.launch import Launch
from runner.emulator.batch.node.owners import FOR_ALL, Owner, give_folder, open_to_users
from runner.emulator.batch.node.uploadlog import ERROR_LOG, PROGRESS_LOG
from runner.emulator.storage.record import record

_MOST_OPEN = 64


@record(frozen=True, slots=True)
class TaskFolder:
    """Descriptors of a task's directory and of `wd` in it."""

    directory: int
    working: int

    def close(self) -> None:
        """Closes both."""
        os.close(self.working)
        os.close(self.directory)


@record(frozen=True, slots=True)
class _Open:
    """A folder that is open, and which one it is."""

    descriptor: int
    device: int
    inode: int


class Parents:
    """Keeps the folders open that tasks' own are made in; may be used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[NodeFolder, _Open] = {}

    def enter(self, folder: NodeFolder, *, for_users: bool) -> int:
        """A descriptor of a folder, for the caller to close.

        It is made, with those above it, if it is missing. Links that tasks put in the way are
        replaced. Users may enter it, if it is for them. Raises `OSError`.
        """
        known = self._open.get(folder)
        if known is not None and _is_at(known, folder, for_users=for_users):
            with self._lock:
                if self._open.get(folder) is known:
                    return os.dup(known.descriptor)
        with directory_below(folder, create=True, replace_links=True) as directory:
            if for_users:
                _open_the_way(folder)
            self._keep(folder, os.dup(directory))
            return os.dup(directory)

    def close(self) -> None:
        """Closes all that is kept open."""
        with self._lock:
            for each in self._open.values():
                os.close(each.descriptor)
            self._open.clear()

    def _keep(self, folder: NodeFolder, descriptor: int) -> None:
        status = os.fstat(descriptor)
        with self._lock:
            before = self._open.pop(folder, None)
            if before is None and len(self._open) >= _MOST_OPEN:
                before = self._open.pop(next(iter(self._open)))
            if before is not None:
                os.close(before.descriptor)
            self._open[folder] = _Open(descriptor, status.st_dev, status.st_ino)


def _is_at(known: _Open, folder: NodeFolder, *, for_users: bool) -> bool:
    """Whether its path still leads to it, and users may enter it."""
    try:
        status = os.stat(folder.path_text)  # noqa: PTH116 - is light
    except OSError:
        return False
    is_it = (status.st_dev, status.st_ino) == (known.device, known.inode)
    return is_it and (not for_users or status.st_mode & FOR_ALL == FOR_ALL)


def open_task_folder(launch: Launch, parents: Parents, owner: Owner | None = None) -> TaskFolder:
    """The task's directory, made with `wd` and those above it; raises `OSError`.

    Links that tasks put in the way are replaced. Of an earlier try, the logs of uploads are
    removed. With an owner, users may enter what is above, and the task's own are the owner's.
    """
    folder = launch.folder
    if launch.common_directory in (None, launch.directory):
        above = parents.enter(folder.above, for_users=owner is not None)
    else:
        above = _enter_common(folder.above, launch, owner)
    try:
        directory, made = find_directory(folder.parts[-1], above, replace_links=True)
    finally:
        os.close(above)
    try:
        working, _ = find_directory("wd", directory, replace_links=True)
    except BaseException:
        os.close(directory)
        raise
    opened = TaskFolder(directory, working)
    try:
        if not made:
            for name in (PROGRESS_LOG, ERROR_LOG):
                unlink(name, directory)
        if owner is not None:
            give_folder(directory, owner)
            give_folder(working, owner)
    except BaseException:
        opened.close()
        raise
    return opened


def _enter_common(folder: NodeFolder, launch: Launch, owner: Owner | None) -> int:
    """As `Parents.enter`, for what is the task's own as a whole, and so not open to every user."""
    with directory_below(folder, create=True, replace_links=True) as directory:
        if owner is not None:
            _open_the_way(launch.common_folder.above)
            with directory_below(launch.common_folder) as common:
                give_folder(common, owner)
        return os.dup(directory)


@contextmanager
def make_task_folder(launch: Launch) -> Iterator[int]:
    """A descriptor of the directory of a task that is not run; raises `OSError`."""
    parents = Parents()
    try:
        opened = open_task_folder(launch, parents)
        try:
            yield opened.directory
        finally:
            opened.close()
    finally:
        parents.close()


def _open_the_way(folder: NodeFolder) -> None:
    while folder.parts:
        with directory_below(folder) as directory:
            open_to_users(directory)
        folder = folder.above
