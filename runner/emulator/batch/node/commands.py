"""From a command line to its exit code, or to the failure that the service reports.

It must not know of resource files and outputs, nor where a command runs.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from runner.emulator.batch.node.failures import (
    StepFailedError,
    launch_failed,
    program_not_found,
)

_NOT_FOUND = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR}
)

_PIECE = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<plain>[^ \t\r\n'"\\]+)|\\(?P<escaped>.)"""
    r"""|'(?P<single>[^']*)'|"(?P<double>[^"\\]*(?:\\.[^"\\]*)*)\"""",
    re.DOTALL,
)
_ESCAPE_IN_QUOTES = re.compile(r"""\\(["\\])""")


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
    return launch_failed(command_line=command_line, message=message)


@contextmanager
def telling_starts(program: str, command_line: str) -> Iterator[None]:
    """Makes of what `Isolation` raises for a command that cannot start a `StepFailedError`.

    `command_line` is what the command's words, of which `program` is the first, were made of.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_FOUND:
            raise program_not_found() from error
        reason = error.strerror or str(error) or type(error).__name__
        raise launch_failed(command_line=command_line, message=f"{program}: {reason}") from error
    except ValueError as error:
        # A null character, or an environment variable whose name cannot be one.
        raise launch_failed(command_line=command_line, message=str(error)) from error
