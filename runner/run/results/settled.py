"""The tasks of a plan that are not to be submitted, since what became of them is known.

Their outputs are at home. It must not know who found that out: the events of the same run, or what
an earlier one left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from runner.frozen import dataclass
from runner.plan.model import TaskRange
from runner.run.events import TaskFinished
from runner.spec.model.terms import Role

_OPEN, _SUCCEEDED, _FAILED, _SKIPPED, _LEFT_OUT = range(5)


@dataclass(frozen=True, slots=True)
class HomeOutput:
    """A blob that a settled task left, and the file that it became."""

    role: Role
    blob: str
    path: Path


class Settled:
    """What is known of the tasks of one plan, by their numbers; a byte for each."""

    def __init__(self, total: int) -> None:
        self._states = bytearray(total + 1)
        self._failures: dict[int, TaskFinished] = {}
        self._outputs: dict[Role, list[HomeOutput]] = {}

    def succeed(self, number: int) -> None:
        """The task has succeeded in this run, and the journal says so."""
        self._states[number] = _SUCCEEDED
        self._failures.pop(number, None)

    def fail(self, number: int, end: TaskFinished) -> None:
        """The task has failed for good in this run, and the journal says so."""
        self._states[number] = _FAILED
        self._failures[number] = end

    def skip(self, number: int) -> None:
        """An earlier run has done what the task would do; the journal does not say so yet."""
        self._states[number] = _SKIPPED

    def leave_out(self, number: int) -> None:
        """Nobody asked for the task: it is neither run nor done."""
        self._states[number] = _LEFT_OUT

    def reopen(self, number: int) -> None:
        """What was known of the task does not hold."""
        self._states[number] = _OPEN
        self._failures.pop(number, None)

    def keep_output(self, output: HomeOutput) -> None:
        """Remembers a file that other tasks may need in its container."""
        self._outputs.setdefault(output.role, []).append(output)

    def __len__(self) -> int:
        """How many tasks are settled."""
        return len(self._states) - 1 - self._states.count(_OPEN, 1)

    def is_settled(self, number: int) -> bool:
        """Whether the task is not to be submitted."""
        return self._states[number] != _OPEN

    @property
    def is_complete(self) -> bool:
        """Whether no task of the plan is left."""
        return self._states.find(_OPEN, 1) < 0

    @property
    def succeeded(self) -> int:
        """Tasks of which nothing is left to do; those that are skipped count among them."""
        return self._states.count(_SUCCEEDED, 1) + self._states.count(_SKIPPED, 1)

    @property
    def failures(self) -> Mapping[int, TaskFinished]:
        """The tasks that have failed, with their ends."""
        return self._failures

    @property
    def left_out(self) -> int:
        """Tasks that nobody asked for."""
        return self._states.count(_LEFT_OUT, 1)

    def skipped(self) -> Iterator[int]:
        """The tasks of which the journal does not know yet."""
        number = self._states.find(_SKIPPED, 1)
        while number >= 0:
            yield number
            number = self._states.find(_SKIPPED, number + 1)

    def marks_of_success(self) -> bytes:
        """For each number 1 where the task has succeeded in this run, else 0; 0 is no task's."""
        return bytes(state == _SUCCEEDED for state in self._states)

    def outputs(self, role: Role) -> tuple[HomeOutput, ...]:
        """What settled tasks left in the container of a role."""
        return tuple(self._outputs.get(role, ()))

    def absent(self, present: Iterable[int] = ()) -> Absent:
        """The settled tasks that a job does not have, which has `present`."""
        marks = bytearray(state != _OPEN for state in self._states)
        marks[0] = 0
        for number in present:
            marks[number] = 0
        return Absent(marks)


class Absent:
    """Tasks that a job will never have: nobody may wait for them."""

    def __init__(self, marks: bytearray) -> None:
        self._marks = marks

    @property
    def holes(self) -> int:
        """How many gaps they make in the numbers of the tasks."""
        return self._marks.count(b"\0\1")

    def __contains__(self, number: int) -> bool:
        return bool(self._marks[number])

    def without(self, needs: tuple[TaskRange, ...]) -> tuple[TaskRange, ...]:
        """The same tasks but for those that are absent."""
        return tuple(part for need in needs for part in self._parts(need))

    def _parts(self, need: TaskRange) -> Iterator[TaskRange]:
        marks, end = self._marks, need.last + 1
        first = marks.find(0, need.first, end)
        while first >= 0:
            last = marks.find(1, first, end)
            if last < 0:
                last = end
            yield TaskRange(first=first, last=last - 1)
            first = marks.find(0, last, end)
