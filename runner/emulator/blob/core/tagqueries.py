"""Reads and evaluates the expressions that find blobs by their tags.

Source: "Find Blobs by Tags" and "Specifying conditional headers", `x-ms-if-tags`: comparisons of a
double-quoted tag or `@container` with a single-quoted value, joined by AND, or by OR in
conditions. It must not know where blobs are kept.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

from runner.emulator.storage.record import record

CONTAINER = "@container"

_TOKEN = re.compile(
    r"""\s*(?:(?P<tag>"(?:[^"]|"")*"|@container|[A-Za-z_]\w*)
    |(?P<value>'(?:[^']|'')*')
    |(?P<operator><>|<=|>=|=|<|>)
    |(?P<bracket>[()]))""",
    re.VERBOSE,
)
_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LARGEST_DEPTH = 20


class ConditionError(Exception):
    """An expression that cannot be read; the message says where."""


@record(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A tag, an operator, and the value that it is compared with."""

    name: str
    operator: str
    value: str


@record(frozen=True, slots=True, kw_only=True)
class Junction:
    """Conditions that must all hold, or one of which must."""

    every: bool
    parts: tuple[Condition, ...]


Condition = Comparison | Junction


def parse_condition(text: str) -> Condition:
    """The expression; raises `ConditionError`."""
    parser = _Parser(text)
    condition = parser.read_any(0)
    parser.expect_end()
    return condition


def holds(condition: Condition, tags: Mapping[str, str]) -> bool:
    """Whether a blob with these tags is meant; a tag that it has not fulfils nothing."""
    if isinstance(condition, Junction):
        test = all if condition.every else any
        return test(holds(part, tags) for part in condition.parts)
    value = tags.get(condition.name)
    return value is not None and _COMPARISONS[condition.operator](value, condition.value)


def name_tags(condition: Condition) -> frozenset[str]:
    """The tags that the expression names."""
    if isinstance(condition, Junction):
        return frozenset().union(*(name_tags(part) for part in condition.parts))
    return frozenset({condition.name})


class _Parser:
    """Reads from left to right; OR binds weaker than AND."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def read_any(self, depth: int) -> Condition:
        """Conditions joined by OR."""
        parts = [self._read_all(depth)]
        while self._take_word("or"):
            parts.append(self._read_all(depth))
        return parts[0] if len(parts) == 1 else Junction(every=False, parts=tuple(parts))

    def expect_end(self) -> None:
        """Refuses what follows the expression."""
        if self._text[self._position :].strip():
            raise self._error("the end of the expression")

    def _read_all(self, depth: int) -> Condition:
        parts = [self._read_one(depth)]
        while self._take_word("and"):
            parts.append(self._read_one(depth))
        return parts[0] if len(parts) == 1 else Junction(every=True, parts=tuple(parts))

    def _read_one(self, depth: int) -> Condition:
        if self._take("bracket", "("):
            if depth == _LARGEST_DEPTH:
                raise ConditionError("the expression is nested too deeply")
            inner = self.read_any(depth + 1)
            if not self._take("bracket", ")"):
                raise self._error("')'")
            return inner
        name = self._take("tag")
        if name is None or name.lower() in ("and", "or"):
            raise self._error("a tag's name")
        sign = self._take("operator")
        if sign is None:
            raise self._error("a comparison")
        value = self._take("value")
        if value is None:
            raise self._error("a value in single quotes")
        if name.startswith('"'):
            name = name[1:-1].replace('""', '"')
        return Comparison(name=name, operator=sign, value=value[1:-1].replace("''", "'"))

    def _take(self, kind: str, text: str | None = None) -> str | None:
        match = _TOKEN.match(self._text, self._position)
        if match is None or match[kind] is None or (text is not None and match[kind] != text):
            return None
        self._position = match.end()
        return match[kind]

    def _take_word(self, word: str) -> bool:
        match = _TOKEN.match(self._text, self._position)
        if match is None or (match["tag"] or "").lower() != word:
            return False
        self._position = match.end()
        return True

    def _error(self, wanted: str) -> ConditionError:
        return ConditionError(f"{wanted} is expected at position {self._position}")
