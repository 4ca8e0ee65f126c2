"""Reads a PowerShell script in one pass and says how the value of each expression can be passed.

It follows PowerShell's two modes, of commands and of expressions. A mistake costs a wrong word
rather than a command: values are passed in variables, which PowerShell does not read as code. It
knows nothing of values.
"""

from __future__ import annotations

import re

from runner.frozen import dataclass
from runner.spec.shells.cursor import HOLE, Fault
from runner.spec.shells.powershell_cursor import Frame, Kind, Mode, PowerShellCursor
from runner.spec.shells.powershell_places import Passing, PowerShellPlace, PowerShellPlacement
from runner.spec.shells.powershell_strings import (
    DOUBLE_QUOTES,
    SINGLE_QUOTES,
    read_backtick,
    read_here_string,
    read_single_quotes,
    read_string,
    read_variable,
)
from runner.spec.shells.powershell_words import (
    check_statement,
    evaluates_arguments,
    runs_elsewhere,
)
from runner.spec.shells.words import Word

_HERE_STRING = re.compile(rf"@([{SINGLE_QUOTES}{DOUBLE_QUOTES}])[ \t]*\n")
_PARAMETER = re.compile(r"-[A-Za-z_][A-Za-z0-9_]*:", re.ASCII)
_BARE = re.compile(rf"[^\s`$(){{}}\[\];|&,<>=\0{SINGLE_QUOTES}{DOUBLE_QUOTES}]+")
_KEYWORDS = frozenset(
    {"begin", "break", "catch", "class", "continue", "data", "do", "dynamicparam", "else"}
    | {"elseif", "end", "enum", "exit", "filter", "finally", "for", "foreach", "function", "if"}
    | {"param", "process", "return", "switch", "throw", "trap", "try", "until", "using", "while"}
)
_VALUE_KEYWORDS = frozenset({"return", "throw", "exit"})
_FIRST_KEYWORDS = frozenset({"param", "using"})
_VALUE_BEFORE = frozenset(" \t\n(,;=[{!+*/%|<>]")
_VALUE_BEHIND = frozenset(" \t\n),;]}|+-*/%")
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class PowerShellReading:
    """How to pass each expression, what is wrong, and where words need double quotes."""

    placements: tuple[PowerShellPlacement, ...]
    faults: tuple[Fault, ...]
    quotes: tuple[int, ...]


def read_powershell_script(
    script: str, raw_holes: frozenset[int] = frozenset()
) -> PowerShellReading:
    """Reads a script with a NUL for each expression; those in `raw_holes` may stand anywhere."""
    cursor = PowerShellCursor(script, raw_holes)
    _read(cursor)
    cursor.faults.sort(key=lambda fault: fault.position)
    return PowerShellReading(
        tuple(cursor.placements), tuple(cursor.faults), tuple(sorted(cursor.quotes))
    )


def _read(cursor: PowerShellCursor) -> None:
    while cursor.position < len(cursor.text):
        frame = cursor.frames[-1]
        if len(cursor.frames) > _DEEPEST:
            message = f"the script is nested more than {_DEEPEST} deep"
            cursor.faults.append(Fault(frame.start, len(frame.opener), "too-deep", message, None))
            return
        if frame.kind is Kind.STATEMENTS:
            _step(cursor, frame)
        else:
            read_string(cursor, frame)
    frame = cursor.frames[-1]
    if frame.kind is Kind.STATEMENTS:
        _end_statement(cursor, frame)
    if frame.closer:
        is_quote = frame.kind is not Kind.STATEMENTS
        cursor.unclosed(frame.start, frame.opener, is_quote=is_quote)


def _step(cursor: PowerShellCursor, frame: Frame) -> None:
    character = cursor.text[cursor.position]
    here = _HERE_STRING.match(cursor.text, cursor.position)
    if character in " \t":
        _end_word(cursor, frame)
        cursor.position += 1
    elif character in "\n;":
        _end_statement(cursor, frame)
        cursor.position += 1
    elif cursor.text.startswith("<#", cursor.position):
        _end_word(cursor, frame)
        end = cursor.text.find("#>", cursor.position)
        cursor.skip(len(cursor.text) if end < 0 else end + 2, PowerShellPlace.COMMENT)
    elif character == "#" and frame.word is None:
        end = cursor.text.find("\n", cursor.position)
        cursor.skip(len(cursor.text) if end < 0 else end, PowerShellPlace.COMMENT)
    elif here is not None:
        read_here_string(cursor, frame, here)
    elif character in SINGLE_QUOTES:
        read_single_quotes(cursor, frame)
    elif character in DOUBLE_QUOTES:
        cursor.begin(frame)
        cursor.word(frame).add_expansion()
        string = Frame(Kind.STRING, cursor.position, character, '"', place=frame.place)
        cursor.frames.append(string)
        cursor.position += 1
    elif character == HOLE:
        _hole(cursor, frame)
    elif character == "`":
        if cursor.text.startswith("`\n", cursor.position):
            _end_word(cursor, frame)  # the next line goes on
        else:
            cursor.begin(frame)
        read_backtick(cursor)
    elif character == "$" and not cursor.text.startswith("$(", cursor.position):
        cursor.begin(frame)
        read_variable(cursor)
    elif character in "|&":
        _pipe(cursor, frame, character)
    elif character in "({[" or cursor.text.startswith(("$(", "@(", "@{"), cursor.position):
        _open(cursor, frame, character)
    elif character in ")}]":
        _close(cursor, frame, character)
    elif character in "=,<>":
        _operator(cursor, frame, character)
    else:
        _bare(cursor, frame)


