"""Quotes, here-strings, variables and escapes of a PowerShell script.

It knows nothing of commands.
"""

from __future__ import annotations

import re

from runner.spec.shells.cursor import HOLE
from runner.spec.shells.powershell_cursor import Frame, Kind, Mode, PowerShellCursor
from runner.spec.shells.powershell_places import Passing, PowerShellPlace

SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
DOUBLE_QUOTES = '"\u201c\u201d\u201e'
_VARIABLE = re.compile(r"\$(?:\{[^}\0]*\}|[A-Za-z0-9_]+(?::[A-Za-z0-9_]+)*|[$?^])")
_OPEN_VARIABLE = re.compile(r"\$[A-Za-z0-9_]*:?$|\$\{[^}]*$")
_NAME_BEFORE = re.compile(r"\$[A-Za-z0-9_:]+$")
_HERE_END = re.compile(rf"\n[{DOUBLE_QUOTES}]@")
_SINGLE_HERE_END = re.compile(rf"\n[{SINGLE_QUOTES}]@")
_SINGLE_TEXT = re.compile(rf"[^{SINGLE_QUOTES}]*(?:[{SINGLE_QUOTES}]{{2}}[^{SINGLE_QUOTES}]*)*")


def read_string(cursor: PowerShellCursor, frame: Frame) -> None:
    """One step in an expandable string, a here-string or not."""
    character = cursor.text[cursor.position]
    if frame.kind is Kind.HERE_STRING:
        if _HERE_END.match(cursor.text, cursor.position):
            cursor.position += len(frame.closer)
            cursor.frames.pop()
            return
    elif character in DOUBLE_QUOTES:
        is_double = cursor.text[cursor.position + 1 : cursor.position + 2] in tuple(DOUBLE_QUOTES)
        cursor.position += 2 if is_double else 1
        if not is_double:
            cursor.frames.pop()
        return
    match character:
        case "\0":
            _hole_in_string(cursor, frame)
        case "`":
            read_backtick(cursor)
        case "$" if cursor.text.startswith("$(", cursor.position):
            cursor.push("$(", ")")
        case "$":
            read_variable(cursor)
        case _:
            cursor.outer_word().add_quoted(character)
            cursor.position += 1


def read_single_quotes(cursor: PowerShellCursor, frame: Frame) -> None:
    """Text in single quotes, in which two are one."""
    cursor.begin(frame)
    start = cursor.position
    found = _SINGLE_TEXT.match(cursor.text, start + 1)
    end = found.end() if found else start + 1
    if end >= len(cursor.text):
        cursor.unclosed(start, cursor.text[start], is_quote=True)
    word = cursor.word(frame)
    word.add_quoted(cursor.text[start + 1 : end].replace(HOLE, ""))
    cursor.skip(min(end + 1, len(cursor.text)), PowerShellPlace.SINGLE_QUOTES)


def read_here_string(cursor: PowerShellCursor, frame: Frame, opening: re.Match[str]) -> None:
    """A here-string in single quotes whole; of one in double quotes its start."""
    cursor.begin(frame)
    start, quote = cursor.position, opening.group(1)
    if quote in DOUBLE_QUOTES:
        cursor.word(frame).add_expansion()
        string = Frame(Kind.HERE_STRING, start, opening.group(), '\n"@', place=frame.place)
        cursor.frames.append(string)
        cursor.position = opening.end() - 1  # the newline may be that of the closer
        return
    cursor.word(frame).add_quoted("")
    closed = _SINGLE_HERE_END.search(cursor.text, opening.end() - 1)
    if closed is None:
        cursor.unclosed(start, "@'", is_quote=True)
    end = len(cursor.text) if closed is None else closed.end()
    cursor.skip(end, PowerShellPlace.SINGLE_QUOTES)


def read_variable(cursor: PowerShellCursor) -> None:
    """A `$`, and the name of a variable behind it."""
    found = _VARIABLE.match(cursor.text, cursor.position)
    cursor.outer_word().add_quoted(found.group() if found else "$")
    cursor.outer_word().add_expansion()
    if found is not None:
        cursor.position = found.end()
        return
    following = cursor.text[cursor.position + 1 : cursor.position + 2]
    end = cursor.position + 1
    if following == "{":
        closed = cursor.text.find("}", cursor.position)
        end = len(cursor.text) if closed < 0 else closed + 1
    elif following == HOLE:
        end += 1
    cursor.skip(end, PowerShellPlace.VARIABLE)


def read_backtick(cursor: PowerShellCursor) -> None:
    """An escape, or the end of a line that goes on."""
    following = cursor.text[cursor.position + 1 : cursor.position + 2]
    if following == HOLE:
        cursor.position += 1
        cursor.skip(cursor.position + 1, PowerShellPlace.BACKTICK)
        return
    if following != "\n":
        cursor.outer_word().add_quoted(following)
    cursor.position += 2


def _hole_in_string(cursor: PowerShellCursor, frame: Frame) -> None:
    index, placement = cursor.add_hole()
    at = cursor.position
    cursor.position += 1
    if index in cursor.raw_holes:
        return
    outer = next(each for each in reversed(cursor.frames) if each.kind is Kind.STATEMENTS)
    if outer.place is not None:
        cursor.misplace(index, outer.place)
    if _OPEN_VARIABLE.search(cursor.text, max(at - 80, frame.start), at) is not None:
        match = _NAME_BEFORE.search(cursor.text, max(at - 80, frame.start), at)
        if match is None or match.group().endswith(":"):
            cursor.misplace(index, PowerShellPlace.VARIABLE)
    placement.passing = Passing.TEXT
    placement.is_argument = outer.mode is Mode.COMMAND
    placement.may_be_bare = _NAME_BEFORE.search(cursor.text, max(at - 80, 0), at) is None
    placement.is_last = cursor.text[at + 1 : at + 2] in tuple(DOUBLE_QUOTES)
    first = frame.start + len(frame.opener)
    is_first = cursor.text[first:at].strip(HOLE) == ""
    placement.starts_word = is_first and placement.is_argument
    placement.follows_expressions = placement.starts_word and at > first
    for each in cursor.frames:
        if each.word is not None:
            each.word.add_hole(index, is_own=False)
