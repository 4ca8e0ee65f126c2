"""Tasks that are rendered once for all of their uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import overload

from typing_extensions import override

from runner.plan.model import Plan, TaskId, TaskPlan
from runner.run.tasks.window import Window, step_of
from tests.fakes.plans import make_plan
from tests.fakes.shapes import shaped_plan


class Counted(Sequence[TaskPlan]):
    """Tasks that count how often one is asked for."""

    def __init__(self, tasks: Sequence[TaskPlan]) -> None:
        self.tasks = tasks
        self.asked = 0

    @overload
    def __getitem__(self, index: int) -> TaskPlan: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TaskPlan]: ...
    @override
    def __getitem__(self, index: int | slice) -> TaskPlan | Sequence[TaskPlan]:
        self.asked += 1
        return self.tasks[index]

    @override
    def __len__(self) -> int:
        return len(self.tasks)


def counted(plan: Plan) -> tuple[Plan, Counted]:
    tasks = Counted(plan.tasks)
    return replace(plan, tasks=tasks), tasks


def test_a_task_is_rendered_once(tmp_path: Path) -> None:
    plan, tasks = counted(make_plan(tmp_path))
    window = Window(plan)
    assert [window.task(1).id, window.of(TaskId("0001")).id, window.task(2).id] == [
        "0001",
        "0001",
        "0002",
    ]
    assert tasks.asked == 2


def test_a_task_with_a_long_script_is_rendered_again(tmp_path: Path) -> None:
    first = make_plan(tmp_path).tasks[0]
    command = replace(first.command, script="x" * 5_000)
    plan, tasks = counted(shaped_plan(tmp_path, [{"command": command}]))
    window = Window(plan)
    assert window.task(1) == window.task(1)
    assert tasks.asked == 2


def test_tasks_that_share_a_place_take_turns(tmp_path: Path) -> None:
    plan, tasks = counted(shaped_plan(tmp_path, [{}] * 4_097))
    window = Window(plan)
    assert [window.task(number).id for number in (1, 4_097, 1)] == ["0001", "4097", "0001"]
    assert tasks.asked == 3


def test_the_step_of_a_task_is_known_without_rendering_it(tmp_path: Path) -> None:
    steps: dict[str, dict[str, object]] = {"a": {}, "b": {}, "c": {}}
    given = [{"step": "a"}, {"step": "a"}, {"step": "c"}]
    plan, tasks = counted(shaped_plan(tmp_path, given, steps=steps))
    assert [step_of(plan, number).name for number in (1, 2, 3)] == ["a", "a", "c"]
    assert tasks.asked == 0