def _bare(cursor: PowerShellCursor, frame: Frame) -> None:
    found = _BARE.match(cursor.text, cursor.position)
    text = found.group() if found else cursor.text[cursor.position]
    if text == "--%":
        message = "`--%` turns off the reading of the script"
        hint = "write the arguments as they are, in quotes where they need them"
        cursor.faults.append(Fault(cursor.position, 3, "bad-script", message, hint))
    if frame.mode is Mode.START and frame.word is None and not frame.is_called:
        if text == "." and cursor.text[cursor.position + 1 : cursor.position + 2] in {" ", "\t"}:
            frame.is_called = True
            cursor.position += 1
            return
        if text[0] in "+-!0123456789@" or frame.is_table:
            frame.mode = Mode.COMMAND if frame.is_table else Mode.EXPRESSION
    if frame.mode is not Mode.EXPRESSION:
        cursor.word(frame).add_bare(text)
    cursor.position += len(text)


def _operator(cursor: PowerShellCursor, frame: Frame, character: str) -> None:
    if character == "=" and (frame.mode is Mode.EXPRESSION or frame.is_table):
        _end_word(cursor, frame)
        frame.words = []
        if cursor.text[cursor.position - 1 : cursor.position] not in {"=", "!", "<", ">"}:
            frame.mode = Mode.START
            frame.takes_value = True
    elif character == "=":
        cursor.word(frame).add_bare("=")
    else:
        _end_word(cursor, frame)
    cursor.position += 1


def _pipe(cursor: PowerShellCursor, frame: Frame, character: str) -> None:
    is_call = character == "&" and frame.mode is Mode.START and frame.word is None
    if is_call and not cursor.text.startswith("&&", cursor.position):
        frame.is_called = True
        cursor.position += 1
        return
    if cursor.text[cursor.position - 1 : cursor.position] in {"<", ">"}:  # 2>&1
        cursor.position += 1
        return
    _end_command(cursor, frame)
    cursor.position += 1


def _open(cursor: PowerShellCursor, frame: Frame, character: str) -> None:
    opener = cursor.text[cursor.position : cursor.position + 1 + (character in "$@")]
    if opener == "[":
        _open_bracket(cursor, frame)
        return
    if frame.mode is Mode.START and frame.word is not None and _is_keyword(frame.word):
        _end_word(cursor, frame)  # `if(`, `else{`
    is_method = frame.mode is Mode.EXPRESSION and evaluates_arguments(
        cursor.text[max(cursor.position - 60, 0) : cursor.position]
    )
    is_remote = opener == "{" and runs_elsewhere(frame.words)
    keeps_start = opener == "{" and frame.mode is Mode.START
    if not keeps_start:
        cursor.begin(frame)
    if frame.mode is not Mode.EXPRESSION and not keeps_start:
        cursor.word(frame).add_expansion()
    place = PowerShellPlace.METHOD if is_method else None
    if is_remote:
        place = PowerShellPlace.ELSEWHERE
    cursor.push(opener, "}" if opener[-1] == "{" else ")", place)


def _open_bracket(cursor: PowerShellCursor, frame: Frame) -> None:
    before = cursor.text[cursor.position - 1 : cursor.position]
    cursor.begin(frame)
    if frame.mode is not Mode.EXPRESSION:
        cursor.word(frame).add_bare("[")
        cursor.position += 1
    elif before and (before.isalnum() or before in "_)]}\"'"):
        cursor.push("[", "]", mode=Mode.EXPRESSION)
    else:
        cursor.push("[", "]", PowerShellPlace.TYPE, mode=Mode.EXPRESSION)


def _close(cursor: PowerShellCursor, frame: Frame, character: str) -> None:
    if character != frame.closer:
        cursor.begin(frame)
        if frame.mode is not Mode.EXPRESSION:
            cursor.word(frame).add_bare(character)
        cursor.position += 1
        return
    _end_statement(cursor, frame)
    cursor.frames.pop()
    cursor.position += 1
    outer = cursor.frames[-1]
    if frame.opener == "{" and outer.is_compound:
        outer.word, outer.words, outer.mode = None, [], Mode.START
        outer.takes_value = outer.is_called = False


