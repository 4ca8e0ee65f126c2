"""What a `$filter` of tasks says of their states, so that no others need to be looked at.

It must not know how the tasks are found.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.task import TaskState
from runner.emulator.batch.operations.filters.parse import (
    Comparison,
    Conjunction,
    Expression,
    Operator,
)
from runner.emulator.storage.record import record

_LATER = frozenset({Operator.GE, Operator.GT, Operator.EQ})


@record(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Which tasks may fit: those that came into their state at a moment or later (None: ever).

    Where they have `moved`, no task fits that is active still.
    """

    since: datetime | None
    moved: bool


def find_bounds(expression: Expression) -> Bounds | None:
    """The bounds of a filter; None where any task may fit."""
    parts = expression.parts if isinstance(expression, Conjunction) else (expression,)
    since: datetime | None = None
    moved = False
    for part in parts:
        if not isinstance(part, Comparison):
            continue
        if part.path == "state":
            moved = moved or _excludes_active(part)
        elif part.path == "stateTransitionTime" and part.operator in _LATER:
            moment = part.value
            if isinstance(moment, datetime) and (since is None or moment > since):
                since = moment
    return None if since is None and not moved else Bounds(since=since, moved=moved)


def _excludes_active(part: Comparison) -> bool:
    is_active = str(part.value).lower() == TaskState.ACTIVE.value
    return (part.operator is Operator.NE) is is_active
