"""Turns a `$filter` into a test of records, checked against what the list can be filtered by.

It must not know any list: `properties` declares them.
"""

from __future__ import annotations

import operator as op
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from runner.emulator.batch.core.refusal import invalid_query
from runner.emulator.batch.operations.filters.parse import (
    Comparison,
    Conjunction,
    Disjunction,
    Expression,
    FilterError,
    Operator,
    parse_filter,
)
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import record

R = TypeVar("R")


class Type(Enum):
    """What a property holds, and so what it may be compared with."""

    TEXT = "a string"
    MOMENT = "a DateTime"
    NUMBER = "a number"
    BOOLEAN = "a boolean"


EQUALITY = frozenset({Operator.EQ, Operator.NE})
ORDER = EQUALITY | {Operator.GE, Operator.GT, Operator.LE, Operator.LT}
PREFIX_AND_ORDER = ORDER | {Operator.STARTSWITH}


@record(frozen=True, slots=True, kw_only=True)
class Property(Generic[R]):
    """A property that a list can be filtered by; `get` gives None where a record has none."""

    get: Callable[[R], Any]
    type: Type = Type.TEXT
    operators: frozenset[Operator] = EQUALITY


@record(frozen=True, slots=True, kw_only=True)
class Filter(Generic[R]):
    """A `$filter`: as it was written, and as a test for one record."""

    expression: Expression
    fits: Callable[[R], bool]


def compile_filter(text: str, properties: Mapping[str, Property[R]]) -> Filter[R]:
    """What a text says. Values compare without regard to case; raises `RefusedError`."""
    try:
        expression = parse_filter(text)
        return Filter(expression=expression, fits=_compile(expression, properties))
    except FilterError as error:
        raise invalid_query("$filter", text, str(error)) from error


def _compile(expression: Expression, properties: Mapping[str, Property[R]]) -> Callable[[R], bool]:
    match expression:
        case Comparison():
            return _compile_comparison(expression, properties)
        case Conjunction():
            parts = tuple(_compile(part, properties) for part in expression.parts)
            return lambda record: all(part(record) for part in parts)
        case Disjunction():
            parts = tuple(_compile(part, properties) for part in expression.parts)
            return lambda record: any(part(record) for part in parts)
        case _:
            raise unforeseen(expression)


def _compile_comparison(
    comparison: Comparison, properties: Mapping[str, Property[R]]
) -> Callable[[R], bool]:
    name = comparison.path
    known = properties.get(name)
    if known is None:
        raise FilterError(f"The property {name} cannot be used in this filter")
    if comparison.operator not in known.operators:
        raise FilterError(f"The operator {comparison.operator.value} cannot be used with {name}")
    wanted = _typed(comparison, known.type)
    get = known.get
    compare = _COMPARE[comparison.operator]
    if comparison.operator is Operator.NE:
        return lambda record: _folded(get(record)) != wanted

    def test(record: R) -> bool:
        value = get(record)
        return value is not None and bool(compare(_folded(value), wanted))

    return test


def _typed(comparison: Comparison, type_: Type) -> Any:
    value = comparison.value
    match type_:
        case Type.TEXT:
            fits = isinstance(value, str)
        case Type.MOMENT:
            fits = isinstance(value, datetime)
        case Type.NUMBER:
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        case Type.BOOLEAN:
            fits = isinstance(value, bool)
        case _:
            raise unforeseen(type_)
    if not fits:
        raise FilterError(f"The property {comparison.path} is compared with {type_.value} only")
    return _folded(value)


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: op.eq,
    Operator.NE: op.ne,
    Operator.GE: op.ge,
    Operator.GT: op.gt,
    Operator.LE: op.le,
    Operator.LT: op.lt,
    Operator.STARTSWITH: str.startswith,
}
