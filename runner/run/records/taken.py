"""Which tasks run again since what they left went with its container, before all had it.

It reads no event itself and asks no service: it is told of ends and cleanups in their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runner.plan.model import Plan, TaskRange
from runner.run.results.settled import Settled
from runner.spec.model.step import Step
from runner.spec.model.terms import Role
from runner.spec.model.workload import Delete, OwnContainer


class Taken:
    """What cleanups took of what only the service had; a byte for each task of each such role."""

    def __init__(self, plan: Plan, roles: Collection[Role]) -> None:
        """`roles` are those whose blobs tasks leave for other tasks."""
        self._plan = plan
        self._gone = {role: bytearray() for role in roles if _is_nowhere_else(plan, role)}

    def note_end(self, number: int) -> None:
        """The task has left its blobs, perhaps again."""
        for marks in self._gone.values():
            if marks:
                marks[number] = 0

    def note_cleanup(self, settled: Settled, deleted: Collection[str] | None = None) -> None:
        """Containers went, by their names; None where it may have been any of the run's own."""
        for role, marks in self._gone.items():
            if deleted is None or self._plan.container_name(role) in deleted:
                marks[:] = settled.marks_of_success()

    def reopen(self, settled: Settled) -> None:
        """Opens again what tasks that are open need, and what those need in turn."""
        leaving = tuple(self._leaving())
        if not leaving:
            return
        names = {step.name for step, _, _ in leaving}
        # Needs point to lower numbers only: one pass from the end finds all of them.
        for step, tasks in reversed(tuple(self._steps())):
            if names.isdisjoint(step.needs):
                continue
            done: set[TaskRange] = set()
            for number in range(tasks.last, tasks.first - 1, -1):
                if settled.is_settled(number):
                    continue
                for need in self._plan.tasks[number - 1].needs:
                    if need not in done:
                        done.add(need)
                        _reopen_range(need, leaving, settled)

    def _steps(self) -> Iterator[tuple[Step, TaskRange]]:
        return zip(self._plan.workload.steps, self._plan.ranges, strict=True)

    def _leaving(self) -> Iterator[tuple[Step, TaskRange, bytearray]]:
        """The steps of which anything is gone, each with the marks of one of its containers."""
        for step, tasks in self._steps():
            for role in {output.to for output in step.outputs}:
                marks = self._gone.get(role)
                if marks and marks.find(1, tasks.first, tasks.last + 1) >= 0:
                    yield step, tasks, marks


def _is_nowhere_else(plan: Plan, role: Role) -> bool:
    """Whether what is in the container comes home never, and goes when the run is cleaned up."""
    container = plan.workload.container(role)
    if not isinstance(container, OwnContainer):
        return False
    return not container.download and container.delete is not Delete.NEVER


def _reopen_range(
    need: TaskRange, leaving: Collection[tuple[Step, TaskRange, bytearray]], settled: Settled
) -> None:
    for _, tasks, marks in leaving:
        end = min(need.last, tasks.last) + 1
        number = marks.find(1, max(need.first, tasks.first), end)
        while number >= 0:
            settled.reopen(number)
            number = marks.find(1, number + 1, end)
