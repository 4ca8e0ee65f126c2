"""A text with a name, and the way from character offsets to lines and columns.

It knows nothing of what the text means.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import field

from runner.frozen import dataclass
from runner.spec.problem import Position, Problem, Span

# What editors count as the end of a line; YAML 1.1's NEL, LS and PS are not among them.
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text under the name that the user gave it."""

    name: str
    text: str
    _line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = (0, *(match.end() for match in _LINE_BREAK.finditer(self.text)))
        object.__setattr__(self, "_line_starts", starts)

    def position(self, offset: int) -> Position:
        """Where a character is; an offset outside the text is moved to its nearest end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._line_starts, offset)
        return Position(line=line, column=offset - self._line_starts[line - 1] + 1)

    def span(self, start: int, end: int) -> Span:
        """From offset `start` to just behind offset `end - 1`."""
        return Span(start=self.position(start), end=self.position(max(start, end)))

    def line_start(self, number: int) -> int:
        """The offset of the first character of a line counted from 1."""
        return self._line_starts[number - 1]

    def line(self, number: int) -> str:
        """The text of a line counted from 1, without its end; empty behind the last one."""
        if not 1 <= number <= len(self._line_starts):
            return ""
        start = self.line_start(number)
        broken = _LINE_BREAK.search(self.text, start)
        return self.text[start : broken.start() if broken else len(self.text)]

    def problem_at(
        self, span: Span, *, code: str, message: str, hint: str | None = None
    ) -> Problem:
        """A problem with its line of text."""
        return Problem(
            file=self.name,
            span=span,
            code=code,
            message=message,
            hint=hint,
            source_line=self.line(span.start.line),
        )

    def problem(
        self, start: int, end: int, *, code: str, message: str, hint: str | None = None
    ) -> Problem:
        """A problem with the characters from offset `start` up to `end`."""
        return self.problem_at(self.span(start, end), code=code, message=message, hint=hint)
