"""Starting one program in a process group of its own.

It must not know in which view of the machine it is called, nor what failures are called.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext


def start_program(
    words: Sequence[str],
    *,
    working_directory: str | os.PathLike[str],
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
    user: int | None = None,
    group: int | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a program by its words; `user` and `group` are the ids of those that it gets.

    With a user, this process must be root and have no other threads. Raises `OSError` where it
    cannot start, `ValueError` for a null character or an environment variable whose name cannot be
    one.
    """
    as_whom = nullcontext() if user is None or group is None else _being(user, group)
    with as_whom:
        # A new session is a new group too, and lets Python start the process by vfork.
        return subprocess.Popen(
            list(words),
            executable=_find_program(words[0], working_directory, environment),
            cwd=working_directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )


@contextmanager
def _being(user: int, group: int) -> Iterator[None]:
    """Makes this process a user's, with a way back that is closed to what it executes.

    Told to change the user itself, Python would not start processes by vfork. Meanwhile nobody can
    trace this process: the kernel sees to that wherever users change.
    """
    groups = os.getgroups()
    os.setgroups([])
    os.setresgid(group, group, 0)
    os.setresuid(user, user, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)


def _find_program(
    program: str, working_directory: str | os.PathLike[str], environment: Mapping[str, str]
) -> str:
    """The file to execute, by the task's `PATH`; raises `FileNotFoundError`.

    Left to `Popen`, a directory of the path that may not be entered would hide other errors.
    """
    if "/" in program:
        return program
    place = os.path.abspath(working_directory)  # noqa: PTH100 - resolves no links, and is light
    for directory in os.get_exec_path(dict(environment)):
        candidate = os.path.join(place, directory, program)  # noqa: PTH118 - as above
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):  # noqa: PTH113 - as above
            return candidate
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
