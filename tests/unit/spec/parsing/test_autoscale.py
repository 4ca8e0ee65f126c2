"""The formulas of scenarios: how many nodes the tasks are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.spec.load import load_workload
from runner.spec.model.pool import Autoscale, NewPool

SPEC = """\
version: 1
name: sized
pool:
  image: debian 12
  vm_size: Standard_D2s_v5
  task_slots_per_node: SLOTS
  inter_node_communication: true
  autoscale: {scenario: SCENARIO, min: 0, max: 8}
tasks:
  light: {command: echo}
  other: {command: echo, STEP}
"""
HEAD = """\
recent = 5 * TimeInterval_Minute;
measured = $PendingTasks.GetSamplePercent(recent) >= 50;
pending = measured ? avg($PendingTasks.GetSample(recent)) : 0;
"""
FILLED = "filled = (pending * nodesPerTask + tasksPerNode - 1) / tasksPerNode;\n"


def formula_of(
    folder: Path, *, scenario: str = "tasks", slots: int = 1, step: str = "slots: 1"
) -> str:
    text = SPEC.replace("SLOTS", str(slots)).replace("SCENARIO", scenario).replace("STEP", step)
    path = folder / "spec.yaml"
    path.write_text(text)
    workload = load_workload(path, name="spec.yaml", given={})
    assert isinstance(workload.pool, NewPool)
    assert isinstance(workload.pool.size, Autoscale)
    return workload.pool.size.formula


@pytest.mark.parametrize(
    ("slots", "step", "tasks_per_node", "nodes_per_task"),
    [
        (1, "slots: 1", 1, 1),
        (4, "slots: 1", 4, 1),
        (4, "slots: 2", 2, 1),
        # A node with four slots holds one task of three: the fourth slot stays empty.
        (4, "slots: 3", 1, 1),
        (1, "instances: {count: 3, coordination: echo}", 1, 3),
    ],
)
def test_nodes_are_counted_for_the_largest_task(
    slots: int, step: str, tasks_per_node: int, nodes_per_task: int, tmp_path: Path
) -> None:
    assert formula_of(tmp_path, slots=slots, step=step) == (
        f"{HEAD}tasksPerNode = {tasks_per_node};\nnodesPerTask = {nodes_per_task};\n{FILLED}"
        "$TargetDedicatedNodes = measured ? max(0, min(8, filled)) :"
        f" {nodes_per_task};\n$NodeDeallocationOption = taskcompletion;"
    )


def test_working_hours_know_no_tasks(tmp_path: Path) -> None:
    plain = formula_of(tmp_path, scenario="working-hours")
    assert plain == formula_of(tmp_path, scenario="working-hours", slots=4, step="slots: 3")
    assert "$TargetDedicatedNodes = isWorkday && isWorkingHour ? 8 : 0;" in plain
