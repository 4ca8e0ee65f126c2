"""Autoscale formulas for common cases, by name (Microsoft Learn, "Create a formula").

It knows nothing of how the service evaluates them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runner.frozen import dataclass
from runner.spec.model.step import Step

_VARIABLES = {"dedicated": "$TargetDedicatedNodes", "spot": "$TargetLowPriorityNodes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fleet:
    """What a formula sets: `variable` from `least` to `most`, for tasks that take so much."""

    variable: str
    least: int
    most: int
    tasks_per_node: int
    nodes_per_task: int


def scenario_formula(
    data: Mapping[str, Any], *, node_slots: int = 1, steps: Sequence[Step] = ()
) -> str:
    """The formula of the `scenario` in `data`, with its bounds `min` and `max` filled in.

    The service samples tasks of all steps as one number, so each counts as much as the largest.
    """
    slots = max((step.slots for step in steps), default=1)
    instances = (step.instances.count for step in steps if step.instances is not None)
    fleet = _Fleet(
        variable=_VARIABLES[data.get("kind", "dedicated")],
        least=int(data.get("min", 0)),
        most=int(data["max"]),
        tasks_per_node=max(1, node_slots // slots),
        nodes_per_task=max(instances, default=1),
    )
    return SCENARIOS[data["scenario"]](fleet)


def _by_tasks(fleet: _Fleet) -> str:
    """As many nodes as the tasks of the last minutes would fill.

    A new pool has no samples, and is evaluated before its first task is added: it starts with a
    task's nodes, since the next evaluation may be a quarter of an hour away.
    """
    first = max(fleet.least, min(fleet.nodes_per_task, fleet.most))
    return (
        "recent = 5 * TimeInterval_Minute;\n"
        "measured = $PendingTasks.GetSamplePercent(recent) >= 50;\n"
        "pending = measured ? avg($PendingTasks.GetSample(recent)) : 0;\n"
        f"tasksPerNode = {fleet.tasks_per_node};\n"
        f"nodesPerTask = {fleet.nodes_per_task};\n"
        "filled = (pending * nodesPerTask + tasksPerNode - 1) / tasksPerNode;\n"
        f"{fleet.variable} = measured ? max({fleet.least}, min({fleet.most}, filled)) : {first};\n"
        "$NodeDeallocationOption = taskcompletion;"
    )


def _by_working_hours(fleet: _Fleet) -> str:
    """All nodes from Monday to Friday, 8 to 18 o'clock UTC, the least else."""
    return (
        "now = time();\n"
        "isWorkday = now.weekday >= 1 && now.weekday <= 5;\n"
        "isWorkingHour = now.hour >= 8 && now.hour < 18;\n"
        f"{fleet.variable} = isWorkday && isWorkingHour ? {fleet.most} : {fleet.least};\n"
        "$NodeDeallocationOption = taskcompletion;"
    )


SCENARIOS: Mapping[str, Callable[[_Fleet], str]] = {
    "tasks": _by_tasks,
    "working-hours": _by_working_hours,
}
