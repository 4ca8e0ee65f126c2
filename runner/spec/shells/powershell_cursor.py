"""The state of one reading of a PowerShell script: how far it is, what is open, what was found.

It knows nothing of the syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from runner.spec.shells.cursor import HOLE, Fault
from runner.spec.shells.powershell_places import PowerShellPlace, PowerShellPlacement
from runner.spec.shells.words import Word


class Mode(Enum):
    START = auto()
    COMMAND = auto()
    EXPRESSION = auto()


class Kind(Enum):
    STATEMENTS = auto()
    STRING = auto()
    HERE_STRING = auto()


@dataclass(slots=True)
class Frame:
    kind: Kind
    start: int
    opener: str = ""
    closer: str = ""
    mode: Mode = Mode.START
    takes_value: bool = False  # where a command could start, a value may stand
    is_called: bool = False  # behind `&` or `.`: the next word is a command's name
    is_table: bool = False
    is_compound: bool = False  # an `if`, a loop or the like: behind a block more can follow
    place: PowerShellPlace | None = None  # why no expression may stand here at all
    word: Word | None = None
    words: list[Word] = field(default_factory=list)
    commands: list[list[Word]] = field(default_factory=list)
    holes: list[int] = field(default_factory=list)  # of the statement, nested ones included


class PowerShellCursor:
    """A position in a script, and the frames that are open there."""

    def __init__(self, script: str, raw_holes: frozenset[int]) -> None:
        self.text = script
        self.raw_holes = raw_holes
        self.position = 0
        self.frames = [Frame(Kind.STATEMENTS, 0)]
        self.placements: list[PowerShellPlacement] = []
        self.positions: list[int] = []
        self.faults: list[Fault] = []
        self.refused: set[int] = set()
        self.quotes: list[int] = []

    def add_hole(self) -> tuple[int, PowerShellPlacement]:
        """An expression, counted in the statements around it too."""
        placement = PowerShellPlacement()
        self.placements.append(placement)
        self.positions.append(self.position)
        for frame in self.frames:
            frame.holes.append(len(self.placements) - 1)
        return len(self.placements) - 1, placement

    def word(self, frame: Frame, start: int | None = None) -> Word:
        """The word being read in a frame; a new one where none is."""
        if frame.word is None:
            frame.word = Word(self.position if start is None else start)
        return frame.word

    def outer_word(self) -> Word:
        """The word around this place, however deep in strings it is."""
        frame = next(each for each in reversed(self.frames) if each.kind is Kind.STATEMENTS)
        return self.word(frame)

    def skip(self, end: int, place: PowerShellPlace) -> None:
        """Goes to `end` over text in which an expression has no business."""
        while self.position < end:
            if self.text[self.position] == HOLE:
                index, _ = self.add_hole()
                self.misplace(index, place)
            self.position += 1

    def unclosed(self, start: int, opener: str, *, is_quote: bool) -> None:
        """Says so, and takes back what only followed from it."""
        shown = opener.strip()
        message = f"{'the quote ' if is_quote else ''}`{shown}` is never closed"
        code = "unclosed-quote" if is_quote else "unclosed"
        self.faults = [fault for fault in self.faults if fault.position < start]
        self.faults.append(Fault(start, len(shown), code, message, None))

    def misplace(self, hole: int, place: PowerShellPlace) -> None:
        """Says once what is wrong with the place of an expression."""
        self.refuse(hole, place.message, place.hint)

    def refuse(self, hole: int, message: str, hint: str) -> None:
        """Says once what is wrong with an expression."""
        if hole not in self.raw_holes and hole not in self.refused:
            self.refused.add(hole)
            fault = Fault(self.positions[hole], 1, "misplaced-expression", message, hint)
            self.faults.append(fault)

    def begin(self, frame: Frame) -> None:
        """Something that is no bare word: where a statement starts, it starts a calculation."""
        if frame.mode is Mode.START and frame.word is None:
            frame.mode = Mode.COMMAND if frame.is_called else Mode.EXPRESSION

    def push(
        self,
        opener: str,
        closer: str,
        place: PowerShellPlace | None = None,
        mode: Mode = Mode.START,
    ) -> None:
        """Enters what `opener` opens and goes on behind it."""
        outer = self.frames[-1]
        frame = Frame(Kind.STATEMENTS, self.position, opener, closer, mode)
        frame.takes_value = opener[-1] == "("
        frame.is_table = opener == "@{"
        frame.place = place or outer.place
        self.frames.append(frame)
        self.position += len(opener)
