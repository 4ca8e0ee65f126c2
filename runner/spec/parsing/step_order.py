"""The order of steps: each behind those that it needs, and the circles where there is none.

It knows nothing of why a step needs another; names of steps that do not exist are passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

from runner.spec.model.step import Step
from runner.spec.model.terms import StepName


def order_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps, each behind what it needs and else as they were written.

    Steps that wait for each other have no such order: they stand last, as they were written.
    """
    order = _runnable(steps)
    stuck = sorted(set(range(len(steps))).difference(order))
    return tuple(steps[index] for index in (*order, *stuck))


def find_circles(steps: Sequence[Step]) -> Iterable[tuple[StepName, ...]]:
    """Circles of steps that wait for each other, each from its first step on; none shares a step.

    A step that needs itself is a circle of one.
    """
    stuck = set(range(len(steps))).difference(_runnable(steps))
    position = {step.name: index for index, step in enumerate(steps)}
    done: set[int] = set()
    for start in sorted(stuck):
        path: dict[int, int] = {}
        at = start
        while at not in done and at not in path:
            path[at] = len(path)
            at = next(position[name] for name in steps[at].needs if position.get(name, -1) in stuck)
        if at in path:
            circle = list(path)[path[at] :]
            first = circle.index(min(circle))
            yield tuple(steps[index].name for index in (*circle[first:], *circle[:first]))
        done.update(path)


def needed_by(steps: Sequence[Step], step: Step) -> frozenset[StepName]:
    """All that must be done before a step: what it needs, what that needs, and so on."""
    by_name = {each.name: each for each in steps}
    found: set[StepName] = set()
    waiting = list(step.needs)
    while waiting:
        name = waiting.pop()
        if name not in found and name in by_name:
            found.add(name)
            waiting.extend(by_name[name].needs)
    return frozenset(found)


def _runnable(steps: Sequence[Step]) -> list[int]:
    """The indices of all steps but those in a circle or behind one, in an order to run them."""
    position = {step.name: index for index, step in enumerate(steps)}
    missing = [{position[name] for name in step.needs if name in position} for step in steps]
    dependents: defaultdict[int, list[int]] = defaultdict(list)
    for index, needs in enumerate(missing):
        for need in needs:
            dependents[need].append(index)
    ready = [index for index, needs in enumerate(missing) if not needs]
    heapify(ready)
    order: list[int] = []
    while ready:
        index = heappop(ready)
        order.append(index)
        for dependent in dependents[index]:
            missing[dependent].discard(index)
            if not missing[dependent]:
                heappush(ready, dependent)
    return order
