"""All tasks of a plan as one sequence, rendered when asked for: a million take no memory.

It knows nothing of the disk; what was read for the tasks is given.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate, pairwise
from typing import overload

from runner.plan.items import Items
from runner.plan.model import FolderResource, RunId, TaskId, TaskPlan, TaskRange, id_width
from runner.plan.needs import make_needs, number_steps
from runner.plan.references import asks_for_urls
from runner.plan.resources import container_prefixes
from runner.plan.sources import Materials, make_items, named_outputs
from runner.plan.step_tasks import StepTasks
from runner.spec.model.step import Step
from runner.spec.model.terms import ContainerResource, Role, StepName
from runner.spec.model.workload import Workload

_MOST_RECENT = 64
"""So many tasks that were asked for last are kept as they were rendered."""
MOST_KEPT = 4096
"""A plan of so many tasks may keep them all."""
# One that is larger is rendered again rather than kept.
_MOST_SCRIPT_CHARACTERS = 4_000
_MOST_FILES = 32


class TaskSequence(Sequence[TaskPlan]):
    """All tasks of a plan, in the order of their ids, rendered when asked for.

    Ids are decimal numbers from 1, padded to one width, counted over all steps: they never
    collide, and dependencies can go by range.
    """

    def __init__(
        self,
        *,
        workload: Workload,
        run_id: RunId,
        materials: Materials,
        containers: Mapping[Role, str],
        account: str,
        kept: dict[int, TaskPlan] | None = None,
    ) -> None:
        """`containers` are their names, `account` is the URL of the storage account.

        In `kept` go the tasks of a plan that is small, by their indices, for whoever goes through
        all of them more than once: to check, to write down and to carry out.
        """
        self._workload = workload
        self._run_id = run_id
        self._materials = materials
        self._containers = containers
        self._account = account.rstrip("/")
        self.steps = tuple(self._make_steps())
        self._starts = tuple(accumulate(map(len, self.steps), initial=0))
        self._length = self._starts[-1]
        self._id_width = id_width(self._length)
        self._kept = kept if self._length <= MOST_KEPT else None
        # One task after another is asked for, and each by several: when it ends, for example.
        self._recent = lru_cache(_MOST_RECENT)(self.render)

    def placed(self, account: str) -> TaskSequence:
        """The same tasks for another storage account; nothing is read again."""
        kept = self._kept
        if kept is not None:
            placed = {step.name for step in self._workload.steps if asks_for_urls(step)}
            kept = {index: task for index, task in kept.items() if task.step.name not in placed}
        return TaskSequence(
            workload=self._workload,
            run_id=self._run_id,
            materials=self._materials,
            containers=self._containers,
            account=account,
            kept=kept,
        )

    @property
    def materials(self) -> Materials:
        """What was read for the tasks."""
        return self._materials

    @property
    def ranges(self) -> tuple[TaskRange, ...]:
        """The tasks of each step."""
        return tuple(
            TaskRange(first=first + 1, last=last) for first, last in pairwise(self._starts)
        )

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> TaskPlan: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[TaskPlan, ...]: ...
    def __getitem__(self, index: int | slice) -> TaskPlan | tuple[TaskPlan, ...]:
        """Raises `SpecError` where a template cannot take this task's values."""
        if isinstance(index, slice):
            return tuple(self[each] for each in range(*index.indices(self._length)))
        number = index + self._length if index < 0 else index
        if not 0 <= number < self._length:
            raise IndexError(index)
        return self._recent(number)

    def __iter__(self) -> Iterator[TaskPlan]:
        return map(self.render, range(self._length))

    def render(self, index: int) -> TaskPlan:
        """The task of an index from 0, for whoever asks for each once.

        It is kept where a plan keeps all of them.
        """
        kept = self._kept
        if kept is not None and index in kept:
            return kept[index]
        step, within = self._find(index)
        task = step.render(within)
        if kept is not None and is_small(task):
            kept[index] = task
        return task

    def step_of(self, index: int) -> Step:
        """The step of a task, without rendering it."""
        return self._find(index)[0].step

    def _find(self, index: int) -> tuple[StepTasks, int]:
        position = bisect_right(self._starts, index) - 1
        return self.steps[position], index - self._starts[position]

    def _make_steps(self) -> Iterator[StepTasks]:
        workload = self._workload
        named = {step.name: len(named_outputs(step)) for step in workload.steps}
        fixed = {"parameters": workload.parameters, "run": {"id": self._run_id}}
        prefixes = container_prefixes(workload)
        made: dict[StepName, tuple[StepTasks, Step]] = {}
        start = 0
        for step in workload.steps:
            items = make_items(step, self._materials, url_of=self._url_of, producers=made)
            tasks = StepTasks(
                step,
                items,
                document=workload.document,
                fixed=fixed,
                name_task=partial(self._name_task, start),
                needs_of=self._needs_of(step, made, items, named),
                gathered=gathered(step, workload),
                prefixes=prefixes,
                known=self._materials.known,
            )
            made[step.name] = (tasks, step)
            start += len(items)
            yield tasks

    def _needs_of(
        self,
        step: Step,
        before: Mapping[StepName, tuple[StepTasks, Step]],
        items: Items,
        named: Mapping[StepName, int],
    ) -> Callable[[int], tuple[TaskRange, ...]]:
        if not step.needs:
            return lambda _: ()
        steps = [*(each for _, each in before.values()), step]
        counts = [*(len(tasks) for tasks, _ in before.values()), len(items)]
        numbered = number_steps(steps, counts, named)
        return make_needs(step, numbered, named)

    def _name_task(self, start: int, within: int) -> TaskId:
        return TaskId(str(start + within + 1).zfill(self._id_width))

    def _url_of(self, role: Role) -> str:
        return f"{self._account}/{self._containers[role]}"


def is_small(task: TaskPlan) -> bool:
    """Whether a task takes so little memory that thousands like it may be kept."""
    files = len(task.resources) + len(task.shared_resources) + len(task.outputs) + len(task.needs)
    return len(task.command.script) <= _MOST_SCRIPT_CHARACTERS and files <= _MOST_FILES


def gathered(step: Step, workload: Workload) -> tuple[FolderResource, ...]:
    """What a step without items gets of the steps that it needs: each container that they write,
    whole, in a folder named by its role; not those that its own `resources` speak of."""
    if step.for_each is not None:
        return ()
    spoken_of = {each.role for each in step.resources if isinstance(each, ContainerResource)}
    roles = [output.to for name in step.needs for output in workload.step(name).outputs]
    return tuple(
        FolderResource(role=role, path=role)
        for role in dict.fromkeys(roles)
        if role not in spoken_of
    )
