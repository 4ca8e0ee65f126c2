"""Which tasks somebody asks for by `--only`: those of some ids, or those that have not succeeded.

It must not know what is done with the others.
"""

from __future__ import annotations

from collections.abc import Callable

from runner.errors import UsageError
from runner.frozen import dataclass
from runner.plan.expand import find_task
from runner.plan.model import Plan

FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The numbers of the tasks; `are_named` where they were, and are to run whatever is there."""

    numbers: frozenset[int]
    are_named: bool


def select(only: str, plan: Plan, find_unfinished: Callable[[], frozenset[int]]) -> Selection:
    """The tasks of `failed` or `ID,...`; `UsageError` for an id that there is not.

    `find_unfinished` gives those that had not succeeded when the last run was over.
    """
    names = [each.strip() for each in only.split(",")]
    if names == [FAILED]:
        return Selection(numbers=find_unfinished(), are_named=False)
    if FAILED in names or "" in names:
        raise UsageError(
            f"`--only {only}`: neither `failed` nor ids of tasks",
            hint="`--only failed` or `--only 0003,0007`; `batch-run plan` shows the ids",
        )
    return Selection(
        numbers=frozenset(int(find_task(plan, name).id) for name in names), are_named=True
    )
