"""Which tasks never run, and whose fault that is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runner.plan.model import TaskId, TaskPlan
from runner.run.tasks.dependents import Blocked, Dependents
from tests.effort import assert_linear
from tests.fakes.plans import make_plan
from tests.fakes.shapes import needs


@pytest.fixture
def task(tmp_path: Path) -> TaskPlan:
    return make_plan(tmp_path, files=("a.txt",)).tasks[0]


def noted(task: TaskPlan, *wanted: tuple[tuple[int, int], ...]) -> Dependents:
    """The needs of tasks 1, 2, 3, ..."""
    dependents = Dependents(len(wanted))
    for number, ranges in enumerate(wanted, start=1):
        dependents.note(replace(task, id=TaskId(f"{number:04}"), needs=needs(*ranges)))
    return dependents


def test_nothing_failed(task: TaskPlan) -> None:
    assert noted(task, (), ((1, 1),)).judge() == ()


def test_one_by_one(task: TaskPlan) -> None:
    dependents = noted(task, (), (), ((1, 1),), ((2, 2),))
    dependents.fail(2)
    assert dependents.judge() == (Blocked(number=4, need=2, culprit=2),)
    assert dependents.judge() == ()
    assert [dependents.is_blocked(number) for number in range(1, 5)] == [False] * 3 + [True]


def test_all_that_follow(task: TaskPlan) -> None:
    dependents = noted(task, (), ((1, 1),), ((2, 2),), ((3, 3),))
    dependents.fail(1)
    assert dependents.judge() == (
        Blocked(number=2, need=1, culprit=1),
        Blocked(number=3, need=2, culprit=1),
        Blocked(number=4, need=3, culprit=1),
    )


def test_one_of_a_range_is_enough(task: TaskPlan) -> None:
    dependents = noted(task, (), (), (), ((1, 3),), ((1, 3),), ((1, 2),))
    dependents.fail(3)
    assert [each.number for each in dependents.judge()] == [4, 5]
    dependents.fail(1)
    assert dependents.judge() == (Blocked(number=6, need=1, culprit=1),)


def test_tasks_noted_after_the_failure(task: TaskPlan) -> None:
    dependents = noted(task, (), (), ())
    dependents.fail(1)
    assert dependents.judge() == ()
    dependents.note(replace(task, id=TaskId("0002"), needs=needs((1, 1))))
    assert dependents.judge() == (Blocked(number=2, need=1, culprit=1),)
    dependents.note(replace(task, id=TaskId("0003"), needs=needs((2, 2))))
    assert dependents.judge() == (Blocked(number=3, need=2, culprit=1),)


def test_of_several_needs_any(task: TaskPlan) -> None:
    dependents = noted(task, (), (), ((1, 1), (2, 2)))
    dependents.fail(2)
    assert dependents.judge() == (Blocked(number=3, need=2, culprit=2),)


def blocked_by_search(wanted: list[tuple[tuple[int, int], ...]], failed: set[int]) -> set[int]:
    """The same, by the plain definition."""
    dead = set(failed)
    for number, ranges in enumerate(wanted, start=1):
        if any(first <= each <= last for each in dead for first, last in ranges):
            dead.add(number)
    return dead - failed


@pytest.mark.parametrize("seed", range(20))
def test_against_a_plain_search(task: TaskPlan, seed: int) -> None:
    chance = random.Random(seed)
    wanted: list[tuple[tuple[int, int], ...]] = []
    for number in range(1, 61):
        ranges = []
        for _ in range(chance.choice((0, 0, 1, 2)) if number > 1 else 0):
            first = chance.randint(1, number - 1)
            ranges.append((first, chance.randint(first, min(number - 1, first + 3))))
        wanted.append(tuple(ranges))
    dependents = noted(task, *wanted)
    failed: set[int] = set()
    found: set[int] = set()
    for number in chance.sample(range(1, 61), 8):
        if not dependents.is_blocked(number):
            failed.add(number)
            dependents.fail(number)
            found |= {each.number for each in dependents.judge()}
    assert found == blocked_by_search(wanted, failed)


def test_a_failure_among_many_is_found_in_one_pass(task: TaskPlan) -> None:
    """A merge over many tasks, each with a follower of its own."""

    def judging(count: int) -> Callable[[], object]:
        followers = (((number, number),) for number in range(1, count + 1))
        dependents = noted(task, *[()] * count, *followers, ((count + 1, 2 * count),))
        dependents.fail(1)

        def judge() -> None:
            blocked = dependents.judge()
            assert [each.number for each in blocked] == [count + 1, 2 * count + 1]
            assert blocked[1].culprit == 1

        return judge

    assert_linear(judging, 300)