def _hole(cursor: PowerShellCursor, frame: Frame) -> None:
    index, placement = cursor.add_hole()
    at = cursor.position
    before, behind = cursor.text[max(at - 1, 0) : at], cursor.text[at + 1 : at + 2]
    cursor.position += 1
    if index in cursor.raw_holes:
        if frame.mode is not Mode.EXPRESSION:
            cursor.word(frame, at).add_expansion()
        return
    if frame.place is not None:
        cursor.misplace(index, frame.place)
    if frame.mode is Mode.START and frame.word is None and not frame.is_called:
        if not frame.takes_value:
            cursor.misplace(index, PowerShellPlace.COMMAND)
        frame.mode = Mode.EXPRESSION
    if frame.mode is Mode.EXPRESSION:
        placement.passing = Passing.VALUE
        is_alone = (not before or before in _VALUE_BEFORE) and (
            not behind or behind in _VALUE_BEHIND
        )
        if not is_alone:
            cursor.misplace(index, PowerShellPlace.MEMBER)
        return
    word = cursor.word(frame, at)
    placement.is_argument = True
    placement.may_be_bare = behind not in {"<", ">"}
    placement.is_last = not behind or behind in " \t\n;|,)}"
    placement.starts_word = at == word.start + len(word.own_holes)
    placement.follows_expressions = placement.starts_word and bool(word.own_holes)
    for each in cursor.frames:
        if each.word is not None:
            each.word.add_hole(index, is_own=each is frame)


def _end_word(cursor: PowerShellCursor, frame: Frame) -> None:
    word, frame.word = frame.word, None
    if word is None or frame.mode is Mode.EXPRESSION:
        return
    text = "".join(word.cooked)
    if frame.mode is Mode.START and not frame.is_called:
        keyword = text.lower()
        if _is_keyword(word):
            if keyword in _FIRST_KEYWORDS and not frame.closer:
                message = f"`{keyword}` must stand first in a script, where other lines come"
                cursor.faults.append(
                    Fault(word.start, len(keyword), "bad-script", message, "leave it away")
                )
            frame.takes_value = keyword in _VALUE_KEYWORDS
            frame.is_compound = not frame.takes_value
            return
    is_name = not frame.words
    frame.words.append(word)
    frame.mode = Mode.COMMAND
    frame.is_called = False
    _place_word(cursor, word, is_name=is_name)


def _place_word(cursor: PowerShellCursor, word: Word, *, is_name: bool) -> None:
    """A word with expressions and other text is written as an expandable string."""
    if not word.own_holes:
        return
    if word.is_hole:
        cursor.placements[word.holes[0]].is_command = is_name
        return
    if word.is_dynamic or len(word.own_holes) != len(word.holes) or _is_mixed(cursor.text, word):
        for hole in word.own_holes:
            cursor.misplace(hole, PowerShellPlace.MIXED)
        return
    if _PARAMETER.fullmatch(word.before_hole or ""):
        cursor.misplace(word.own_holes[0], PowerShellPlace.PARAMETER)
    for hole in word.own_holes:
        cursor.placements[hole].passing = Passing.PART
    cursor.quotes.extend((word.start, _end_of(cursor.text, word)))


def _end_command(cursor: PowerShellCursor, frame: Frame) -> None:
    _end_word(cursor, frame)
    frame.commands.append(frame.words)
    frame.words = []
    frame.mode = Mode.START
    frame.takes_value = frame.is_called = False


def _end_statement(cursor: PowerShellCursor, frame: Frame) -> None:
    _end_command(cursor, frame)
    frame.is_compound = False
    commands, holes = frame.commands, frame.holes
    frame.commands, frame.holes = [], []
    for hole, message, hint in check_statement(commands, holes):
        cursor.refuse(hole, message, hint)


def _is_keyword(word: Word) -> bool:
    is_bare = word.is_bare and not word.is_dynamic and not word.holes
    return is_bare and "".join(word.cooked).lower() in _KEYWORDS


def _end_of(script: str, word: Word) -> int:
    """Where a word of bare text and expressions ends."""
    at = word.start
    while at < len(script):
        found = _BARE.match(script, at)
        if found is not None:
            at = found.end()
        elif script[at] in {HOLE, "=", "[", "]"}:
            at += 1
        else:
            break
    return at


def _is_mixed(script: str, word: Word) -> bool:
    """Whether there is more in it than bare text and expressions, such as an escape."""
    end = _end_of(script, word)
    behind = script[end : end + 1]
    return bool(behind) and behind not in " \t\n;|&,)}<>"
