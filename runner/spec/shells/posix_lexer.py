"""Reads a bash script in one pass and says how the value of each expression in it can be passed.

It knows nothing of expressions or values: where one stands, the script has a NUL character.

Reading is linear. A mistake in it costs a wrong word rather than a command: values are passed in
variables, and bash runs nothing that a variable holds where it expands one.
"""

from __future__ import annotations

import re

from runner.frozen import dataclass
from runner.spec.shells.code import (
    DECLARING_BUILTINS,
    calculated_in,
    check_assignments,
    check_condition,
    find_calculated,
)
from runner.spec.shells.cursor import TOKENS, Cursor, Fault, TooDeepError
from runner.spec.shells.grammar import end_command, take_separator, take_word
from runner.spec.shells.posix_places import PosixPlace
from runner.spec.shells.quoting import read_nested, read_special
from runner.spec.shells.words import Expect, Frame, Kind, Placement, Word

_BARE = re.compile(r"""[^\s;&|()<>"'`$\\#\[\0]+|\s""")
_DESCRIPTOR = re.compile(r"[0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\}", re.ASCII)
_REDIRECTION = re.compile(r"&>>|&>|<<<|<<-|<<|<&|<>|>>|>&|>\||<|>")
_BASH_REDIRECTIONS = frozenset({"&>>", "&>", "<<<"})
_BASH_SEPARATORS = frozenset({";;&", ";&", "|&"})
_BASH_WORDS = frozenset({"[[", "function", "select", "coproc"})
_SEPARATOR = re.compile(r";;&|;;|;&|;|&&|\|\||\|&|&|\||\n")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_APPENDS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+=", re.ASCII)
_WORD_PLACES = frozenset({Expect.ARGUMENT, Expect.LOOP_ITEM})
_LINE = re.compile(r"[^\n]*")


@dataclass(frozen=True, slots=True)
class Reading:
    """How to pass each expression, in order, and what is wrong.

    `extensions`: the places and texts of what POSIX shells would read as something else.
    """

    placements: tuple[Placement, ...]
    faults: tuple[Fault, ...]
    extensions: tuple[tuple[int, str], ...]


def read_script(script: str, raw_holes: frozenset[int] = frozenset()) -> Reading:
    """Reads a script with a NUL for each expression; those in `raw_holes` may stand anywhere."""
    cursor = Cursor(script, raw_holes)
    _run(cursor)
    cursor.misplace_all(check_assignments(script, cursor.assignments))
    calculated = find_calculated(script, cursor.calculated, cursor.subscripted)
    for name, word in cursor.bound:
        if name in calculated:
            for hole in word.own_holes:
                cursor.placements[hole].calculated = name
    return Reading(tuple(cursor.placements), tuple(cursor.faults), tuple(cursor.extensions))


def _run(cursor: Cursor) -> None:
    """Reads to the end; never raises."""
    try:
        while cursor.position < len(cursor.text):
            frame = cursor.frames[-1]
            if frame.kind in TOKENS:
                _read_token(cursor, frame)
            else:
                read_nested(cursor, frame)
    except TooDeepError:
        return
    if cursor.frames[-1].kind in TOKENS:
        _end_word(cursor, cursor.frames[-1])
    innermost = cursor.frames[-1]
    if innermost.opener and not cursor.is_cut:
        cursor.unclosed(innermost.start, innermost.opener)
    elif innermost.kind is Kind.COMMANDS:
        cursor.misplace_all(end_command(innermost))


def _read_token(cursor: Cursor, frame: Frame) -> None:
    """One step where words and operators are read."""
    character = cursor.text[cursor.position]
    if character in " \t":
        _end_word(cursor, frame)
        cursor.position += 1
    elif character == "\n":
        _read_newline(cursor, frame)
    elif character in ";&|()<>":
        _read_operator(cursor, frame, character)
    elif character == "#" and frame.word is None:
        _read_comment(cursor)
    elif character == "[":
        _read_bracket(cursor, frame)
    elif not read_special(cursor, frame, character):
        bare = _BARE.match(cursor.text, cursor.position)
        found = bare.group() if bare else character
        cursor.word(frame).add_bare(found)
        cursor.position += len(found)


def _read_comment(cursor: Cursor) -> None:
    end = cursor.text.find("\n", cursor.position)
    end = len(cursor.text) if end < 0 else end
    cursor.skip(cursor.position, end, PosixPlace.COMMENT)
    cursor.position = end


