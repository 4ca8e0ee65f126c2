"""Whom a node runs its tasks as: the pool's user, a user for each task, users that a pool names.

It must not know how a process becomes a user, nor what the users may do.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.emulator.batch.node.containment import NodeFolder, directory_below, status_below
from runner.emulator.batch.node.owners import FOR_ALL, FOR_ONE, Owner, give_folder
from runner.emulator.storage.record import record

# Of the numbers that systemd's documentation calls unused (60578 to 61183), so that no user of
# the machine is meant; they exist in user namespaces of the usual 65536 too.
GROUP_NUMBER = 60600
_GROUP_NAME = "_azbatchgrp"
_POOL_NUMBER = 60600
_FIRST_NAMED = 60601
_FIRST_OF_TASKS = 60800
_LAST_OF_TASKS = 61183


@record(frozen=True, slots=True, kw_only=True)
class User:
    """A user of a node by its name and numbers; `identity` is what its tasks are told of it."""

    name: str
    number: int
    group: int = GROUP_NUMBER
    identity: str = ""

    @property
    def group_name(self) -> str:
        """The name of its group, which all share that have not been given another."""
        return _GROUP_NAME if self.group == GROUP_NUMBER else self.name

    @property
    def variables(self) -> dict[str, str]:
        """What tasks of the user are told, as public logs of Linux nodes show it."""
        given = {"USER": self.name, "LOGNAME": self.name, "AZ_BATCH_TASK_USER": self.name}
        return {**given, "AZ_BATCH_TASK_USER_IDENTITY": self.identity} if self.identity else given


POOL_USER = User(name="_azbatch", number=_POOL_NUMBER, identity="PoolNonAdmin")
"""Runs all tasks that do not say otherwise. Names as public logs of Linux nodes show them."""


ROOT = Owner(user=0, group=GROUP_NUMBER, folder_mode=FOR_ALL)


def named_user(name: str, index: int, number: int | None, group: int | None) -> User:
    """The user of a pool's `userAccounts` at an index; numbers that it does not have are ours."""
    return User(
        name=name,
        number=_FIRST_NAMED + index if number is None else number,
        group=GROUP_NUMBER if group is None else group,
    )


def own_files(user: User) -> Owner:
    """How the files of a user's tasks are owned that others may read."""
    return Owner(user=user.number, group=user.group, folder_mode=FOR_ALL)


class TaskUsers:
    """Lends users to tasks that want one of their own; no two that run on a node share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lent: set[tuple[Path, int]] = set()
        # Not the first: folders may be left of tasks that an earlier emulator ran.
        self._next = secrets.randbelow(_LAST_OF_TASKS - _FIRST_OF_TASKS + 1)

    @contextmanager
    def lend(self, folder: NodeFolder) -> Iterator[tuple[User, Owner]]:
        """A user for the task whose folder that is: when it is tried again, the same.

        Afterwards only root may enter the folder, so that the user's next task may not.
        """
        node = folder.node
        number = self._take(node, _last_user(folder))
        user = User(
            name=f"_azbatchtask_{number - _FIRST_OF_TASKS + 1}",
            number=number,
            identity="TaskNonAdmin",
        )
        try:
            yield user, Owner(user=number, group=GROUP_NUMBER, folder_mode=FOR_ONE)
        finally:
            # It may have been removed already, or never been made.
            with suppress(OSError), directory_below(folder) as directory:
                give_folder(directory, Owner(user=0, group=number, folder_mode=FOR_ONE))
            with self._lock:
                self._lent.discard((node, number))

    def _take(self, node: Path, wanted: int | None) -> int:
        size = _LAST_OF_TASKS - _FIRST_OF_TASKS + 1
        with self._lock:
            if wanted is None or (node, wanted) in self._lent:
                candidates = (_FIRST_OF_TASKS + (self._next + i) % size for i in range(size))
                # A node has 256 slots at most.
                wanted = next(each for each in candidates if (node, each) not in self._lent)
                self._next = (wanted - _FIRST_OF_TASKS + 1) % size
            self._lent.add((node, wanted))
        return wanted


def _last_user(folder: NodeFolder) -> int | None:
    """Whose task it was that ran in a folder last; `lend` leaves that as the folder's group."""
    try:
        status = status_below(folder.above, folder.parts[-1:])
    except OSError:
        return None
    if status is None:
        return None
    return status.st_gid if _FIRST_OF_TASKS <= status.st_gid <= _LAST_OF_TASKS else None
