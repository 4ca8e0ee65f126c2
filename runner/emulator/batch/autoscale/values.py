"""The types of the language and what operators make of them.

It must not know functions or names. Source: the tables "Types" and "Operations" of "Create a
formula to automatically scale compute nodes in a Batch pool".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

from runner.emulator.batch.autoscale.samples import Series
from runner.emulator.storage.record import record


@record(frozen=True, slots=True)
class Keyword:
    """`requeue` and the like: what a node does with its tasks when it leaves."""

    name: str


Value: TypeAlias = float | tuple[float, ...] | str | datetime | timedelta | Series | Keyword


class UnsuitableError(Exception):
    """An operation that the types or values do not have; the message says what."""


def type_of(value: Value) -> str:
    """The name of a value's type, as the documentation has it."""
    match value:
        case float():
            return "double"
        case tuple():
            return "doubleVec"
        case str():
            return "string"
        case datetime():
            return "timestamp"
        case timedelta():
            return "timeinterval"
        case Series():
            return "samples"
        case Keyword():
            return "option"


def as_operand(value: Value) -> Value:
    """A metric on its own stands for its latest sample."""
    if not isinstance(value, Series):
        return value
    if not value.points:
        raise UnsuitableError(f"{value.name} has no samples")
    return value.points[-1][1]


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def combine(mark: str, left: Value, right: Value) -> Value:
    """`left mark right`; raises `UnsuitableError`."""
    left, right = as_operand(left), as_operand(right)
    if mark in _COMPARISONS:
        kinds = (float, str, datetime, timedelta, Keyword)
        if type(left) is not type(right) or not isinstance(left, kinds):
            raise _unsuitable(mark, left, right)
        if isinstance(left, Keyword) and mark not in ("==", "!="):
            raise _unsuitable(mark, left, right)
        return float(_COMPARISONS[mark](left, right))
    try:
        return _compute(mark, left, right)
    except OverflowError:
        raise UnsuitableError("The result is out of range") from None


def _compute(mark: str, left: Value, right: Value) -> Value:
    match mark, left, right:
        case _, float(), float():
            return compute_numbers(mark, left, right)
        case _, tuple(), float():
            return tuple(compute_numbers(mark, item, right) for item in left)
        case _, tuple(), tuple():
            if len(left) != len(right):
                raise UnsuitableError(f"The vectors have the lengths {len(left)} and {len(right)}")
            pairs = zip(left, right, strict=True)
            return tuple(compute_numbers(mark, one, other) for one, other in pairs)
        case "*", float(), timedelta():
            return _scale(right, left)
        case "*", timedelta(), float():
            return _scale(left, right)
        case "/", timedelta(), float():
            return _scale(left, compute_numbers("/", 1.0, right))
        case "+", timedelta(), timedelta():
            return left + right
        case "-", timedelta(), timedelta():
            return left - right
        case "+", timedelta(), datetime():
            return right + left
        case "+", datetime(), timedelta():
            return left + right
        case "-", datetime(), datetime():
            return left - right
        case _:
            raise _unsuitable(mark, left, right)


def compute_numbers(mark: str, left: float, right: float) -> float:
    """Arithmetic without exceptions: what has no finite result is infinite or not a number."""
    match mark:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            if right:
                return left / right
            return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)


def _scale(length: timedelta, factor: float) -> timedelta:
    try:
        return length * factor
    except (OverflowError, ValueError):
        raise UnsuitableError("The result is out of range") from None


def invert(mark: str, value: Value) -> Value:
    """`-value` or `!value`; raises `UnsuitableError`."""
    value = as_operand(value)
    if isinstance(value, float):
        return -value if mark == "-" else float(not value)
    if isinstance(value, timedelta) and mark == "-":
        return _scale(value, -1.0)
    raise UnsuitableError(f"There is no operation {mark}{type_of(value)}")


def is_true(value: Value) -> bool:
    """Whether a double is other than 0; raises `UnsuitableError` for other types."""
    value = as_operand(value)
    if not isinstance(value, float):
        raise UnsuitableError(f"A double is needed, and not a {type_of(value)}")
    return bool(value)


def _unsuitable(mark: str, left: Value, right: Value) -> UnsuitableError:
    return UnsuitableError(f"There is no operation {type_of(left)} {mark} {type_of(right)}")


def show(value: Value) -> str:
    """A value as it stands in the results of an evaluation."""
    match value:
        case float():
            return show_number(value)
        case tuple():
            return f"[{','.join(show_number(item) for item in value)}]"
        case str():
            return value
        case datetime():
            text = value.astimezone(timezone.utc).isoformat(timespec="milliseconds")
            return text.replace("+00:00", "Z")
        case timedelta():
            return str(value)
        case Series():
            return show(tuple(number for _, number in value.points))
        case Keyword():
            return value.name


def show_number(value: float) -> str:
    """Without decimals where it has none."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
