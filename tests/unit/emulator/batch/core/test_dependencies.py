"""Tasks that wait for others."""

from __future__ import annotations

import random

from runner.emulator.batch.core.dependencies import DependencyIndex
from runner.emulator.batch.core.ids import Key, TaskId
from runner.emulator.batch.core.stabbing import StabbingIndex
from runner.emulator.batch.core.task import Dependencies, ExitAction, ExitRules, JobAction
from tests.unit.emulator.batch.core.world import World


def on(*ids: str, ranges: tuple[tuple[int, int], ...] = ()) -> Dependencies:
    """What a task waits for."""
    return Dependencies(ids=tuple(TaskId(name) for name in ids), ranges=ranges)


def test_a_task_waits_for_all_ids_without_regard_to_case() -> None:
    index = DependencyIndex()
    index.add(Key("z"), on("A", "b", "a"))
    assert index.satisfy(Key("a")) == ()
    assert index.blocks(Key("z"))
    assert index.satisfy(Key("b")) == (Key("z"),)
    assert not index.blocks(Key("z"))


def test_what_was_satisfied_before_does_not_block() -> None:
    index = DependencyIndex()
    index.satisfy(Key("a"))
    index.satisfy(Key("002"))
    index.add(Key("z"), on("a", ranges=((2, 2),)))
    assert not index.blocks(Key("z"))


def test_in_a_range_leading_zeros_do_not_matter_and_the_first_counts() -> None:
    index = DependencyIndex()
    index.add(Key("z"), on(ranges=((1, 2),)))
    assert index.satisfy(Key("001")) == ()
    assert index.satisfy(Key("1")) == ()
    assert index.satisfy(Key("x2")) == ()
    assert index.satisfy(Key("02")) == (Key("z"),)


def test_a_huge_range_costs_nothing_to_note() -> None:
    index = DependencyIndex()
    index.satisfy(Key("5"))
    index.add(Key("z"), on(ranges=((1, 2_000_000_000),)))
    assert index.blocks(Key("z"))


def test_a_deleted_task_waits_no_more() -> None:
    index = DependencyIndex()
    waits = on("a", "b", ranges=((1, 1), (1, 9)))
    index.add(Key("z"), waits)
    index.add(Key("other"), waits)
    index.satisfy(Key("b"))
    index.remove(Key("z"), waits)
    index.remove(Key("other"), waits)
    assert index.satisfy(Key("a")) == ()
    assert index.satisfy(Key("1")) == ()


def test_a_failure_blocks_unless_its_exit_says_otherwise() -> None:
    satisfied = ExitAction(job=JobAction.NONE, satisfies_dependents=True)
    exits = ExitRules(
        codes=((3, satisfied),), ranges=(), pre_processing=None, file_upload=None, default=None
    )
    world = World()
    world.pool(slots=4)
    world.job()
    world.add("bad", "listed", exits=exits)
    world.add("after-bad", depends_on=on("bad"))
    world.add("after-listed", depends_on=on("listed"))
    world.end("bad", 4)
    world.end("listed", 3)
    assert world.running == {"after-listed"}


def test_ranges_are_satisfied_as_if_all_were_searched() -> None:
    chance = random.Random(7)
    index = DependencyIndex()
    waiting: dict[Key, Dependencies] = {}
    satisfied: set[int] = set()
    for step in range(3000):
        match chance.randrange(4):
            case 0 | 1:
                starts = [chance.randrange(300) for _ in range(chance.randint(1, 3))]
                ranges = tuple((start, start + chance.randrange(8)) for start in starts)
                key = Key(f"task-{step}")
                waiting[key] = on(ranges=ranges)
                index.add(key, waiting[key])
                if covered(waiting[key], satisfied):
                    del waiting[key]
                    assert not index.blocks(key)
            case 2 if waiting:
                key = chance.choice(list(waiting))
                index.remove(key, waiting.pop(key))
            case _:
                number = chance.randrange(300)
                satisfied.add(number)
                freed = {key for key, waits in waiting.items() if covered(waits, satisfied)}
                assert set(index.satisfy(Key(str(number)))) == freed
                for key in freed:
                    del waiting[key]
        assert all(index.blocks(key) for key in waiting)
    assert len(satisfied) > 200


def covered(waits: Dependencies, satisfied: set[int]) -> bool:
    """Whether nothing is missing in any of the ranges."""
    return all(
        number in satisfied for start, end in waits.ranges for number in range(start, end + 1)
    )


def test_a_number_is_found_in_the_one_range_that_holds_it() -> None:
    index = StabbingIndex()
    for start in range(0, 100_000, 10):
        index.add((start, start + 5))
    assert index.around(50_003) == ((50_000, 50_005),)
    assert index.around(50_007) == ()
    index.remove((50_000, 50_005))
    assert index.around(50_003) == ()


def test_a_number_may_lie_in_many_ranges() -> None:
    index = StabbingIndex()
    wide = [(0, 2**63), (5, 5), (4, 6), (0, 5), (5, 2**31)]
    for bounds in (*wide, (0, 4), (6, 9)):
        index.add(bounds)
    assert sorted(index.around(5)) == sorted(wide)
