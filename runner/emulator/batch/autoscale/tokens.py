"""Cuts a formula into tokens with their positions.

It must not know the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from runner.emulator.batch.autoscale.faults import FaultKind, FormulaError, Position
from runner.emulator.storage.record import record


class TokenKind(Enum):
    """The kinds of tokens."""

    NUMBER = "number"
    STRING = "string"
    NAME = "name"
    MARK = "mark"
    END = "end"


@record(frozen=True, slots=True)
class Token:
    """One token; the text of a string is without its quotes."""

    kind: TokenKind
    text: str
    position: Position


_PIECE = re.compile(
    r"(?P<space>[ \t\r\n\f]+|//[^\n]*)"
    r"|(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r'|"(?P<string>[^"\n]*)"'
    r"|(?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<mark>&&|\|\||[<>=!]=|[-+*/<>=!?:;,.()\[\]])"
)


def cut(text: str) -> Iterator[Token]:
    """The tokens, with an end; raises `FormulaError`."""
    at, line, line_start = 0, 1, 0
    while at < len(text):
        position = Position(line, at - line_start + 1)
        match = _PIECE.match(text, at)
        if match is None:
            what = "Unterminated string" if text[at] == '"' else f"Unexpected character: {text[at]}"
            raise FormulaError(position, what, kind=FaultKind.SYNTAX)
        at = match.end()
        kind = match.lastgroup
        if kind != "space" and kind is not None:
            yield Token(TokenKind(kind), match[kind], position)
        newlines = match[0].count("\n")
        if newlines:
            line += newlines
            line_start = match.start() + match[0].rindex("\n") + 1
    yield Token(TokenKind.END, "end of formula", Position(line, at - line_start + 1))
