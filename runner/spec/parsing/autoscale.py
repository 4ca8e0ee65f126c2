"""Autoscale formulas for common cases, by name (Microsoft Learn, "Create a formula").

It knows nothing of how the service evaluates them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_VARIABLES = {"dedicated": "$TargetDedicatedNodes", "spot": "$TargetLowPriorityNodes"}


def scenario_formula(data: Mapping[str, Any]) -> str:
    """The formula of the `scenario` in `data`, with its bounds `min` and `max` filled in."""
    variable = _VARIABLES[data.get("kind", "dedicated")]
    least, most = int(data.get("min", 0)), int(data["max"])
    return SCENARIOS[data["scenario"]](variable, least, most)


def _by_tasks(variable: str, least: int, most: int) -> str:
    """As many nodes as the tasks of the last minutes would fill.

    A new pool has no samples, and is evaluated before its first task is added: it starts with a
    node, since the next evaluation may be a quarter of an hour away.
    """
    return (
        "recent = 5 * TimeInterval_Minute;\n"
        "measured = $PendingTasks.GetSamplePercent(recent) >= 50;\n"
        "pending = measured ? avg($PendingTasks.GetSample(recent)) : 0;\n"
        "filled = (pending + $TaskSlotsPerNode - 1) / $TaskSlotsPerNode;\n"
        f"{variable} = measured ? max({least}, min({most}, filled)) : {max(least, min(1, most))};\n"
        "$NodeDeallocationOption = taskcompletion;"
    )


def _by_working_hours(variable: str, least: int, most: int) -> str:
    """All nodes from Monday to Friday, 8 to 18 o'clock UTC, the least else."""
    return (
        "now = time();\n"
        "isWorkday = now.weekday >= 1 && now.weekday <= 5;\n"
        "isWorkingHour = now.hour >= 8 && now.hour < 18;\n"
        f"{variable} = isWorkday && isWorkingHour ? {most} : {least};\n"
        "$NodeDeallocationOption = taskcompletion;"
    )


SCENARIOS: Mapping[str, Callable[[str, int, int], str]] = {
    "tasks": _by_tasks,
    "working-hours": _by_working_hours,
}