def _read_bracket(cursor: Cursor, frame: Frame) -> None:
    word = frame.word
    is_item = frame.kind is Kind.ITEMS and word is None
    is_variable = (
        frame.kind is Kind.COMMANDS
        and frame.expect is Expect.COMMAND
        and frame.redirection is None
        and word is not None
        and word.could_be_name
        and not word.holes
        and not cursor.text[word.start].isdigit()
    )
    if is_item or is_variable:
        cursor.extend("[")
        cursor.word(frame).add_expansion()
        cursor.push(Kind.SUBSCRIPT, "[")
    else:
        cursor.word(frame).add_bare("[")
        cursor.position += 1


def _read_newline(cursor: Cursor, frame: Frame) -> None:
    _end_word(cursor, frame)
    frame = cursor.frames[-1]
    frame.redirection = None
    if frame.kind is Kind.COMMANDS:
        cursor.misplace_all(take_separator(frame, "\n"))
    cursor.position += 1
    documents, cursor.documents = cursor.documents, []
    for delimiter, strips, is_quoted in documents:
        _read_document(cursor, delimiter, strips=strips, is_quoted=is_quoted)


def _read_document(cursor: Cursor, delimiter: str, *, strips: bool, is_quoted: bool) -> None:
    """The body of a here-document; in `$(...)` the `)` may follow its delimiter."""
    start = cursor.position
    is_nested = any(frame.closer == ")" for frame in cursor.frames)
    continues = False
    while cursor.position < len(cursor.text):
        found = _LINE.match(cursor.text, cursor.position)
        line = found.group() if found else ""
        content = line.lstrip("\t") if strips else line
        is_end = content == delimiter
        if not continues and (is_end or (is_nested and content.startswith(f"{delimiter})"))):
            cursor.skip(start, cursor.position, PosixPlace.HERE_DOCUMENT)
            if not is_end:
                cursor.extend(f"{delimiter})")
            cursor.position += len(line) - len(content) + len(delimiter) + is_end
            return
        backslashes = len(line) - len(line.rstrip("\\"))
        continues = not is_quoted and backslashes % 2 == 1
        cursor.position += len(line) + 1
    cursor.skip(start, len(cursor.text), PosixPlace.HERE_DOCUMENT)


def _read_operator(cursor: Cursor, frame: Frame, character: str) -> None:
    if character in "<>" and cursor.text.startswith("(", cursor.position + 1):
        cursor.extend(f"{character}(")
        cursor.word(frame).add_expansion()
        cursor.push(Kind.COMMANDS, f"{character}(", closer=")")
    elif frame.kind is Kind.CONDITION:
        _end_word(cursor, frame)
        frame.words.append(None)
        cursor.position += 1
    elif frame.kind is Kind.ITEMS:
        _read_items_operator(cursor, frame, character)
    elif character == "(":
        _read_parenthesis(cursor, frame)
    elif character == ")":
        _close_commands(cursor, frame)
    else:
        _read_command_operator(cursor, frame)


def _read_items_operator(cursor: Cursor, frame: Frame, character: str) -> None:
    if character == "(":
        cursor.word(frame).add_expansion()
        cursor.push(Kind.ITEMS, "(", closer=")")
        return
    _end_word(cursor, frame)
    cursor.position += 1
    if character == ")":
        cursor.frames.pop()


def _read_command_operator(cursor: Cursor, frame: Frame) -> None:
    redirection = _REDIRECTION.match(cursor.text, cursor.position)
    if redirection is not None:
        word = frame.word
        if redirection.group() in _BASH_REDIRECTIONS:
            cursor.extend(redirection.group())
        if word is not None and word.is_bare and _DESCRIPTOR.fullmatch(word.text or ""):
            if len(word.text or "") > 1:  # a word of its own to others
                cursor.extend(f"{word.text}{redirection.group()}", word.start)
            frame.word = None
        _end_word(cursor, frame)
        frame = cursor.frames[-1]
        frame.redirection = redirection.group()
        frame.is_prefixed = frame.expect is Expect.COMMAND
        cursor.position = redirection.end()
        return
    separator = _SEPARATOR.match(cursor.text, cursor.position)
    found = separator.group() if separator else ";"
    if found in _BASH_SEPARATORS:
        cursor.extend(found)
    _end_word(cursor, frame)
    frame = cursor.frames[-1]
    cursor.position += len(found)
    frame.redirection = None
    if frame.kind is Kind.COMMANDS:
        cursor.misplace_all(take_separator(frame, found))


