"""The functions of the language.

It must not know names or samples. Source: the table "Functions" of "Create a formula to
automatically scale compute nodes in a Batch pool".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from runner.emulator.batch.autoscale.values import UnsuitableError, Value, as_operand, type_of
from runner.emulator.storage.record import record

LONGEST_VECTOR = 100_000


@record(frozen=True, slots=True, kw_only=True)
class Outside:
    """What functions take from outside the formula: the moment, and numbers from 0 to 1."""

    now: datetime
    random: Callable[[], float]


Function = Callable[[Sequence[Value], Outside], Value]


class StoppedError(Exception):
    """`stop()` was called: the formula ends here, with what it has set."""


def flatten(arguments: Sequence[Value]) -> tuple[float, ...]:
    """A doubleVecList as one vector."""
    numbers: list[float] = []
    for argument in map(as_operand, arguments):
        if isinstance(argument, float):
            numbers.append(argument)
        elif isinstance(argument, tuple):
            numbers.extend(argument)
        else:
            raise UnsuitableError(f"A double or doubleVec is needed, not a {type_of(argument)}")
        if len(numbers) > LONGEST_VECTOR:
            raise UnsuitableError(f"The vector is longer than {LONGEST_VECTOR}")
    return tuple(numbers)


def _reduce(compute: Callable[[Sequence[float]], float], *, least: int = 1) -> Function:
    """A function from a doubleVecList to a double."""

    def call(arguments: Sequence[Value], outside: Outside) -> Value:
        del outside
        numbers = flatten(arguments)
        if len(numbers) < least:
            raise UnsuitableError(f"At least {least} value is needed")
        try:
            return float(compute(numbers))
        except OverflowError:
            return math.inf

    return call


def _each(compute: Callable[[float], float]) -> Function:
    """A function of a double, or of each component of a doubleVecList."""

    def call(arguments: Sequence[Value], outside: Outside) -> Value:
        del outside
        numbers = flatten(arguments)
        results = tuple(_defined(compute, number) for number in numbers)
        single = len(arguments) == 1 and isinstance(as_operand(arguments[0]), float)
        if not results:
            raise UnsuitableError("At least 1 value is needed")
        return results[0] if single else results

    return call


def _defined(compute: Callable[[float], float], number: float) -> float:
    try:
        return float(compute(number))
    except OverflowError:
        return math.inf
    except ValueError:
        return -math.inf if number == 0 else math.nan


def _integral(compute: Callable[[float], float]) -> Callable[[float], float]:
    return lambda number: compute(number) if math.isfinite(number) else number


def _round(number: float) -> float:
    return math.copysign(math.floor(abs(number) + 0.5), number)


def _norm(numbers: Sequence[float]) -> float:
    return math.hypot(*numbers)


def _deviation(numbers: Sequence[float]) -> float:
    if len(numbers) < 2:
        return 0.0
    if not all(map(math.isfinite, numbers)):
        return math.nan
    # Imported here: it takes long to load, and hardly any formula asks for it.
    import statistics

    return statistics.stdev(numbers)


def _average(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _vector_and_number(arguments: Sequence[Value]) -> tuple[tuple[float, ...], float]:
    if len(arguments) != 2:
        raise UnsuitableError(f"2 arguments are needed, not {len(arguments)}")
    number = as_operand(arguments[1])
    if not isinstance(number, float) or not math.isfinite(number):
        raise UnsuitableError(f"A double is needed, not a {type_of(number)}")
    return flatten(arguments[:1]), number


def _percentile(arguments: Sequence[Value], outside: Outside) -> Value:
    del outside
    vector, percent = _vector_and_number(arguments)
    if not vector or not 0 <= percent <= 100:
        raise UnsuitableError("A value and a percentage from 0 to 100 are needed")
    rank = (len(vector) - 1) * percent / 100
    ordered = sorted(vector)
    low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
    return low if low == high else low + (high - low) * (rank - math.floor(rank))


def _val(arguments: Sequence[Value], outside: Outside) -> Value:
    del outside
    vector, index = _vector_and_number(arguments)
    if not 0 <= index < len(vector) or index != int(index):
        raise UnsuitableError(f"There is no element {index:g} in a vector of {len(vector)}")
    return vector[int(index)]


def _vec(arguments: Sequence[Value], outside: Outside) -> Value:
    del outside
    return flatten(arguments)


def _sort(arguments: Sequence[Value], outside: Outside) -> Value:
    del outside
    return tuple(sorted(flatten(arguments)))


def _rand(arguments: Sequence[Value], outside: Outside) -> Value:
    _refuse_arguments(arguments)
    return outside.random()


def _stop(arguments: Sequence[Value], outside: Outside) -> Value:
    del outside
    _refuse_arguments(arguments)
    raise StoppedError


def _refuse_arguments(arguments: Sequence[Value]) -> None:
    if arguments:
        raise UnsuitableError("No argument is taken")


def _time(arguments: Sequence[Value], outside: Outside) -> Value:
    if not arguments or arguments == ("",):
        return outside.now
    text = arguments[0]
    if len(arguments) != 1 or not isinstance(text, str):
        raise UnsuitableError("One string is taken")
    moment = _parse_w3c(text) or _parse_rfc1123(text)
    if moment is None:
        raise UnsuitableError(f"'{text}' is not a time in the form of W3C-DTF or RFC 1123")
    try:
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
        return zoned.astimezone(timezone.utc)
    except OverflowError:
        raise UnsuitableError(f"'{text}' is out of range") from None


def _parse_w3c(text: str) -> datetime | None:
    padded = {4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text)
    try:
        return datetime.fromisoformat(padded.replace("Z", "+00:00"))
    except ValueError:
        return None


def _parse_rfc1123(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None


def _text_test(test: Callable[[str, str], bool]) -> Function:
    def call(arguments: Sequence[Value], outside: Outside) -> Value:
        del outside
        match tuple(arguments):
            case (str(text), str(part)):
                return float(test(text, part))
            case _:
                raise UnsuitableError("Two strings are taken")

    return call


FUNCTIONS: Mapping[str, Function] = {
    "avg": _reduce(_average),
    "ceil": _each(_integral(math.ceil)),
    "count": _reduce(len, least=0),
    "endsWith": _text_test(str.endswith),
    "exp": _each(math.exp),
    "floor": _each(_integral(math.floor)),
    "len": _reduce(len, least=0),
    "lg": _each(math.log2),
    "ln": _each(math.log),
    "log": _each(math.log10),
    "max": _reduce(max),
    "min": _reduce(min),
    "norm": _reduce(_norm),
    "percentile": _percentile,
    "rand": _rand,
    "range": _reduce(lambda numbers: max(numbers) - min(numbers)),
    "round": _each(_integral(_round)),
    "sort": _sort,
    "startsWith": _text_test(str.startswith),
    "std": _reduce(_deviation),
    "stop": _stop,
    "sum": _reduce(sum, least=0),
    "time": _time,
    "val": _val,
    "vec": _vec,
}
