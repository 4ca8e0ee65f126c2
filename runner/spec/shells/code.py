"""Which arguments of which commands are code, or names that bash evaluates, so hold no values.

It knows words, not characters. What a program does with an ordinary argument is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from runner.spec.shells.posix_places import RAW_HINT, PosixPlace
from runner.spec.shells.words import Word

Misplaced = tuple[int, str, str]
"""The index of an expression, what is wrong with its place, and the way out."""

# Each evaluates its arguments, or takes names whose subscripts it evaluates.
EVALUATING_BUILTINS = frozenset(
    {".", "alias", "compgen", "complete", "declare", "eval", "export", "getopts", "let", "local"}
    | {"mapfile", "read", "readarray", "readonly", "source", "trap", "typeset", "unset"}
)
_EVALUATES_ALL = EVALUATING_BUILTINS - {".", "source"}
DECLARING_BUILTINS = frozenset({"declare", "typeset", "local", "export", "readonly"})
_PREFIXES = frozenset({"command", "builtin"})
_SHELLS = frozenset({"bash", "sh", "dash", "zsh", "ksh"})
_PASSING_ON = frozenset({"su", "runuser", "script", "flock"})  # operands may come before `-c`
_CODE_OPTIONS = {
    **dict.fromkeys(("python", "python2", "python3"), "c"),
    "perl": "eE",
    "ruby": "e",
    "Rscript": "e",
    "node": "ep",
    "php": "r",
}
_EVALUATED_VARIABLES = frozenset(
    {"BASH_ENV", "ENV", "HISTCMD", "LINENO", "OPTIND", "PROMPT_COMMAND", "PS0", "PS4", "RANDOM"}
    | {"SECONDS", "SRANDOM"}
)
_DECLARATION = re.compile(r"\b(?:declare|typeset|local|readonly|export)\b([^\n;|&]*)")
_EVALUATING_FLAG = re.compile(r"(?:^|\s)-[A-Za-z]*[in]")
_KEYS_FLAG = re.compile(r"(?:^|\s)-[A-Za-z]*A")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=", re.ASCII)
_NUMBER_RELATIONS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_VARIABLE_TESTS = frozenset({"-v", "-R"})
_NAMING_OPTIONS = {"test": _VARIABLE_TESTS, "[": _VARIABLE_TESTS, "printf": {"-v"}, "wait": {"-p"}}


def check_command(words: Sequence[Word]) -> Iterator[Misplaced]:
    """The expressions in code of a simple command, from its name on."""
    yield from _check_builtin(words)
    yield from check_programs(iter(words))


def check_assignments(script: str, assignments: Iterable[Word]) -> Iterator[Misplaced]:
    """The expressions that are assigned to variables which bash evaluates on assignment or use."""
    assignments = tuple(assignments)
    if not assignments:
        return
    evaluated = set(_EVALUATED_VARIABLES)
    for declaration in _DECLARATION.findall(script):
        if _EVALUATING_FLAG.search(declaration):
            evaluated.update(_NAME.findall(declaration))
    for word in assignments:
        name = _NAME.match(script, word.start)
        if name is not None and name.group() in evaluated:
            hint = f"assign it to a variable that is text{RAW_HINT}"
            for hole in word.holes:
                yield hole, f"bash would evaluate a value assigned to `{name.group()}`", hint


def check_condition(words: Sequence[Word | None]) -> Iterator[Misplaced]:
    """The expressions in `[[ ... ]]` that bash would calculate."""
    for index, word in enumerate(words):
        text = None if word is None else word.text
        if text in _NUMBER_RELATIONS:
            yield from _misplaced(words[max(index - 1, 0) : index], PosixPlace.COMPARISON)
            yield from _misplaced(words[index + 1 : index + 2], PosixPlace.COMPARISON)
        elif text in _VARIABLE_TESTS:
            yield from _misplaced(words[index + 1 : index + 2], PosixPlace.VARIABLE)


def calculated_in(words: Sequence[Word | None]) -> Iterator[str]:
    """The variables that `[[ ... ]]` calculates with: `[[ $x -eq 1 ]]`, `[[ x -eq 1 ]]`."""
    for index, word in enumerate(words):
        if word is None or word.text not in _NUMBER_RELATIONS:
            continue
        for side in (*words[max(index - 1, 0) : index], *words[index + 1 : index + 2]):
            if side is not None:
                yield from side.variables
                yield from _NAME.findall(side.text or "")


def find_calculated(
    script: str, calculated: Iterable[str], subscripted: Iterable[str]
) -> frozenset[str]:
    """The variables whose values bash calculates with, subscripts of numbered lists included."""
    has_keys = any(map(_KEYS_FLAG.search, _DECLARATION.findall(script)))
    return frozenset(calculated) | (frozenset() if has_keys else frozenset(subscripted))


def _check_builtin(words: Sequence[Word]) -> Iterator[Misplaced]:
    words = list(words)
    while words and words[0].text in _PREFIXES:
        prefix = words[0].text
        words = words[1:]
        while words and (words[0].text or "").startswith("-"):
            words = words[1:]
        if words and words[0].is_hole:
            hint = f"write what is meant without `{prefix}`{RAW_HINT}"
            yield words[0].holes[0], f"a value behind `{prefix}` could name a builtin", hint
    if not words:
        return
    name, arguments = words[0].text, words[1:]
    if name in DECLARING_BUILTINS:
        yield from _check_declaration(name, arguments)
    elif name in _EVALUATES_ALL:
        hint = f"write what is meant without `{name}`{RAW_HINT}"
        for hole in _holes(arguments):
            yield hole, f"`{name}` would evaluate the value of an expression", hint
    elif name in _NAMING_OPTIONS:
        options = _NAMING_OPTIONS[name]
        for index, word in enumerate(arguments):
            if word.text in options:
                yield from _misplaced(arguments[index + 1 : index + 2], PosixPlace.VARIABLE)
            elif word.before_hole in options:
                yield from _misplaced([word], PosixPlace.VARIABLE)


def _check_declaration(name: str, arguments: Sequence[Word]) -> Iterator[Misplaced]:
    evaluating = "i" if name in {"export", "readonly"} else "in"
    for word in arguments:
        text = word.text or ""
        if text.startswith("-") and any(letter in text for letter in evaluating):
            hint = f"assign it without `{text}`{RAW_HINT}"
            for hole in _holes(arguments):
                yield hole, f"`{name} {text}` would evaluate the value of an expression", hint
            return
    for word in arguments:
        if word.holes and not (word.assigns or _ASSIGNMENT.match(word.before_hole or "")):
            yield from _misplaced([word], PosixPlace.VARIABLE)


def check_programs(words: Iterator[Word]) -> Iterator[Misplaced]:
    """Programs that take code, wherever they are named: behind `sudo`, `xargs`, `find -exec`, ...

    All of it goes over the words once.
    """
    passing_on = None
    is_code = False
    for word in words:
        text = word.text or ""
        name = text.rpartition("/")[2]
        if passing_on and is_code:
            yield from _code(passing_on, "c", word)
        is_code = _is_option(text) and text[-1] == "c"
        if name in _SHELLS:
            yield from _check_shell(name, words)
        elif name in _CODE_OPTIONS:
            yield from _check_interpreter(name, _CODE_OPTIONS[name], words)
        elif name in _PASSING_ON:
            passing_on = name


def _check_shell(name: str, words: Iterator[Word]) -> Iterator[Misplaced]:
    """After `-c`, the first operand of a shell is code, whatever options are between."""
    is_code = is_argument = False
    for word in words:
        text = word.text or ""
        if is_argument:
            is_argument = False
        elif text.startswith(("-", "+")):
            is_long = text.startswith("--")
            is_code = is_code or ("c" in text and not is_long)
            is_argument = text[-1] in "oO" and not is_long
        else:
            if is_code:
                yield from _code(name, "c", word)
            return


def _check_interpreter(name: str, letters: str, words: Iterator[Word]) -> Iterator[Misplaced]:
    """Of an interpreter the code is in, or right behind, the option; an operand ends them."""
    is_code = False
    for word in words:
        text = word.text
        start = (word.before_hole or "") if text is None else text
        if is_code or (_is_option(start) and start[1] in letters):
            yield from _code(name, letters[0], word)
        if is_code:
            is_code = False
        elif _is_option(start):
            is_code = text is not None and text[-1] in letters
        elif not start.startswith("-"):
            return


def _is_option(text: str) -> bool:
    return len(text) > 1 and text.startswith("-") and not text.startswith("--")


def _code(name: str, letter: str, word: Word) -> Iterator[Misplaced]:
    hint = f"pass it as an argument, which the code reads{RAW_HINT}"
    for hole in word.holes:
        yield hole, f"`{name} -{letter}` would run the value of an expression as code", hint


def _misplaced(words: Iterable[Word | None], place: PosixPlace) -> Iterator[Misplaced]:
    for hole in _holes(words):
        yield hole, place.message, place.hint


def _holes(words: Iterable[Word | None]) -> Iterator[int]:
    for word in words:
        if word is not None:
            yield from word.holes
