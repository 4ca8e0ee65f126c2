"""Parses the text of a `$filter` into an expression.

It must not know which properties there are.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from runner.emulator.batch.operations.wire import parse_moment
from runner.emulator.storage.record import record


class Operator(Enum):
    """How a property is compared."""

    EQ = "eq"
    NE = "ne"
    GE = "ge"
    GT = "gt"
    LE = "le"
    LT = "lt"
    STARTSWITH = "startswith"


Literal: TypeAlias = "str | int | float | bool | datetime | None"


@record(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`property operator value`, or `startswith(property, value)`."""

    path: str
    operator: Operator
    value: Literal


@record(frozen=True, slots=True, kw_only=True)
class Conjunction:
    """All of the parts."""

    parts: tuple[Expression, ...]


@record(frozen=True, slots=True, kw_only=True)
class Disjunction:
    """Any of the parts."""

    parts: tuple[Expression, ...]


Expression: TypeAlias = Comparison | Conjunction | Disjunction


class FilterError(Exception):
    """The text is not a filter; the message says why."""


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<moment>datetime\s*'(?P<time>[^']*)')
    |(?P<string>'(?:[^']|'')*')
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_/]*)
    |(?P<mark>[(),])
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_DEEPEST = 50
_LONGEST_NUMBER = 40


@record(frozen=True, slots=True, kw_only=True)
class _Token:
    kind: str
    text: str
    value: Literal = None


def parse_filter(text: str) -> Expression:
    """The expression; `and` binds tighter than `or`. Raises `FilterError`."""
    parser = _Parser(_tokens(text))
    expression = parser.disjunction(depth=0)
    parser.expect_end()
    return expression


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(f"Syntax error at position {position}")
        tokens.append(_token(match))
        position = match.end()
    return tokens


def _token(match: re.Match[str]) -> _Token:
    text = match.group().strip()
    if match["moment"] is not None:
        moment = parse_moment(match["time"])
        if moment is None:
            raise FilterError(f"{text} is not a time")
        return _Token(kind="literal", text=text, value=moment)
    if match["string"] is not None:
        return _Token(kind="literal", text=text, value=text[1:-1].replace("''", "'"))
    if match["number"] is not None:
        if len(text) > _LONGEST_NUMBER:
            raise FilterError(f"{text[:_LONGEST_NUMBER]}... is not a number")
        value = float(text) if "." in text else int(text)
        return _Token(kind="literal", text=text, value=value)
    if match["mark"] is not None:
        return _Token(kind="mark", text=text)
    if text.lower() in ("true", "false"):
        return _Token(kind="literal", text=text, value=text.lower() == "true")
    return _Token(kind="word", text=text)


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def disjunction(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise FilterError("The expression is nested too deeply")
        parts = [self._conjunction(depth)]
        while self._take_word("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Disjunction(parts=tuple(parts))

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise FilterError(f"Unexpected {self._tokens[self._next].text}")

    def _conjunction(self, depth: int) -> Expression:
        parts = [self._term(depth)]
        while self._take_word("and"):
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else Conjunction(parts=tuple(parts))

    def _term(self, depth: int) -> Expression:
        if self._take_mark("("):
            inner = self.disjunction(depth + 1)
            self._need_mark(")")
            return inner
        word = self._need("word", "a property").text
        if word.lower() == "startswith" and self._take_mark("("):
            path = self._need("word", "a property").text
            self._need_mark(",")
            value = self._need("literal", "a value").value
            self._need_mark(")")
            return Comparison(path=path, operator=Operator.STARTSWITH, value=value)
        operator = self._need("word", "an operator").text
        if operator not in ("eq", "ne", "ge", "gt", "le", "lt"):
            raise FilterError(f"{operator} is not an operator")
        value = self._need("literal", "a value").value
        return Comparison(path=word, operator=Operator(operator), value=value)

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _need(self, kind: str, what: str) -> _Token:
        token = self._peek()
        if token is None or token.kind != kind:
            found = "the end" if token is None else token.text
            raise FilterError(f"Expected {what} instead of {found}")
        self._next += 1
        return token

    def _need_mark(self, mark: str) -> None:
        if not self._take_mark(mark):
            token = self._peek()
            raise FilterError(f"Expected {mark} instead of {token.text if token else 'the end'}")

    def _take_mark(self, mark: str) -> bool:
        return self._take("mark", mark)

    def _take_word(self, word: str) -> bool:
        return self._take("word", word)

    def _take(self, kind: str, text: str) -> bool:
        token = self._peek()
        if token is None or token.kind != kind or token.text != text:
            return False
        self._next += 1
        return True
