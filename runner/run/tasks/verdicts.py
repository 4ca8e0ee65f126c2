"""What the ends of tasks have done to the rest: who never runs, and who ended or stopped the job.

It must not know how ends are seen or collected.
"""

from __future__ import annotations

from datetime import datetime, timezone

from runner.frozen import dataclass
from runner.plan.model import Plan, TaskId, TaskPlan, task_id
from runner.run.services import TaskStatus
from runner.run.tasks.dependents import Blocked, Dependents
from runner.run.tasks.exits import (
    ENDED_BY_REQUEST,
    blocks_dependents,
    heeds_exits,
    job_action,
    lists_success,
)
from runner.spec.model.step import JobAction

_LATEST = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A task whose end acted on the job, as the spec asks; `name` is as messages name it."""

    id: TaskId
    name: str
    succeeded: bool
    order: tuple[datetime, bool]
    """Of two, the lower one was it: what a job that ends kills ends later."""


class Verdicts:
    """Judges the end of each task once; one that needs no judgement costs nothing."""

    def __init__(self, plan: Plan, dependents: Dependents) -> None:
        workload = plan.workload
        self._plan = plan
        self._dependents = dependents
        self._heeds_exits = heeds_exits(workload)
        self._judges = self._heeds_exits or any(step.needs for step in workload.steps)
        self._judges_successes = any(lists_success(step) for step in workload.steps)
        self._actors: dict[JobAction, Actor] = {}

    def is_ours(self, task: TaskId) -> bool:
        """Whether the plan has a task of this id: somebody else may add others to the job."""
        total = len(self._plan.tasks)
        is_number = task.isascii() and task.isdigit()
        return is_number and 1 <= int(task) <= total and task == task_id(int(task), of=total)

    def is_settled(self, status: TaskStatus) -> bool:
        """Whether the task was given up before: it counts only once."""
        return self._dependents.is_blocked(int(status.id))

    def take(self, status: TaskStatus) -> None:
        """One more end."""
        if not self._judges or (status.succeeded and not self._judges_successes):
            return
        task = self._plan.tasks[int(status.id) - 1]
        if blocks_dependents(task.step, status):
            self._dependents.fail(int(status.id))
        if self._heeds_exits:
            self._note_actor(task, status)

    def blocked(self) -> tuple[Blocked, ...]:
        """The tasks that are newly known to never run; none where the whole job is about to end."""
        return () if JobAction.TERMINATE in self._actors else self._dependents.judge()

    @property
    def acts(self) -> bool:
        """Whether a task has acted on the job, which will show in its state soon."""
        return bool(self._actors)

    def actor(self, action: JobAction) -> Actor | None:
        """The first task that did this to the job."""
        return self._actors.get(action)

    def _note_actor(self, task: TaskPlan, status: TaskStatus) -> None:
        action = job_action(self._plan.workload, task.step, status)
        if action is JobAction.CONTINUE:
            return
        by_request = status.failure is not None and status.failure.code == ENDED_BY_REQUEST
        order = (status.ended or _LATEST, by_request)
        known = self._actors.get(action)
        if known is None or order < known.order:
            self._actors[action] = Actor(
                id=task.id, name=name_task(task), succeeded=bool(status.succeeded), order=order
            )


def name_task(task: TaskPlan) -> str:
    """A task as messages name it: its id and what it is for."""
    if not task.item:
        return f"task `{task.id}`"
    item = task.item if task.item.isprintable() else ascii(task.item)
    return f"task `{task.id}` ({item})"
