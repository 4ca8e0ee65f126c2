"""Starting one program in a process group of its own.

It must not know in which view of the machine it is called, nor what failures are called.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

# Python ignores them, and what it starts should not.
_RESET_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ") if hasattr(signal, name)
)


def start_program(
    words: Sequence[str],
    *,
    working_directory: str | os.PathLike[str],
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
) -> int:
    """Starts a program by its words; the id of the process, which the caller has to reap.

    Raises `OSError` where it cannot start, `ValueError` for a null character or an environment
    variable whose name cannot be one.
    """
    process = subprocess.Popen(
        list(words),
        executable=_find_program(words[0], working_directory, environment),
        cwd=working_directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        # A new session is a new group too, and lets Python start the process by vfork.
        start_new_session=True,
    )
    # It is not waited for here: without a code, Python would do so when it starts another.
    process.returncode = 0
    return process.pid


def start_program_alone(
    words: Sequence[str],
    *,
    working_directory: str | os.PathLike[str],
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
    user: int | None = None,
    group: int | None = None,
) -> int:
    """As `start_program`, in half the time, for a process that has no other threads.

    `user` and `group` are the ids of those that it gets; with these, this process must be root.
    All other open files of this process must be closed on execution.
    """
    as_whom = nullcontext() if user is None or group is None else _being(user, group)
    with as_whom, _working_in(working_directory):
        program = _find_program(words[0], working_directory, environment)
        try:
            return os.posix_spawn(
                program,
                list(words),
                environment,
                file_actions=(
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, stdout, 1),
                    (os.POSIX_SPAWN_DUP2, stderr, 2),
                ),
                setsid=True,
                setsigdef=_RESET_SIGNALS,
            )
        except NotImplementedError:
            # Python was built for a C library that cannot make sessions so.
            return start_program(
                words,
                working_directory=working_directory,
                environment=environment,
                stdout=stdout,
                stderr=stderr,
            )


@contextmanager
def _working_in(directory: str | os.PathLike[str]) -> Iterator[None]:
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir("/")


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
    for directory in environment.get("PATH", os.defpath).split(os.pathsep):
        candidate = os.path.join(place, directory, program)  # noqa: PTH118 - as above
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):  # noqa: PTH113 - as above
            return candidate
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
