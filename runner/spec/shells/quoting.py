"""Quotes, escapes, `$...` and all else that nests within the words of a script.

It knows nothing of commands.
"""

from __future__ import annotations

import re

from runner.spec.shells.cursor import HOLE, Cursor
from runner.spec.shells.holes import read_hole
from runner.spec.shells.posix_places import PosixPlace
from runner.spec.shells.words import Frame, Kind, Word

_QUIET = re.compile(r"""[^"'`$\\()\[\]{}\0]+""")  # where only quotes and brackets matter
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_VARIABLE = re.compile(r"(?<![A-Za-z0-9_#])[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_BRACED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
_ELEMENT = re.compile(r"\$\{[!#]?[A-Za-z_][A-Za-z0-9_]*\[([^\]]{0,200})\]", re.ASCII)
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9*@#?$!_-]", re.ASCII)
_ASSIGNMENT_SIGN = re.compile(r"\+?=")
_POSIX_PARAMETER = re.compile(
    r"\$\{(?:#?(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])?\}"
    r"|(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])(?::?[-=?+]|[#%]))",
    re.ASCII,
)
_ANSI_TEXT = re.compile(r"[^'\\]*(?:\\.[^'\\]*)*", re.DOTALL)
_BACKTICK_TEXT = re.compile(r"[^`\\]*(?:\\.[^`\\]*)*", re.DOTALL)


def read_nested(cursor: Cursor, frame: Frame) -> None:
    """One step in quotes, `${...}`, arithmetic or a subscript."""
    quiet = _QUIET.match(cursor.text, cursor.position)
    if quiet is not None:
        if frame.kind is Kind.DOUBLE_QUOTES:
            cursor.quote(quiet.group())
        if frame.kind is not Kind.PARAMETER:
            cursor.mention(_VARIABLE.findall(quiet.group()))
        cursor.position = quiet.end()
        return
    character = cursor.text[cursor.position]
    if read_special(cursor, frame, character):
        return
    cursor.position += 1
    match frame.kind:
        case Kind.DOUBLE_QUOTES:
            cursor.quote(character)
        case Kind.PARAMETER:
            if character == "}":
                cursor.frames.pop()
        case Kind.ARITHMETIC if frame.closer == "))":
            _balance(cursor, frame, character, "(", ")")
        case _:
            _balance(cursor, frame, character, "[", "]")


def _balance(cursor: Cursor, frame: Frame, character: str, opener: str, closer: str) -> None:
    if character == opener:
        frame.depth += 1
    elif character == closer and frame.depth:
        frame.depth -= 1
    elif character == closer:
        _close_calculation(cursor, frame)


def _close_calculation(cursor: Cursor, frame: Frame) -> None:
    cursor.frames.pop()
    if frame.closer == "))":
        if cursor.text.startswith(")", cursor.position):
            cursor.position += 1
        else:
            shown = frame.opener
            hint = f"two levels of commands are written `{shown[:-1]} (`, with a space"
            message = f"`{shown}` has no `))`"
            cursor.fault(frame.start, len(shown), "unclosed", message, hint)
    elif frame.kind is Kind.SUBSCRIPT:
        sign = _ASSIGNMENT_SIGN.match(cursor.text, cursor.position)
        if sign is not None and cursor.frames[-1].word is not None:
            cursor.frames[-1].word.assigns = True
            cursor.position = sign.end()


def read_special(cursor: Cursor, frame: Frame, character: str) -> bool:
    """An expression, an escape, a quote or a `$`; False where it is an ordinary character."""
    match character:
        case "\0":
            read_hole(cursor, None)
        case "\\":
            _read_escape(cursor, frame)
        case "'":
            if frame.kind is Kind.DOUBLE_QUOTES:
                return False
            _read_single_quotes(cursor, cursor.position, cursor.position + 1)
        case '"':
            if frame.kind is Kind.DOUBLE_QUOTES:
                cursor.frames.pop()
                cursor.position += 1
            else:
                cursor.quote("")
                cursor.push(Kind.DOUBLE_QUOTES, '"')
        case "`":
            _read_backticks(cursor)
        case "$":
            _read_dollar(cursor, frame)
        case _:
            return False
    return True


def _read_escape(cursor: Cursor, frame: Frame) -> None:
    following = cursor.text[cursor.position + 1 : cursor.position + 2]
    if following == HOLE:
        cursor.position += 1
        is_quoted = frame.kind is Kind.DOUBLE_QUOTES
        read_hole(cursor, None if is_quoted else PosixPlace.BACKSLASH)
        return
    if following != "\n":
        cursor.quote(following)
    cursor.position += 2


def _read_single_quotes(cursor: Cursor, start: int, content: int) -> None:
    end = cursor.text.find("'", content)
    if end < 0:
        cursor.unclosed(start, cursor.text[start:content])
        cursor.skip(content, len(cursor.text), None)
        return
    cursor.quote(cursor.text[content:end])
    cursor.skip(content, end, PosixPlace.SINGLE_QUOTES)
    cursor.position = end + 1


def _read_ansi_quotes(cursor: Cursor) -> None:
    """`$'...'`, where a backslash escapes."""
    start = cursor.position
    cursor.extend("$'")
    found = _ANSI_TEXT.match(cursor.text, start + 2)
    end = found.end() if found else start + 2
    if not cursor.text.startswith("'", end):
        cursor.unclosed(start, "$'")
        cursor.skip(start + 2, len(cursor.text), None)
        return
    cursor.outer_word().add_expansion()
    cursor.skip(start + 2, end, PosixPlace.SINGLE_QUOTES)
    cursor.position = end + 1


def _read_backticks(cursor: Cursor) -> None:
    start = cursor.position
    found = _BACKTICK_TEXT.match(cursor.text, start + 1)
    end = found.end() if found else start + 1
    if not cursor.text.startswith("`", end):
        cursor.unclosed(start, "`")
        cursor.skip(start + 1, len(cursor.text), None)
        return
    cursor.outer_word().add_expansion()
    cursor.skip(start + 1, end, PosixPlace.BACKTICKS)
    cursor.position = end + 1


def _read_dollar(cursor: Cursor, frame: Frame) -> None:
    text, at = cursor.text, cursor.position
    is_quoted = frame.kind is Kind.DOUBLE_QUOTES
    following = text[at + 1 : at + 2]
    word = cursor.outer_word()
    if following == HOLE:
        cursor.position += 1
        read_hole(cursor, None if is_quoted else PosixPlace.DOLLAR)
    elif text.startswith("$((", at):
        word.add_expansion()
        cursor.push(Kind.ARITHMETIC, "$((", closer="))")
    elif following == "(":
        word.add_expansion()
        cursor.push(Kind.COMMANDS, "$(", closer=")")
    elif following == "{":
        word.add_expansion()
        if _POSIX_PARAMETER.match(text, at) is None:
            cursor.extend("${")
        _note_parameter(cursor, word)
        cursor.push(Kind.PARAMETER, "${")
    elif following == "[":
        word.add_expansion()
        cursor.extend("$[")
        cursor.push(Kind.ARITHMETIC, "$[")
    elif following == "'" and not is_quoted:
        _read_ansi_quotes(cursor)
    elif following == '"' and not is_quoted:
        word.add_expansion()
        cursor.extend('$"')
        cursor.push(Kind.DOUBLE_QUOTES, '$"')
    else:
        name = _PARAMETER.match(text, at + 1)
        cursor.position = name.end() if name else at + 1
        if name is None:
            word.add_bare("$")
        else:
            ends_in_name = not is_quoted and _NAME.fullmatch(name.group()) is not None
            word.add_expansion(ends_in_name=ends_in_name)
            word.variables.append(name.group())
            cursor.mention((name.group(),))


def _note_parameter(cursor: Cursor, word: Word) -> None:
    """`${x...}` has the value of `x` somewhere in it; in `${x[i]}` bash calculates with `i`."""
    name = _BRACED.match(cursor.text, cursor.position)
    if name is not None:
        word.variables.append(name.group(1))
        cursor.mention((name.group(1),))
    element = _ELEMENT.match(cursor.text, cursor.position)
    if element is not None:
        cursor.subscripted.update(_VARIABLE.findall(element.group(1)))