def _read_parenthesis(cursor: Cursor, frame: Frame) -> None:
    word, before = frame.word, cursor.text[cursor.position - 1 : cursor.position]
    if word is not None:
        is_list = word.assigns and before == "="
        if is_list or (before in "?*+@!" and word.text != "!"):
            cursor.extend(f"{before}(", cursor.position - 1)
            word.add_expansion()
            cursor.push(Kind.ITEMS, "(", closer=")", is_list=is_list)
            return
        _end_word(cursor, frame)
    if frame.expect is Expect.PATTERN:
        cursor.position += 1
    elif cursor.text.startswith("((", cursor.position) and frame.expect in {
        Expect.COMMAND,
        Expect.LOOP_NAME,
    }:
        frame.expect = Expect.COMMAND
        cursor.extend("((")
        cursor.push(Kind.ARITHMETIC, "((", closer="))")
    else:
        for each in frame.words:
            for hole in each.holes if each is not None else ():
                cursor.misplace(hole, PosixPlace.FUNCTION.message, PosixPlace.FUNCTION.hint)
        frame.words = []
        frame.expect = Expect.COMMAND
        cursor.push(Kind.COMMANDS, "(", closer=")")


def _close_commands(cursor: Cursor, frame: Frame) -> None:
    _end_word(cursor, frame)
    frame = cursor.frames[-1]
    frame.redirection = None
    cursor.position += 1
    if frame.kind is not Kind.COMMANDS:
        return
    if frame.expect is Expect.PATTERN:
        frame.expect = Expect.COMMAND
        return
    cursor.misplace_all(end_command(frame))
    if frame.closer:
        cursor.frames.pop()


def _end_word(cursor: Cursor, frame: Frame) -> None:
    """The word that was being read, if any, is complete."""
    word, frame.word = frame.word, None
    if word is None:
        return
    redirection, frame.redirection = frame.redirection, None
    if redirection is not None:
        if redirection in {"<<", "<<-"}:
            written = cursor.text[word.start : cursor.position]
            delimiter = written if word.text is None else word.text
            cursor.documents.append((delimiter, redirection == "<<-", not word.is_bare))
    elif frame.kind is Kind.CONDITION:
        _take_condition_word(cursor, frame, word)
    elif frame.kind is Kind.COMMANDS:
        if word.is_hole and frame.expect in _WORD_PLACES:
            cursor.placements[word.holes[0]].is_word = True
        _take_command_word(cursor, frame, word)
    elif frame.is_list and word.is_hole:
        cursor.placements[word.holes[0]].is_word = True


def _take_condition_word(cursor: Cursor, frame: Frame, word: Word) -> None:
    if word.is_bare and word.text == "]]":
        cursor.misplace_all(check_condition(frame.words))
        cursor.calculated.update(calculated_in(frame.words))
        cursor.frames.pop()
    else:
        frame.words.append(word)


def _take_command_word(cursor: Cursor, frame: Frame, word: Word) -> None:
    if frame.expect is Expect.COMMAND:
        if word.is_bare and word.text in _BASH_WORDS:
            cursor.extend(word.text or "", word.start)
        if word.assigns and _APPENDS.match(cursor.text, word.start):
            cursor.extend("+=", cursor.text.index("+=", word.start))
        if word.is_bare and word.text == "[[" and not frame.is_prefixed:
            cursor.enter(Frame(Kind.CONDITION, word.start, "[["))
            return
        if word.is_hole:
            cursor.placements[word.holes[0]].is_command = True
    if word.assigns and word.holes and _is_assignment_place(frame):
        cursor.assignments.append(word)
        name = _NAME.match(cursor.text, word.start)
        if name is not None:
            cursor.bound.append((name.group(), word))
    if frame.expect is Expect.LOOP_NAME:
        frame.loop_name = word.text
    elif frame.expect is Expect.LOOP_ITEM and frame.loop_name is not None:
        cursor.bound.append((frame.loop_name, word))
    cursor.misplace_all(take_word(frame, word))


def _is_assignment_place(frame: Frame) -> bool:
    """Before a command's name, or behind a builtin that declares."""
    first = frame.words[0] if frame.words else None
    return first is None or first.text in DECLARING_BUILTINS
