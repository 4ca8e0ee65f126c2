"""Tasks that wait for others."""

from __future__ import annotations

from runner.emulator.batch.core.dependencies import DependencyIndex
from runner.emulator.batch.core.ids import Key, TaskId
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
    index.add(Key("z"), on("a", ranges=((1, 1),)))
    index.remove(Key("z"))
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
