"""From the data of a step's `retries` to its typed model; the schema has passed it.

It knows nothing of the other keys of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from runner.spec.duration import parse_duration
from runner.spec.model.retries import DEFAULT_BACKOFF, RetryBudget, RetryCause, RetryPlan

_Data = Mapping[str, Any]


def parse_retries(data: float | str | _Data) -> tuple[int, RetryPlan]:
    """How often the service runs a task again, and the further attempts that are the run's.

    Exit codes are the service's as long as nothing else is asked for, since it needs nobody there.
    It makes no pauses, though, and an attempt that the run makes sets its count back to 0: with a
    wait, or beside another cause, they are the run's.
    """
    if not isinstance(data, Mapping):
        return int(data), RetryPlan()
    common = parse_duration(data["backoff"]) if "backoff" in data else None
    budgets: dict[RetryCause, RetryBudget] = {}
    waits = common is not None
    for cause in RetryCause:
        times, backoff = _budget(data.get(cause.value, 0))
        if times:
            waits = waits or backoff is not None
            chosen = next(each for each in (backoff, common, DEFAULT_BACKOFF) if each is not None)
            budgets[cause] = RetryBudget(times=times, backoff=chosen)
    preemption = int(data["preemption"]) if "preemption" in data else None
    by_service = 0
    if budgets.keys() == {RetryCause.EXIT_CODE} and not waits:
        by_service = budgets.pop(RetryCause.EXIT_CODE).times
    return by_service, RetryPlan(budgets=MappingProxyType(budgets), preemption=preemption)


def _budget(data: float | str | _Data) -> tuple[int, timedelta | None]:
    """How many further attempts, and the wait before the first where it says one."""
    if not isinstance(data, Mapping):
        return int(data), None
    return int(data["times"]), parse_duration(data["backoff"]) if "backoff" in data else None
