"""The state of one reading of a script: how far it is, what is open there, and what was found.

It knows nothing of shell syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runner.frozen import dataclass
from runner.spec.shells.code import Misplaced
from runner.spec.shells.posix_places import PosixPlace
from runner.spec.shells.words import Expect, Frame, Kind, Placement, Word

HOLE = "\0"
"""What stands in a script for an expression."""

TOKENS = frozenset({Kind.COMMANDS, Kind.ITEMS, Kind.CONDITION})
"""Where words and operators are read."""

_DEEPEST = 100
_QUOTING = frozenset({Kind.DOUBLE_QUOTES})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at characters of the script."""

    position: int
    length: int
    code: str
    message: str
    hint: str | None


class TooDeepError(Exception):
    """The script is nested deeper than it is read; its fault has been noted."""


class Cursor:
    """A position in a script, and the frames that are open there."""

    def __init__(self, script: str, raw_holes: frozenset[int]) -> None:
        self.text = script
        self.raw_holes = raw_holes
        self.position = 0
        self.frames = [Frame(Kind.COMMANDS, 0)]
        self.placements: list[Placement] = []
        self.hole_positions: list[int] = []
        self.assignments: list[Word] = []  # with expressions in their values
        self.bound: list[tuple[str, Word]] = []  # variables, and the expressions they get
        self.calculated: set[str] = set()  # variables in arithmetic
        self.subscripted: set[str] = set()  # the same in subscripts
        self.refused: set[int] = set()
        self.faults: list[Fault] = []
        self.extensions: list[tuple[int, str]] = []  # what bash has and POSIX has not
        self.is_cut = False  # by a quote that is never closed
        self.documents: list[tuple[str, bool, bool]] = []  # delimiter, strips tabs, is quoted

    def word(self, frame: Frame) -> Word:
        """The word being read in a frame; a new one where none is."""
        if frame.word is None:
            frame.word = Word(self.position)
            if frame.kind is Kind.COMMANDS and frame.redirection is None:
                assignment = _ASSIGNMENT.match(self.text, self.position)
                is_place = frame.expect in {Expect.COMMAND, Expect.ARGUMENT}
                frame.word.assigns = is_place and assignment is not None
        return frame.word

    def outer_word(self) -> Word:
        """The word around this place, however deep in quotes and braces it is."""
        return self.word(next(each for each in reversed(self.frames) if each.kind in TOKENS))

    def mention(self, names: Iterable[str]) -> None:
        """Notes variables, where their values are calculated with."""
        kind = next(each.kind for each in reversed(self.frames) if each.kind not in _QUOTING)
        if kind is Kind.ARITHMETIC:
            self.calculated.update(names)
        elif kind is Kind.SUBSCRIPT:
            self.subscripted.update(names)

    def quote(self, text: str) -> None:
        self.outer_word().add_quoted(text)

    def push(self, kind: Kind, opener: str, *, closer: str = "", is_list: bool = False) -> None:
        """Enters what `opener` opens and goes on behind it."""
        self.enter(Frame(kind, self.position, opener, closer, is_list=is_list))
        self.position += len(opener)

    def extend(self, shown: str, position: int | None = None) -> None:
        """Notes what POSIX shells read as something else."""
        self.extensions.append((self.position if position is None else position, shown))

    def enter(self, frame: Frame) -> None:
        if len(self.frames) >= _DEEPEST:
            message = f"the script is nested more than {_DEEPEST} deep"
            self.fault(frame.start, len(frame.opener), "too-deep", message, None)
            raise TooDeepError
        self.frames.append(frame)

    def add_hole(self, position: int) -> int:
        self.hole_positions.append(position)
        self.placements.append(Placement())
        return len(self.placements) - 1

    def skip(self, start: int, end: int, place: PosixPlace | None) -> None:
        """Goes to `end` over text in which an expression has no business."""
        at = self.text.find(HOLE, start, end)
        while at >= 0:
            index = self.add_hole(at)
            if place is not None:
                self.misplace(index, place.message, place.hint)
            at = self.text.find(HOLE, at + 1, end)
        self.position = end

    def misplace_all(self, misplaced: Iterable[Misplaced]) -> None:
        for hole, message, hint in misplaced:
            self.misplace(hole, message, hint)

    def misplace(self, hole: int, message: str, hint: str) -> None:
        """Says once what is wrong with the place of an expression."""
        if hole not in self.raw_holes and hole not in self.refused:
            self.refused.add(hole)
            at = self.hole_positions[hole]
            self.fault(at, 1, "misplaced-expression", message, hint)

    def unclosed(self, start: int, opener: str) -> None:
        """Says so, and takes back what only followed from it."""
        self.is_cut = True
        shown = "of backticks" if opener == "`" else f"`{opener}`"
        is_quote = opener[-1] in "'\"`"
        code = "unclosed-quote" if is_quote else "unclosed"
        message = f"{'the quote ' if is_quote else ''}{shown} is never closed"
        self.faults = [fault for fault in self.faults if fault.position < start]
        self.fault(start, len(opener), code, message, None)

    def fault(self, position: int, length: int, code: str, message: str, hint: str | None) -> None:
        self.faults.append(Fault(position, length, code, message, hint))
