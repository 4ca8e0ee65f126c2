"""The names that formulas find: variables of the service, intervals, options; and their check.

It must not know values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from runner.emulator.batch.autoscale.faults import FaultKind, FormulaError
from runner.emulator.batch.autoscale.functions import FUNCTIONS
from runner.emulator.batch.autoscale.members import MEMBERS, METHODS
from runner.emulator.batch.autoscale.samples import ALIASES, MEASURED, OF_MACHINES
from runner.emulator.batch.autoscale.syntax import (
    Call,
    Expression,
    Member,
    Method,
    Name,
    Statement,
    parts_of,
)

DEDICATED = "$TargetDedicatedNodes"
SPOT = "$TargetLowPriorityNodes"
OPTION = "$NodeDeallocationOption"
TARGET_ALIASES = {"$TargetDedicated": DEDICATED, "$TargetLowPriority": SPOT}
OPTIONS = ("requeue", "terminate", "taskcompletion", "retaineddata")
INTERVALS: Mapping[str, timedelta] = {
    "TimeInterval_Zero": timedelta(),
    # Shorter than any time that is held here.
    "TimeInterval_100ns": timedelta(),
    "TimeInterval_Microsecond": timedelta(microseconds=1),
    "TimeInterval_Millisecond": timedelta(milliseconds=1),
    "TimeInterval_Second": timedelta(seconds=1),
    "TimeInterval_Minute": timedelta(minutes=1),
    "TimeInterval_Hour": timedelta(hours=1),
    "TimeInterval_Day": timedelta(days=1),
    "TimeInterval_Week": timedelta(weeks=1),
    "TimeInterval_Year": timedelta(days=365),
}
READ_ONLY = frozenset((*MEASURED, *OF_MACHINES, *ALIASES, *INTERVALS, *OPTIONS))
WRITABLE = frozenset((DEDICATED, SPOT, OPTION, *TARGET_ALIASES))


def check_names(statements: tuple[Statement, ...]) -> None:
    """Raises `FormulaError` for the first name that means nothing where it stands."""
    known = set(READ_ONLY | WRITABLE)
    for statement in statements:
        for expression in _walk(statement.value):
            _check(expression, known)
        if statement.name is not None:
            if statement.name in READ_ONLY:
                raise FormulaError(
                    statement.at,
                    f"{statement.name} cannot be assigned to",
                    kind=FaultKind.SYNTAX,
                )
            known.add(statement.name)


def _check(expression: Expression, known: set[str]) -> None:
    match expression:
        case Name():
            name, found = expression.name, expression.name in known
        case Call():
            name, found = expression.function, expression.function in FUNCTIONS
        case Method():
            name, found = expression.method, expression.method in METHODS
        case Member():
            name, found = expression.member, expression.member in MEMBERS
        case _:
            return
    if not found:
        raise FormulaError(expression.at, f"Undefined symbol: {name}", kind=FaultKind.SYNTAX)


def _walk(expression: Expression) -> Iterator[Expression]:
    """An expression and all in it; that of which something is a member comes before it."""
    parts = parts_of(expression)
    if isinstance(expression, Method | Member):
        yield from _walk(expression.target)
        parts = parts[1:]
    yield expression
    for part in parts:
        yield from _walk(part)
