"""An expression in a script: whether it may stand there, and how its value can be passed.

It knows the frames around the place and the characters beside it, nothing of how those were read.
"""

from __future__ import annotations

import re

from runner.spec.shells.cursor import Cursor
from runner.spec.shells.posix_places import PosixPlace
from runner.spec.shells.words import Expect, Frame, Inline, Kind, Placement, Word

_ASSIGNS_BEHIND = re.compile(r"[A-Za-z0-9_]*(?:\[|\+?=)", re.ASCII)
_REFUSING = {
    Kind.DOUBLE_QUOTES: PosixPlace.DOUBLE_QUOTES,
    Kind.PARAMETER: PosixPlace.PARAMETER,
    Kind.ARITHMETIC: PosixPlace.ARITHMETIC,
    Kind.SUBSCRIPT: PosixPlace.SUBSCRIPT,
}
_CALCULATED = frozenset({Kind.ARITHMETIC, Kind.SUBSCRIPT})
_OPTION_PLACES = frozenset({Expect.COMMAND, Expect.ARGUMENT, Expect.LOOP_ITEM})


def read_hole(cursor: Cursor, place: PosixPlace | None) -> None:
    """An expression; `place` where what stands before it already rules it out."""
    index = cursor.add_hole(cursor.position)
    frame = cursor.frames[-1]
    if index not in cursor.raw_holes:
        place = place or _place(cursor, frame)
    word = cursor.outer_word()
    cursor.position += 1
    if index in cursor.raw_holes:
        word.add_expansion()
        return
    if place is not None:
        word.add_expansion()
        cursor.misplace(index, place.message, place.hint)
        return
    _place_hole(cursor, cursor.placements[index], frame, word)
    for each in cursor.frames:
        if each.word is not None:
            each.word.add_hole(index, is_own=each is frame)


def _place(cursor: Cursor, frame: Frame) -> PosixPlace | None:
    """Why the expression at the cursor may not stand there."""
    if frame.kind in _REFUSING:
        return _REFUSING[frame.kind]
    for each in cursor.frames:
        if each.kind in _CALCULATED:
            return _REFUSING[each.kind]
    if frame.redirection in {"<<", "<<-"}:
        return PosixPlace.DELIMITER
    if frame.redirection in {">&", "<&"}:
        return PosixPlace.DESCRIPTOR
    text, at, word = cursor.text, cursor.position, frame.word
    if word is not None and word.has_brace:
        before = text[max(at - 2, 0) : at]
        if before == ".." or text.startswith("..", at + 1):
            return PosixPlace.SEQUENCE
    if frame.kind is Kind.COMMANDS and frame.expect is Expect.COMMAND:
        is_name = not frame.redirection and (word is None or word.could_be_name)
        if is_name and _ASSIGNS_BEHIND.match(text, at + 1):
            return PosixPlace.VARIABLE
    return None


def _place_hole(cursor: Cursor, placement: Placement, frame: Frame, word: Word) -> None:
    following = cursor.text[cursor.position : cursor.position + 1]
    in_commands = frame.kind is Kind.COMMANDS
    is_target = frame.redirection is not None
    if (
        frame.kind is Kind.CONDITION
        or (following and following in "<>~")
        or word.has_brace
        or word.has_bracket
        or word.has_open_tilde
        or word.ends_in_name
    ):
        placement.inline = Inline.NEVER
    elif (
        in_commands
        and not is_target
        and not word.assigns
        and frame.expect in {Expect.COMMAND, Expect.PATTERN}
    ):
        placement.inline = Inline.GUARDED
    is_option_place = frame.kind is Kind.ITEMS or (
        in_commands
        and (frame.redirection != "<<<" if is_target else frame.expect in _OPTION_PLACES)
    )
    placement.starts_word = word.is_empty and is_option_place
    placement.follows_expressions = placement.starts_word and bool(word.own_holes)
