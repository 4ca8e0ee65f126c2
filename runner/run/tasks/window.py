"""The tasks of a plan that a run has just to do with, so that none is rendered again for each of
its uses: it is added, collected, and written down.

It must not know what is done with a task.
"""

from __future__ import annotations

from bisect import bisect_left

from runner.plan.model import Plan, TaskId, TaskPlan, TaskRange
from runner.plan.tasks import MOST_KEPT, is_small
from runner.spec.model.step import Step


class Window:
    """Tasks of one plan by their numbers; may be used by several threads.

    Whatever the number of tasks, only so many are kept; a run whose tasks end in about the order in
    which they are added finds nearly all of them here.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._kept: list[tuple[int, TaskPlan] | None] = [None] * MOST_KEPT

    def task(self, number: int) -> TaskPlan:
        """The task of a number, from 1."""
        place = number % len(self._kept)
        kept = self._kept[place]
        if kept is not None and kept[0] == number:
            return kept[1]
        task = self._plan.tasks[number - 1]
        if is_small(task):
            self._kept[place] = (number, task)
        return task

    def of(self, task: TaskId) -> TaskPlan:
        """The task of an id."""
        return self.task(int(task))


def step_of(plan: Plan, number: int) -> Step:
    """The step of a task, from 1, which need not be rendered for that."""
    return plan.workload.steps[bisect_left(plan.ranges, number, key=_last)]


def _last(tasks: TaskRange) -> int:
    return tasks.last
