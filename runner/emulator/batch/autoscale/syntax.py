"""A formula as a tree.

It must not know what its parts mean.
"""

from __future__ import annotations

from typing import TypeAlias

from runner.emulator.batch.autoscale.faults import Position
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Number:
    """`1.5`."""

    at: Position
    value: float


@record(frozen=True, slots=True, kw_only=True)
class String:
    """`"2026-01-01"`."""

    at: Position
    value: str


@record(frozen=True, slots=True, kw_only=True)
class Name:
    """`$PendingTasks`, `tasks`, `TimeInterval_Minute`, `requeue`."""

    at: Position
    name: str


@record(frozen=True, slots=True, kw_only=True)
class Vector:
    """`[1, 2, 3]`."""

    at: Position
    items: tuple[Expression, ...]


@record(frozen=True, slots=True, kw_only=True)
class Unary:
    """`-x`, `!x`."""

    at: Position
    operator: str
    operand: Expression


@record(frozen=True, slots=True, kw_only=True)
class Binary:
    """`a + b`; `at` is where the operator stands."""

    at: Position
    operator: str
    left: Expression
    right: Expression


@record(frozen=True, slots=True, kw_only=True)
class Choice:
    """`test ? then : otherwise`."""

    at: Position
    test: Expression
    then: Expression
    otherwise: Expression


@record(frozen=True, slots=True, kw_only=True)
class Call:
    """`min(a, b)`."""

    at: Position
    function: str
    arguments: tuple[Expression, ...]


@record(frozen=True, slots=True, kw_only=True)
class Method:
    """`$PendingTasks.GetSample(1)`; `at` is where the object stands."""

    at: Position
    target: Expression
    method: str
    arguments: tuple[Expression, ...]


@record(frozen=True, slots=True, kw_only=True)
class Member:
    """`time().weekday`."""

    at: Position
    target: Expression
    member: str


Expression: TypeAlias = (
    Number | String | Name | Vector | Unary | Binary | Choice | Call | Method | Member
)


@record(frozen=True, slots=True, kw_only=True)
class Statement:
    """`name = value`, or a value alone where `name` is None."""

    at: Position
    name: str | None
    value: Expression


def parts_of(expression: Expression) -> tuple[Expression, ...]:
    """What an expression is directly made of, from left to right."""
    match expression:
        case Number() | String() | Name():
            return ()
        case Vector():
            return expression.items
        case Unary():
            return (expression.operand,)
        case Binary():
            return (expression.left, expression.right)
        case Choice():
            return (expression.test, expression.then, expression.otherwise)
        case Call():
            return expression.arguments
        case Method():
            return (expression.target, *expression.arguments)
        case Member():
            return (expression.target,)
        case _:
            raise unforeseen(expression)


def height_of(expression: Expression) -> int:
    """How many levels an expression has; itself not by recursion."""
    level: tuple[Expression, ...] = (expression,)
    height = 0
    while level:
        height += 1
        level = tuple(part for each in level for part in parts_of(each))
    return height
