"""Starting, ending and reaping the process group of one command line.

It must not know of resource files, outputs or the service's failures beyond its own.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from runner.emulator.batch.node.failures import StepFailedError, launch_failed
from runner.emulator.batch.node.interruption import Interruption

SUDO = ("sudo", "-n", "-E", "--")
_NOT_FOUND = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR}
)

_PIECE = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<plain>[^ \t\r\n'"\\]+)|\\(?P<escaped>.)"""
    r"""|'(?P<single>[^']*)'|"(?P<double>[^"\\]*(?:\\.[^"\\]*)*)\"""",
    re.DOTALL,
)
_ESCAPE_IN_QUOTES = re.compile(r"""\\(["\\])""")

if sys.platform == "darwin":
    import select

    def _await_exit(pid: int) -> None:
        """Returns once the process has ended, and leaves it to be reaped."""
        event = select.kevent(
            pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD | select.KQ_EV_ONESHOT, select.KQ_NOTE_EXIT
        )
        queue = select.kqueue()
        try:
            # A process that has ended already cannot be registered; then it is an error or event.
            with suppress(ProcessLookupError):
                queue.control([event], 1)
        finally:
            queue.close()

else:

    def _await_exit(pid: int) -> None:
        """Returns once the process has ended, and leaves it to be reaped."""
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def split_command_line(command_line: str) -> list[str]:
    """The program and its arguments, by the quoting rules of POSIX shells, without a shell.

    Nothing is expanded: no variables, no wildcards. How the service splits on Linux is not
    published; for words in plain, single or double quotes all rules agree. Equal to `shlex.split`,
    but linear: that takes minutes for a word of some megabytes. Raises `StepFailedError`
    (`CommandLaunchFailed`).
    """
    words: list[str] = []
    pieces: list[str] = []
    position = 0
    while position < len(command_line):
        match = _PIECE.match(command_line, position)
        if match is None:
            at_end = command_line[position] == "\\"
            cause = "no escaped character" if at_end else "no closing quotation"
            raise _unsplittable(command_line, f"the command line cannot be split: {cause}")
        position = match.end()
        if match.lastgroup != "space":
            pieces.append(_meaning(match))
        elif pieces:
            words.append("".join(pieces))
            pieces = []
    if pieces:
        words.append("".join(pieces))
    if not words:
        raise _unsplittable(command_line, "the command line names no program")
    return words


def _meaning(match: re.Match[str]) -> str:
    text = match[match.lastgroup or 0]
    return _ESCAPE_IN_QUOTES.sub(r"\1", text) if match.lastgroup == "double" else text


def _unsplittable(command_line: str, message: str) -> StepFailedError:
    return launch_failed("CommandLaunchFailed", command_line=command_line, message=message)


def run_command(
    command_line: str,
    *,
    prefix: Sequence[str],
    working_directory: Path,
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
    interruption: Interruption,
) -> int:
    """Runs a command line to its end in a process group of its own; its exit code, 128 + n for
    death by signal n.

    When the main process has ended, what is left of its group is killed, as the service does. When
    interrupted, the whole group is killed at once. Raises `StepFailedError` where it cannot start.
    """
    process = _start(command_line, prefix, working_directory, environment, stdout, stderr)
    try:
        with interruption.calling(lambda: _kill_group(process.pid, by_sudo=bool(prefix))):
            _await_exit(process.pid)
    finally:
        # The main process is not reaped yet, so its id cannot have become another group's.
        _kill_group(process.pid, by_sudo=bool(prefix))
        code = process.wait()
    return 128 - code if code < 0 else code


def _start(
    command_line: str,
    prefix: Sequence[str],
    working_directory: Path,
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
) -> subprocess.Popen[bytes]:
    words = split_command_line(command_line)
    program = [*prefix, *words][0]
    try:
        # A new session is a new group too, and lets Python start the process by vfork.
        return subprocess.Popen(
            [*prefix, *words],
            executable=_find_program(program, working_directory, environment),
            cwd=working_directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        found = error.errno not in _NOT_FOUND
        code = "CommandLaunchFailed" if found else "CommandProgramNotFound"
        message = f"{program}: {error.strerror or type(error).__name__}"
    except ValueError as error:
        # A null character, or an environment variable whose name cannot be one.
        code, message = "CommandLaunchFailed", str(error)
    raise launch_failed(code, command_line=command_line, message=message)


def _find_program(
    program: str, working_directory: Path, environment: Mapping[str, str]
) -> Path | str:
    """The file to execute, by the task's `PATH`; raises `FileNotFoundError`.

    Left to `Popen`, a directory of the path that may not be entered would hide other errors.
    """
    if "/" in program:
        return program
    for directory in os.get_exec_path(dict(environment)):
        candidate = working_directory.absolute() / directory / program
        if os.access(candidate, os.X_OK) and candidate.is_file():
            return candidate
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)


def _kill_group(group: int, *, by_sudo: bool) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        # macOS answers so for a group of ended processes; else they are another user's, by sudo.
        if by_sudo:
            subprocess.run(
                ["sudo", "-n", "kill", "-KILL", "--", f"-{group}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
