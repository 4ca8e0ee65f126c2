"""What failures have in common: the end of a task without all that is its own.

It must not know which run is under way, nor what follows from failures that are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from runner.frozen import dataclass
from runner.run.events import TaskFinished
from runner.spec.suggestion import shorten

EXIT_CODE = "FailureExitCode"
_LINES = 3
# What a task left behind may be anything: so much of its end is looked at, and so much of a line.
_MOST_CHARACTERS = 8_000
_LINE_CHARACTERS = 400
_SUMMARY_CHARACTERS = 160
# Parts of names that are shorter stand in words that have nothing to do with them.
_SHORTEST_WORD = 3

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_SEPARATORS = re.compile(r"([\s'\"`()\[\]{}<>|=;:]+)")
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+|\b(?=[a-fA-F]*[0-9])[0-9a-fA-F]{6,}\b")
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Two failures are the same where these are. `words` are the last ones, without names."""

    exit_code: int | None
    cause: str | None
    words: str


def signature_of(task: TaskFinished, *, run: str) -> Signature:
    """The signature of a task that failed.

    What it was for, where it ran and when, numbers, addresses and paths make no difference.
    """
    return Signature(
        exit_code=task.exit_code,
        cause=task.cause,
        words="\n".join(_plain(_last_lines(_words(task)), _names(task, run))),
    )


def summary_of(task: TaskFinished) -> str:
    """The failure in one line, as it was: `exit code 127: ffmpeg: command not found`."""
    last = "".join(_last_lines(_words(task))[-1:])
    words = shorten("".join(map(_printable, last)), _SUMMARY_CHARACTERS)
    if _is_exit_code(task):
        return f"exit code {task.exit_code}: {words}" if words else f"exit code {task.exit_code}"
    return f"{task.cause}: {words}" if words else str(task.cause)


def _is_exit_code(task: TaskFinished) -> bool:
    return task.exit_code is not None and task.cause in {None, EXIT_CODE}


def _words(task: TaskFinished) -> str:
    """What says why: the command's own words where it came to an end, else the service's."""
    return (task.stderr_tail if _is_exit_code(task) else task.message) or ""


def _last_lines(text: str) -> list[str]:
    """The last lines that are not empty. What was written over with `\\r` is a line of its own."""
    lines = _ESCAPE.sub("", text[-_MOST_CHARACTERS:]).splitlines()
    return [line for line in lines if line.strip()][-_LINES:]


def _plain(lines: Iterable[str], names: Sequence[str]) -> Iterator[str]:
    for line in lines:
        named = line
        for name in names:
            named = _without(name, named)
        pieces = (_plain_piece(piece) for piece in _SEPARATORS.split(named))
        yield " ".join("".join(pieces).split())[-_LINE_CHARACTERS:]


def _plain_piece(piece: str) -> str:
    """A part of a line without spaces: a path is a path, and a number is a number."""
    if piece.isalpha():
        return piece
    if "/" in piece or "\\" in piece:
        return "/"
    return _NUMBER.sub("#", _HEXADECIMAL.sub("#", piece))


def _names(task: TaskFinished, run: str) -> list[str]:
    """What is its own, longest first: its item, that as a file, its id, its node and the run."""
    path = PurePosixPath(task.item)
    names = {task.item, path.name, path.stem, task.task, run, task.node or ""}
    return sorted((name for name in names if name.strip()), key=lambda name: (-len(name), name))


def _without(name: str, line: str) -> str:
    """The line with `_` for the name, where that is a word.

    No pattern does it: each task has other names, and to compile one takes longer than all else.
    """
    at = line.find(name)
    if at < 0:
        return line
    pieces: list[str] = []
    done = 0
    while at >= 0:
        end = at + len(name)
        if _is_word(name, line, at, end):
            pieces += (line[done:at], "_")
            done = end
        at = line.find(name, max(done, at + 1))
    return "".join((*pieces, line[done:]))


def _is_word(name: str, line: str, at: int, end: int) -> bool:
    """Whether it is no part of a longer word there; a very short name is only that of a file."""
    is_short = len(name) < _SHORTEST_WORD
    if (is_short or name[0].isalnum()) and line[at - 1 : at].isalnum():
        return False
    behind = line[end : end + 2]
    if is_short:
        return behind[:1] == "." and (behind[1:].isalnum() or behind[1:] == "_")
    return not (name[-1].isalnum() and behind[:1].isalnum())


def _printable(character: str) -> str:
    return character if character.isprintable() else " "
