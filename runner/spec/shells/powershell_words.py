"""Which commands of PowerShell read their arguments, or what is piped to them, as code.

It knows words, not characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runner.spec.shells.code import Misplaced, check_programs
from runner.spec.shells.posix_places import RAW_HINT
from runner.spec.shells.words import Word

_EVALUATING = frozenset(
    {"iex", "invoke-expression", "cmd", "powershell", "pwsh", "wsl", "add-type"}
    | {"start-process", "saps", "start", "new-alias", "set-alias"}
)
_ELSEWHERE = frozenset(
    {"start-job", "sajb", "start-threadjob", "invoke-command", "icm", "-parallel"}
    | {"powershell", "pwsh"}
)
_EVALUATING_METHOD = re.compile(
    r"(?:scriptblock\]?::create|\.(?:invokescript|expandstring|newscriptblock|addscript))$",
    re.IGNORECASE,
)


def name_of(text: str) -> str:
    """What a word names as a command: `C:\\x\\CMD.EXE` is `cmd`."""
    name = re.split(r"[\\/]", text.lower())[-1].removesuffix(".exe")
    return "cmd" if "comspec" in text.lower() else name


def evaluates(text: str) -> bool:
    """Whether a command of this name reads its arguments as code."""
    return name_of(text) in _EVALUATING


def evaluates_arguments(before: str) -> bool:
    """Whether the parenthesis behind this text opens the arguments of a method that runs code."""
    return _EVALUATING_METHOD.search(before[-60:]) is not None


def runs_elsewhere(words: Sequence[Word]) -> bool:
    """Whether a block of this command runs where the script's variables are not known."""
    return any(name_of(_text(word)) in _ELSEWHERE for word in words)


def check_statement(
    commands: Sequence[Sequence[Word]], holes: Sequence[int]
) -> Iterator[Misplaced]:
    """The expressions of a statement, a pipeline as a rule, that some command in it runs."""
    for words in commands:
        yield from check_programs(iter(words))
        for index, word in enumerate(words):
            name = name_of(_text(word))
            is_named = index == 0 or name in {"cmd", "powershell", "pwsh"}
            if not is_named or name not in _EVALUATING:
                continue
            if name in {"powershell", "pwsh"} and _runs_file(words):
                continue
            message = f"`{name}` would read the value of an expression as code"
            if name in {"start-process", "saps", "start"}:
                message = f"`{name}` would split the value of an expression at its spaces"
            for hole in holes:
                yield hole, message, f"run the program itself: `& program {{{{ ... }}}}`{RAW_HINT}"
            return


def check_arguments(words: Sequence[Word]) -> Iterator[Misplaced]:
    """The expressions in the list form of a command that it would run."""
    return check_statement([words], [hole for word in words for hole in word.holes])


def _text(word: Word) -> str:
    return "".join(word.cooked)


def _runs_file(words: Sequence[Word]) -> bool:
    return any((word.text or "").lower() in {"-file", "-f"} for word in words)
