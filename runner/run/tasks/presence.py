"""What a job has of a plan's tasks, and what that means for those that are to be added.

A job that is new, or made anew, lacks the tasks that are settled: nobody may wait for them there.
It must not know how tasks are added, nor why some are settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from enum import Enum

from runner.plan.model import CommandLine, Plan, TaskId, TaskPlan
from runner.run.requests import TaskRequest
from runner.run.results.settled import Settled
from runner.run.tasks.exits import blocks_dependents, service_end
from runner.run.tasks.window import step_of
from runner.spec.model.pool import OperatingSystem
from runner.spec.model.terms import Elevation

# Each range of ids that a task needs takes some 30 bytes of a request, which may have 1 MB.
_MOST_HOLES = 5_000


class Wait(Enum):
    """What is to be done about a task."""

    NOTHING = "nothing"
    """It is settled, and nobody asks the job for it."""
    FILL = "fill"
    """It is settled, but so many are that a task which needs others cannot name them all: a task
    that does nothing takes its place."""
    EXPECT = "expect"
    """The job has it."""
    ADD = "add"


class Presence:
    """The tasks of one plan and those that its job has."""

    def __init__(
        self,
        plan: Plan,
        settled: Settled,
        present: Iterable[TaskId] = (),
        *,
        told: Collection[int] = (),
    ) -> None:
        """`present` are tasks that the job has, `told` those of which the journal knows."""
        numbers = frozenset(map(int, present))
        self._settled = settled
        self._present = numbers
        self._told = told
        self._absent = settled.absent(numbers)
        needed = any(step.needs for step in plan.workload.steps)
        self._fills = needed and self._absent.holes > _MOST_HOLES
        self._closes_holes = needed and not self._fills and len(settled) > 0
        # Whoever needs one of these never runs; where the job has it, the service sees to that.
        self._blocking = bytearray(len(plan.tasks) + 1) if settled.failures else bytearray()
        for number, end in settled.failures.items():
            step = step_of(plan, number)
            if number in self._absent and blocks_dependents(step, service_end(end)):
                self._blocking[number] = 1

    def what_to_do(self, number: int) -> Wait:
        """About the task of this number."""
        if self._settled.is_settled(number):
            fills = self._fills and number in self._absent
            return Wait.FILL if fills else Wait.NOTHING
        return Wait.EXPECT if number in self._present else Wait.ADD

    def is_told(self, number: int) -> bool:
        """Whether the journal knows that the job has the task."""
        return number in self._told

    def is_blocked(self, task: TaskPlan) -> bool:
        """Whether the task can never run; asked once for each, in the order of their numbers."""
        if not self._blocking or not any(
            self._blocking.find(1, need.first, need.last + 1) >= 0 for need in task.needs
        ):
            return False
        self._blocking[int(task.id)] = 1
        return True

    def without_absent(self, request: TaskRequest) -> TaskRequest:
        """The request of a task that waits for nobody whom the job will never have."""
        if not self._closes_holes or not request.needs:
            return request
        return replace(request, needs=self._absent.without(request.needs))


def filler(task: TaskPlan, system: OperatingSystem) -> TaskRequest:
    """A task that does nothing and leaves nothing, under the id of one that is settled."""
    line = "cmd /c exit 0" if system is OperatingSystem.WINDOWS else "/bin/true"
    step = replace(
        task.step,
        run_as=Elevation.USER,
        slots=1,
        exit_rules=(),
        container=None,
        instances=None,
        applications=(),
        extra={},
    )
    return TaskRequest(
        id=task.id,
        display_name=task.display_name,
        step=step,
        command=CommandLine(line=line, environment={}, script=line),
        coordination=None,
        resources=(),
        shared_resources=(),
        outputs=(),
        needs=(),
        container_image=None,
        job_action=None,
    )
