"""That no two tasks write one blob, nor files that one disk could not hold side by side.

Only a 64-bit number of each name is kept, so that a million tasks cost tens of megabytes; names
whose numbers are equal are rendered again and compared. It knows nothing of how tasks are rendered.
"""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import accumulate, pairwise

from runner.frozen import dataclass
from runner.plan.distinct_names import (
    how_to_differ,
    how_to_differ_in_more_than_case,
    how_to_differ_in_one_task,
)
from runner.plan.model import OutputPlan, TaskId, TaskPlan
from runner.spec.document import Pointer
from runner.spec.model.step import Output, Step, UploadCondition
from runner.spec.model.terms import Role
from runner.spec.model.workload import OwnContainer, Workload
from runner.spec.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """One output of one task."""

    task: TaskId
    step: Step
    output: Output
    plan: OutputPlan


class OutputNames:
    """The outputs of all tasks of a plan, by the numbers of their names, in the tasks' order."""

    def __init__(
        self,
        workload: Workload,
        tasks: Sequence[TaskPlan],
        counts: Sequence[int],
        *,
        number_of: Callable[[tuple[Role, str]], int] = hash,
    ) -> None:
        """`counts` are the numbers of tasks of the steps.

        `number_of` gives the number of a name, of 64 bits with their sign.
        """
        self._workload = workload
        self._tasks = tasks
        self._number_of = number_of
        # Where the tasks, and the outputs, of each step begin among all of them.
        sizes = (
            count * len(step.outputs) for count, step in zip(counts, workload.steps, strict=True)
        )
        self._task_starts = list(accumulate(counts, initial=0))
        self._output_starts = list(accumulate(sizes, initial=0))
        self._downloaded = frozenset(
            each.role
            for each in workload.containers
            if isinstance(each, OwnContainer) and each.download
        )
        outputs = [output for step in workload.steps for output in step.outputs]
        spread = {each.to for each in outputs if each.pattern.has_wildcard}
        self._heeds_folders = self._downloaded | spread
        self._names = array("q")
        self._spread = array("q")
        self._above: set[int] = set()
        self._last_folder: dict[Role, str] = {}

    def add(self, task: TaskPlan) -> None:
        """Takes note of the next task's outputs."""
        for output in task.outputs:
            key = self._key(output)
            number = self._number_of((output.role, key))
            # A folder's number differs from that of a file of its name.
            self._names.append(number if output.blob is not None else ~number)
            if output.role in self._heeds_folders:
                if output.blob is None:
                    self._spread.append(number)
                folder = key.rpartition("/")[0]
                if key and self._last_folder.get(output.role) != folder:
                    self._last_folder[output.role] = folder
                    self._above.update(self._numbers_up(output.role, folder))

    def problems(self) -> Iterator[Problem]:
        """A problem for each output of the spec that would overwrite something of another task."""
        reported: set[Pointer] = set()
        for problem, pointer in self._equal():
            reported.add(pointer)
            yield problem
        spread = set(self._spread)
        candidates = self._above & spread
        if self._downloaded:
            candidates |= (self._above | spread).intersection(self._names)
        if candidates and not reported:
            yield from self._nested(candidates)

    def _numbers_up(self, role: Role, folder: str) -> Iterator[int]:
        return (self._number_of((role, each)) for each in _way_up(folder))

    def _key(self, output: OutputPlan) -> str:
        """The name as others must differ from it: on many disks, capitals make no difference."""
        name = output.path if output.blob is None else output.blob
        if output.role not in self._downloaded:
            return name
        if name.isascii():
            return name.lower()
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())

    def _equal(self) -> Iterator[tuple[Problem, Pointer]]:
        """Outputs whose names are those of an earlier one's."""
        twice = {one for one, other in pairwise(sorted(self._names)) if one == other}
        if not twice:
            return
        first: dict[int, list[int]] = {}
        reported: set[Pointer] = set()
        for position, number in enumerate(self._names):
            if number not in twice:
                continue
            earlier = first.setdefault(number, [])
            pointer = self._output_at(position)[1].pointer
            if pointer in reported:
                continue
            other = self._written(position)
            for each in earlier:
                one = self._written(each)
                if self._clash(one, other):
                    reported.add(pointer)
                    yield self._same_name(one, other), pointer
                    break
                if self._is_same(one, other):
                    break
            else:
                earlier.append(position)

    def _is_same(self, one: _Written, other: _Written) -> bool:
        """Whether the names are one; else their numbers are equal by chance."""
        return one.plan.role == other.plan.role and self._key(one.plan) == self._key(other.plan)

    def _clash(self, one: _Written, other: _Written) -> bool:
        if not self._is_same(one, other):
            return False
        if one.task != other.task:
            return True
        apart = {UploadCondition.SUCCESS, UploadCondition.FAILURE}
        return one.plan.pattern != other.plan.pattern and {one.plan.when, other.plan.when} != apart

    def _same_name(self, one: _Written, other: _Written) -> Problem:
        plan, pointer = other.plan, other.output.pointer
        target = f"{plan.path}/" if plan.blob is None else plan.blob
        if one.plan.path != plan.path:
            return self._workload.document.problem(
                pointer,
                code="case-collision",
                message=f"tasks {one.task} and {other.task} would write `{one.plan.path}` and"
                f" `{plan.path}` of `{plan.role}`, which are one file on many disks",
                hint=f"{how_to_differ_in_more_than_case(one.step, other.step)}, or do not download"
                f" `{plan.role}`",
            )
        hint = how_to_differ(one.step, other.step)
        who = f"tasks {one.task} and {other.task} would both"
        if one.task == other.task:
            who = f"two outputs of task {other.task} would"
            hint = how_to_differ_in_one_task(other.step)
        return self._workload.document.problem(
            pointer,
            code="output-collision",
            message=f"{who} write `{target}` of `{plan.role}`",
            hint=hint,
        )

    def _nested(self, candidates: set[int]) -> Iterator[Problem]:
        """Outputs below a folder that another task's wildcard fills, or below another's file.

        `candidates` are the numbers of such folders and files.
        """
        owners: dict[int, list[int]] = {}
        for position, number in enumerate(self._names):
            if number in candidates or ~number in candidates:
                owners.setdefault(number, []).append(position)
        reported: set[Pointer] = set()
        for index, task in enumerate(self._tasks):
            for output, plan in zip(task.step.outputs, task.outputs, strict=True):
                below = _Written(task=task.id, step=task.step, output=output, plan=plan)
                for owner in self._owners(owners, index, plan):
                    problem = self._nesting(owner, below)
                    if problem is not None and output.pointer not in reported:
                        reported.add(output.pointer)
                        yield problem

    def _owners(
        self, owners: Mapping[int, Sequence[int]], index: int, plan: OutputPlan
    ) -> Iterator[_Written]:
        """The outputs of other tasks that an output of the task at `index` may lie in."""
        key = self._key(plan)
        for above in _way_up(key if plan.blob is None else key.rpartition("/")[0]):
            number = self._number_of((plan.role, above))
            for position in (*owners.get(~number, ()), *owners.get(number, ())):
                if self._output_at(position)[0] == index:
                    continue
                owner = self._written(position)
                if owner.plan.role == plan.role and self._key(owner.plan) == above:
                    yield owner

    def _nesting(self, owner: _Written, below: _Written) -> Problem | None:
        """What is wrong with an output below the path of another one, if anything is."""
        one, other = owner.plan, below.plan
        hint = how_to_differ(owner.step, below.step)
        if one.blob is not None:
            message = (
                f"`{one.path}` of `{one.role}` would be a file of task {owner.task} and a folder"
                f" of task {below.task}, which no disk can hold"
            )
            hint += f", or do not download `{one.role}`"
        elif other.blob is None:
            if one.path == other.path:
                return None  # said already
            message = (
                f"task {owner.task} would fill `{one.path}/` of `{one.role}`, and task"
                f" {below.task} `{other.path}/` in it"
            )
        elif fnmatchcase(other.blob.rpartition("/")[2], one.pattern.rpartition("/")[2]):
            message = (
                f"task {below.task} would write `{other.blob}` of `{other.role}`, and so may"
                f" task {owner.task} by `{one.pattern}`"
            )
        else:
            return None
        if one.blob is not None and one.role not in self._downloaded:
            return None
        return self._workload.document.problem(
            below.output.pointer, code="output-nesting", message=message, hint=hint
        )

    def _output_at(self, position: int) -> tuple[int, Output, int]:
        """The task that the output at a position is of, and which of its step's it is."""
        number = bisect_right(self._output_starts, position) - 1
        outputs = self._workload.steps[number].outputs
        task, which = divmod(position - self._output_starts[number], len(outputs))
        return self._task_starts[number] + task, outputs[which], which

    def _written(self, position: int) -> _Written:
        index, output, which = self._output_at(position)
        task = self._tasks[index]
        return _Written(task=task.id, step=task.step, output=output, plan=task.outputs[which])


def _way_up(folder: str) -> Iterator[str]:
    """The folder and every one above it, to the root, whose path is empty."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""
