"""Which characters of a template the characters of the script made from it come from.

It knows nothing of values: the literal text of the template is looked for in the script.
"""

from __future__ import annotations

import re

from runner.frozen import dataclass
from runner.spec.templates.segments import Literal, cut

# What carries values stands before the script: `v1='...'; `, as `spec.shell_posix` writes it.
_ASSIGNMENTS = re.compile(r"(?:(?:export )?v[1-9][0-9]*='[^']*'(?:\\''[^']*')*; )*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the script from `start` on, and where it is written in the template.

    `length` is that of the expression in the template; of literal text 0.
    """

    start: int
    written: int
    length: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """The pieces of a script in their order; what is before the first is nobody's writing."""

    pieces: tuple[Piece, ...]

    def locate(self, start: int, end: int) -> tuple[int, int] | None:
        """The characters of the template for those of the script; None where there are none."""
        first = self._piece_at(start)
        if first is None:
            return None
        from_offset = first.written if first.length else first.written + start - first.start
        last = self._piece_at(max(start, end - 1)) or first
        to_offset = last.written + (last.length or end - last.start)
        return from_offset, max(from_offset, to_offset)

    def _piece_at(self, offset: int) -> Piece | None:
        before = [piece for piece in self.pieces if piece.start <= offset]
        return before[-1] if before else None


def align(template: str, script: str) -> Alignment | None:
    """None where the script does not hold the template's text in its order."""
    segments, faults = cut(template)
    if faults:
        return None
    assigned = _ASSIGNMENTS.match(script)
    at = assigned.end() if assigned else 0
    pieces: list[Piece] = []
    may_skip = False
    for number, segment in enumerate(segments):
        if not isinstance(segment, Literal):
            if not may_skip:
                pieces.append(Piece(at, segment.offset, segment.length))
            may_skip = True
            continue
        text = segment.text
        is_last = number == len(segments) - 1
        found = len(script) - len(text) if is_last else script.find(text, at)
        if found < at or not script.startswith(text, found) or (found > at and not may_skip):
            return None
        pieces.append(Piece(found, segment.offset, 0))
        at, may_skip = found + len(text), False
    return Alignment(tuple(pieces)) if may_skip or at == len(script) else None
