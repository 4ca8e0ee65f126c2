"""Whose the files of tasks are on a node that has users.

It must not know which users there are, nor where the files lie.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

FOR_ALL = 0o755
FOR_ONE = 0o700


class Owner(NamedTuple):
    """Who has the files of a task, and who else may look into its folders."""

    user: int
    group: int
    folder_mode: int


def give_folder(descriptor: int, owner: Owner) -> None:
    """Gives an open directory, and not what is in it, to an owner; raises `OSError`."""
    os.fchown(descriptor, owner.user, owner.group)
    os.fchmod(descriptor, owner.folder_mode)


def open_to_users(descriptor: int) -> None:
    """Lets every user enter and list an open directory; raises `OSError`."""
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if mode & FOR_ALL != FOR_ALL:
        os.fchmod(descriptor, mode | FOR_ALL)
