"""What `--help` says around the options: commands by purpose, examples, exit codes.

It knows how wide lines may be and nothing of the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import dedent, wrap

from runner.cli.table import COMMANDS, Command, Purpose
from runner.errors import ExitCode

DESCRIPTION = "Run any program over every file you have, here or on Azure Batch."
EXAMPLES = """
batch-run new mine                              write a commented spec
batch-run mine.yaml                             run it on this machine
batch-run mine.yaml --target azure              run it on Azure Batch
batch-run workloads/topwords.yaml -p number=5   run an example that comes inside
batch-run status                                how the last run stands, and what to do next
"""
CLOSING = (
    "`batch-run SPEC` is the same as `batch-run run SPEC`.",
    "`batch-run help COMMAND` says more of a command, `man batch-run` all of it.",
)
EXIT_CODES = {
    ExitCode.SUCCESS: "all tasks succeeded, or the command did what it was asked for",
    ExitCode.TASKS_FAILED: "the run ended, and tasks failed",
    ExitCode.USAGE: "the command line or the spec is wrong; nothing was made",
    ExitCode.SERVICE: "the service refused or was out of reach, or a transfer failed",
    ExitCode.STOPPED_WAITING: "we stopped waiting, and the work goes on",
    ExitCode.LEFT_BEHIND: "cleaning up left something, which is listed",
    ExitCode.BUG: "a bug in batch-run",
    ExitCode.INTERRUPTED: "interrupted",
}
PURPOSES = {
    Purpose.RUN: "run",
    Purpose.LOOK: "look at runs",
    Purpose.MEND: "go on, end, tidy up",
    Purpose.LEARN: "begin, and learn more",
}
_GAP = 3
_NARROWEST = 20
"""A column of words with less room than this stands below the one before it."""


def all_commands(width: int) -> tuple[str, str]:
    """What stands before and behind the options of `batch-run --help`."""
    room = max(len(command.name) for command in COMMANDS)
    lists = [
        _titled(PURPOSES[purpose], columns(_summaries(commands), width=width, room=room))
        for purpose, commands in by_purpose()
    ]
    before = "\n\n".join((*wrap_lines(DESCRIPTION, width), *lists))
    closing = "\n".join(line for text in CLOSING for line in wrap_lines(text, width))
    return before, f"{_examples(EXAMPLES, width)}\n\n{closing}"


def one_command(command: Command, width: int) -> tuple[str, str]:
    """The same of one command."""
    behind = []
    if command.examples:
        behind.append(_examples(command.examples, width))
    if command.ends_as_run:
        codes = ((str(int(code)), meaning) for code, meaning in EXIT_CODES.items())
        behind.append(_titled("exit codes", columns(codes, width=width)))
    return "\n".join(wrap_lines(command.summary, width)), "\n\n".join(behind)


def by_purpose() -> Iterator[tuple[Purpose, tuple[Command, ...]]]:
    """The commands by what one wants, else in the order of the table."""
    for purpose in Purpose:
        yield purpose, tuple(each for each in COMMANDS if each.purpose is purpose)


def split_examples(text: str) -> tuple[tuple[str, str], ...]:
    """Each example's command, and what it is for."""
    lines = dedent(text).strip().splitlines()
    parts = (line.partition("  ") for line in lines)
    return tuple((command.strip(), meaning.strip()) for command, _, meaning in parts)


def columns(
    rows: Iterable[tuple[str, str]], *, width: int, room: int | None = None
) -> Iterator[str]:
    """Two columns, of which the second is wrapped; it stands below where there is no room."""
    rows = tuple(rows)
    start = 2 + (room or max(len(left) for left, _ in rows)) + _GAP
    beside = width - start >= _NARROWEST
    for left, right in rows:
        indent = start if beside else 6
        first, *more = wrap_lines(right, width - indent) or [""]
        if beside:
            yield f"  {left:<{start - 2}}{first}".rstrip()
        else:
            yield f"  {left}"
            more = [first, *more]
        yield from (f"{' ' * indent}{line}" for line in more)


def wrap_lines(text: str, width: int) -> list[str]:
    """The text in lines of at most so many characters; words stay whole."""
    return wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _summaries(commands: Sequence[Command]) -> Iterator[tuple[str, str]]:
    return ((command.name, command.summary) for command in commands)


def _examples(text: str, width: int) -> str:
    return _titled("examples", columns(split_examples(text), width=width))


def _titled(title: str, lines: Iterable[str]) -> str:
    return "\n".join((f"{title}:", *lines))
