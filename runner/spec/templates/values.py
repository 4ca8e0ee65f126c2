"""What expressions can do with values: text, numbers and booleans, each result bounded in size.

It knows nothing of syntax or places; what goes wrong is a `NoValueError` with a message.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LONGEST_TEXT_CHARACTERS = 100_000
LARGEST_INTEGER = 2**63 - 1
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


class NumberText(str):
    """Text that was written as a number where only text can be: it keeps its sign as a word.

    Text for all else; what is made of it is plain text again.
    """

    __slots__ = ()


def written_text(text: str) -> str:
    """The text of a cell or a parameter: `NumberText` where it is a negative number and no more."""
    return NumberText(text) if text[:1] == "-" and _NUMBER.fullmatch(text) else text


class NoValueError(Exception):
    """An expression has no value; the message says why, `hint` what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def describe(value: object) -> str:
    """What kind of value it is, as a person would say."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "a boolean"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case _:
            return f"an object ({type(value).__name__})"


def to_text(value: object) -> str:
    """Text as it is, booleans as `true` and `false`, numbers in the shortest exact form."""
    match value:
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(bounded(value))
        case None:
            raise NoValueError("the expression has no value", "give one: `| default('...')`")
        case Mapping():
            raise NoValueError("a mapping cannot stand in text", "name one of its fields")
        case Sequence():
            raise NoValueError("a list cannot stand in text", "join it: `| join(' ')`")
        case _:
            raise NoValueError(f"{describe(value)} cannot stand in text")


def is_number(value: object) -> bool:
    """Whether it is a number; a boolean is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def keeps_sign(value: object) -> bool:
    """Whether a leading `-` of its text is a number's, and so no option's."""
    return is_number(value) or isinstance(value, NumberText)


def bounded(value: float) -> int | float:
    """The number itself, or a fault where it is too large for the shells and services to take."""
    if isinstance(value, int) and not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
        raise NoValueError("the number has more than 64 bits")
    if not math.isfinite(value):
        raise NoValueError("the number is not finite")
    return value


def concatenate(parts: Sequence[object]) -> str:
    """The texts of the parts, one behind the other."""
    texts = [to_text(part) for part in parts]
    check_length(sum(map(len, texts)))
    return "".join(texts)


def check_length(length: int) -> None:
    """Refuses a text that would get too long, before it is made."""
    if length > LONGEST_TEXT_CHARACTERS:
        raise NoValueError(f"the text would be longer than {LONGEST_TEXT_CHARACTERS} characters")


_ARITHMETIC: dict[str, Callable[[int | float, int | float], int | float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def calculate(sign: str, left: object, right: object) -> object:
    """`+` of two texts; `+ - * / // %` of two numbers."""
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        return concatenate((left, right))
    if not (is_number(left) and is_number(right)):
        hint = "text is put together with `~`" if sign == "+" else None
        raise NoValueError(f"`{sign}` cannot take {describe(left)} and {describe(right)}", hint)
    assert isinstance(left, (int, float))
    assert isinstance(right, (int, float))
    try:
        return bounded(_ARITHMETIC[sign](bounded(left), bounded(right)))
    except ZeroDivisionError as error:
        raise NoValueError("division by zero") from error
    except OverflowError as error:
        raise NoValueError("the number is not finite") from error


def signed(sign: str, value: object) -> int | float:
    """`+` or `-` of one number."""
    if not is_number(value):
        raise NoValueError(f"`{sign}` takes a number, not {describe(value)}")
    assert isinstance(value, (int, float))
    return bounded(-value if sign == "-" else value)


def cut_out(value: object, start: object, stop: object) -> object:
    """`value[start:stop]` of a text or a list, as Python counts."""
    for bound in (start, stop):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
            raise NoValueError(f"a slice goes from integer to integer, not {describe(bound)}")
    if not isinstance(value, Sequence):
        raise NoValueError(f"a slice can be taken of text or a list, not of {describe(value)}")
    assert start is None or isinstance(start, int)
    assert stop is None or isinstance(stop, int)
    part = value[start:stop]
    return part if isinstance(part, str) else tuple(part)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
_SIGNS = {"lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}


def compare(relation: str, left: object, right: object) -> bool:
    """`==`, `!=` of anything; order of two numbers or two texts; `in` a text, list or mapping."""
    if relation in {"eq", "ne"}:
        return (left == right) == (relation == "eq")
    if relation in {"in", "notin"}:
        return _contains(right, left) == (relation == "in")
    comparable = (is_number(left) and is_number(right)) or (
        isinstance(left, str) and isinstance(right, str)
    )
    if not comparable:
        sign = _SIGNS[relation]
        raise NoValueError(f"`{sign}` cannot compare {describe(left)} with {describe(right)}")
    return _ORDER[relation](left, right)


def _contains(container: object, value: object) -> bool:
    if isinstance(container, str):
        if not isinstance(value, str):
            raise NoValueError(f"`in` cannot look for {describe(value)} in text")
        return value in container
    if isinstance(container, Mapping):
        return isinstance(value, str) and value in container
    if isinstance(container, Sequence):
        return value in container
    raise NoValueError(f"`in` cannot look into {describe(container)}")
