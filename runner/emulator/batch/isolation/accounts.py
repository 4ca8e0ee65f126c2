"""The users of a node in the files where programs of the node look for them.

It must not know what is run as them.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_ETC = Path("/etc")
_HOMES = Path("/home")
_SHELL = "/bin/bash"


class Accounts:
    """Users that the files of this process's root have lines for, and that have homes.

    `etc` and `homes` are where these are, for those who try it.
    """

    def __init__(self, *, etc: Path = _ETC, homes: Path = _HOMES) -> None:
        self._etc = etc
        self._homes = homes
        self._known: set[str] = set()

    def introduce(self, name: str, number: int, group: int, group_name: str) -> None:
        """Sees to it that a user and its group are known by name, once; raises `OSError`.

        What a task has made of its node counts: a user or a group that is there stays as it is.
        """
        if name in self._known:
            return
        home = self._homes / name
        _add_line(self._etc / "group", f"{group_name}:x:{group}:")
        _add_line(self._etc / "passwd", f"{name}:x:{number}:{group}::{home}:{_SHELL}")
        if self._homes.is_dir() and not os.path.lexists(home):
            home.mkdir(mode=0o700)
            os.chown(home, number, group)
        self._known.add(name)


def _add_line(path: Path, line: str) -> None:
    """Adds a line for a name that has none; nothing where there is no such file.

    Programs do without where a task has removed it. Nor can all be changed: an engine of containers
    may have put one there, which is read-only in the node as all that is mounted file by file.
    """
    name = line.partition(":")[0].encode() + b":"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    if content.startswith(name) or b"\n" + name in content:
        return
    missing = b"" if not content or content.endswith(b"\n") else b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return
    with os.fdopen(descriptor, "ab") as file:
        file.write(missing + line.encode() + b"\n")
