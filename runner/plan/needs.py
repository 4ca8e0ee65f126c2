"""Which tasks each task waits for, as ranges of their numbers.

It knows nothing of what the tasks do. Where two steps have the same items a task waits for those of
its own item; else for the whole of the other step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from runner.frozen import dataclass
from runner.plan.model import TaskRange
from runner.spec.document import Pointer
from runner.spec.model.sources import MatrixOf, OutputsOf, SimpleSource, Source, ZipOf
from runner.spec.model.step import Step
from runner.spec.model.terms import StepName

_NOWHERE: Pointer = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """The tasks of a step: `first` is the number of its first one, `count` how many there are.

    `root` is what the step is run for in the end, through all `outputs_of`; each of the root's
    items has `per_item` tasks, side by side.
    """

    first: int
    count: int
    root: Source | None
    per_item: int

    @property
    def whole(self) -> TaskRange:
        """All of its tasks."""
        return TaskRange(first=self.first, last=self.first + self.count - 1)


def number_steps(
    steps: Sequence[Step], counts: Sequence[int], outputs: Mapping[StepName, int]
) -> Mapping[StepName, Numbering]:
    """The tasks of each step, one step's after another's; steps come after those they need.

    `outputs` says how many named outputs a step has.
    """
    numbered: dict[StepName, Numbering] = {}
    first = 1
    for step, count in zip(steps, counts, strict=True):
        source = step.for_each
        if isinstance(source, OutputsOf):
            other = numbered[source.step]
            root, per_item = other.root, other.per_item * outputs[source.step]
        else:
            root, per_item = _without_places(source), 1
        numbered[step.name] = Numbering(first=first, count=count, root=root, per_item=per_item)
        first += count
    return numbered


def make_needs(
    step: Step, numbered: Mapping[StepName, Numbering], outputs: Mapping[StepName, int]
) -> Callable[[int], tuple[TaskRange, ...]]:
    """What a task of a step waits for, by its number within the step from 0.

    How two steps go together is found out once, since comparing their items may take long.
    """
    own = numbered[step.name]
    rules = [_rule(step, own, name, numbered[name], outputs) for name in step.needs]
    return lambda within: tuple(rule(within) for rule in rules)


def _rule(
    step: Step,
    own: Numbering,
    name: StepName,
    other: Numbering,
    outputs: Mapping[StepName, int],
) -> Callable[[int], TaskRange]:
    if isinstance(step.for_each, OutputsOf) and step.for_each.step == name:
        return partial(_side_by_side, first=other.first, divisor=outputs[name], count=1)
    if own.root is not None and own.root == other.root:
        return partial(_side_by_side, first=other.first, divisor=own.per_item, count=other.per_item)
    whole = other.whole
    return lambda _: whole


def _side_by_side(within: int, *, first: int, divisor: int, count: int) -> TaskRange:
    """The `count` tasks of the item that this one is of; `divisor` of ours are of one item."""
    start = first + within // divisor * count
    return TaskRange(first=start, last=start + count - 1)


def _without_places(source: Source | None) -> Source | None:
    """The source as it is equal to another one that says the same elsewhere in the spec."""
    match source:
        case None:
            return None
        case MatrixOf():
            return MatrixOf(axes=_axes(source.axes), pointer=_NOWHERE)
        case ZipOf():
            return ZipOf(columns=_axes(source.columns), pointer=_NOWHERE)
        case _:
            return replace(source, pointer=_NOWHERE)


def _axes(axes: Mapping[str, SimpleSource]) -> dict[str, SimpleSource]:
    return {name: replace(each, pointer=_NOWHERE) for name, each in axes.items()}
