"""Which commands of cmd read their arguments again as code, so that no value can stand there.

It knows words, not characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runner.spec.shells.code import Misplaced, check_programs
from runner.spec.shells.posix_places import RAW_HINT
from runner.spec.shells.words import Word

_POWERSHELL = f"write `shell: powershell`{RAW_HINT}"
_DIRECT = f"name the program itself, without `{{name}}`{RAW_HINT}"
# Wherever one is named, what follows is code, or read by another shell.
_PROGRAMS = {
    **dict.fromkeys(("cmd", "forfiles", "psexec", "runas", "schtasks", "wsl"), _DIRECT),
    **dict.fromkeys(("powershell", "pwsh"), _POWERSHELL),
}
# Of cmd itself: only where a command starts.
_COMMANDS = {
    "call": _DIRECT,
    "start": _DIRECT,
    "set": "cmd reads the text of a variable as code: write the expression where the variable"
    " would be read",
    "goto": "write a label of your own",
}
_COMPOUND = frozenset({"if", "for", "else", "do", "in"})
_NAME = re.compile(r"[@,;=\s]*([^\s,;=/+\[\]():.]*)")


def names_of(text: str) -> frozenset[str]:
    """What a word names as a command: `C:\\x\\CMD.EXE` and `cmd/c` are `cmd`."""
    lowered = text.lower()
    prefix = _NAME.match(lowered)
    whole = re.split(r"[\\/]", lowered.lstrip("@,;= \t"))[-1].removesuffix(".exe")
    is_shell = "%comspec%" in lowered
    return frozenset({whole, prefix.group(1) if prefix else "", "cmd" if is_shell else whole})


def is_code_program(text: str) -> bool:
    """Whether a value of this text would name a program that runs its arguments as code."""
    return bool(names_of(text) & _PROGRAMS.keys())


def check_cmd_command(words: Sequence[Word]) -> Iterator[Misplaced]:
    """The expressions that a command would read as code, from its name on."""
    yield from check_programs(iter(words))
    is_compound = bool(words) and bool(_names(words[0]) & _COMPOUND)
    if is_compound and "for" in _names(words[0]):
        yield from _check_for(words)
    for index, word in enumerate(words):
        names = _names(word)
        reading = _PROGRAMS if index and not is_compound else {**_PROGRAMS, **_COMMANDS}
        for name in sorted(names & reading.keys()):
            following = words_behind = words[index + 1 :]
            if name in {"powershell", "pwsh"}:
                following = _code_of_powershell(following)
            # `cmd/c{{ ... }}` is one word.
            for hole in (hole for each in (word, *following) for hole in each.holes):
                message = f"`{name}` would read the value of an expression as code"
                yield hole, message, reading[name].format(name=name)
            if following is words_behind:
                return


def _names(word: Word) -> frozenset[str]:
    return names_of(word.before_hole or "") if word.holes else names_of("".join(word.cooked))


def _code_of_powershell(words: Sequence[Word]) -> Sequence[Word]:
    """Behind `-File` and the file's name, arguments are texts."""
    for index, word in enumerate(words):
        if (word.text or "").lower() in {"-file", "-f"}:
            return words[: index + 1]
    return words


def _check_for(words: Sequence[Word]) -> Iterator[Misplaced]:
    switches = [(word.text or "").lower() for word in words[:2]]
    if not any("/f" in switch for switch in switches):
        return
    for word in words:
        if (word.text or "").lower() == "do":
            return
        for hole in word.holes:
            message = "`for /f` would read the value of an expression as code"
            yield hole, message, f"write it behind `do`{RAW_HINT}"
