"""Automatic scaling of pools: when formulas are evaluated, and what becomes of that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runner.emulator.batch.core.ids import PoolId
from runner.emulator.batch.core.pool import AutoScaleRule, Deallocation
from runner.emulator.batch.core.pools import create_pool, delete_pool, resize_pool
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.scaling import (
    disable_auto_scale,
    enable_auto_scale,
    try_formula,
)
from runner.emulator.batch.core.task import Dependencies
from tests.unit.emulator.batch.core.world import World

POOL = PoolId("pool")
INTERVAL = timedelta(minutes=5)


def rule(formula: str) -> AutoScaleRule:
    return AutoScaleRule(formula=formula, interval=INTERVAL)


def scaled_world(formula: str) -> World:
    world = World()
    draft = replace(world.draft(dedicated=0), autoscale=rule(formula))
    create_pool(world.state, world.now, POOL, draft)
    world.wait()
    return world


def enable(world: World, formula: str) -> None:
    enable_auto_scale(world.state, world.now, POOL, {}, rule(formula))
    world.settle()


def results(world: World) -> str:
    scaling = world.pool_now().autoscale
    assert scaling is not None
    assert scaling.run is not None
    return scaling.run.evaluation.results


def refused(reason: Reason, world: World, formula: str = "$TargetDedicatedNodes = 1") -> None:
    with pytest.raises(RefusedError) as caught:
        enable(world, formula)
    assert caught.value.reason is reason


def test_a_pool_gets_the_nodes_that_its_formula_wants() -> None:
    world = scaled_world("$TargetDedicatedNodes = 2; $TargetLowPriorityNodes = 1;")
    assert [node.dedicated for node in world.nodes()] == [True, True, False]


def test_the_formula_is_evaluated_at_the_interval() -> None:
    world = scaled_world("$TargetDedicatedNodes = min(3, $PendingTasks.GetSample(1));")
    world.job()
    world.add("a", "b", "c", "d")
    assert world.nodes() == []
    world.wait(INTERVAL - timedelta(seconds=2))
    assert world.nodes() == []
    world.wait(timedelta(seconds=2))
    assert world.running == {"a", "b", "c"}
    for name in "abcd":
        world.end(name)
    world.wait(INTERVAL)
    world.obey_kills()
    assert world.nodes() == []


def test_tasks_that_wait_for_others_are_not_active() -> None:
    world = scaled_world("x = $ActiveTasks.GetSample(1); y = $RunningTasks + 0;")
    world.job()
    world.add("a")
    world.add("b", depends_on=Dependencies(ids=(world.task("a").id,), ranges=()))
    world.wait(INTERVAL)
    assert results(world).endswith("requeue;x=[1];y=0")


def test_samples_are_taken_every_30_seconds() -> None:
    world = scaled_world("x = $PendingTasks.Count();")
    assert results(world).endswith(";x=1")
    world.wait(INTERVAL)
    # Of one moment, the evaluation comes before the sample.
    assert results(world).endswith(";x=10")


def test_a_fault_changes_nothing_and_is_kept() -> None:
    world = scaled_world("$TargetDedicatedNodes = 1;")
    world.wait(timedelta(minutes=1))
    enable(world, "$TargetDedicatedNodes = 5; x = avg($CPUPercent.GetSample(1));")
    world.wait()
    assert len(world.nodes()) == 1
    scaling = world.pool_now().autoscale
    assert scaling is not None
    assert scaling.run is not None
    assert str(scaling.run.evaluation.fault) == (
        "Line 1, Col 36: Insufficient data from data set: $CPUPercent wanted 100%, received 0%"
    )


def test_another_formula_starts_another_schedule() -> None:
    world = scaled_world("$TargetDedicatedNodes = 1;")
    world.wait(timedelta(minutes=4))
    enable(world, "$TargetDedicatedNodes = $TargetDedicatedNodes + 1;")
    world.wait()
    assert len(world.nodes()) == 2
    # The first formula would be due by now.
    world.wait(timedelta(minutes=2))
    assert len(world.nodes()) == 2
    world.wait(timedelta(minutes=3))
    assert len(world.nodes()) == 3


def test_scaling_is_not_enabled_too_often_nor_during_a_resize() -> None:
    world = World()
    world.pool()
    resize_pool(
        world.state,
        world.now,
        POOL,
        dedicated=2,
        spot=None,
        document={},
        option=Deallocation.REQUEUE,
    )
    refused(Reason.POOL_BEING_RESIZED, world)
    world.wait()
    enable(world, "$TargetDedicatedNodes = 1")
    world.wait(timedelta(seconds=29))
    refused(Reason.AUTO_SCALE_ENABLED_TOO_OFTEN, world)
    world.wait(timedelta(seconds=1))
    enable(world, "$TargetDedicatedNodes = 3")
    world.wait()
    assert len(world.nodes()) == 3


def test_a_scaled_pool_is_not_resized_by_hand() -> None:
    world = scaled_world("$TargetDedicatedNodes = 1;")
    with pytest.raises(RefusedError) as caught:
        resize_pool(
            world.state,
            world.now,
            POOL,
            dedicated=2,
            spot=None,
            document={},
            option=Deallocation.REQUEUE,
        )
    assert caught.value.reason is Reason.OPERATION_INVALID_NOW
    disable_auto_scale(world.state, world.now, POOL, {})
    with pytest.raises(RefusedError) as caught:
        disable_auto_scale(world.state, world.now, POOL, {})
    assert caught.value.reason is Reason.OPERATION_INVALID_NOW
    with pytest.raises(RefusedError) as caught:
        try_formula(world.state, world.now, POOL, "x = 1")
    assert caught.value.reason is Reason.OPERATION_INVALID_NOW
    world.wait(INTERVAL)
    assert len(world.nodes()) == 1


def test_a_formula_can_be_tried() -> None:
    world = scaled_world("$TargetDedicatedNodes = 1;")
    run = try_formula(world.state, world.now, POOL, "$TargetDedicatedNodes = 9; x = rand();")
    assert run.evaluation.results == (
        "$TargetDedicatedNodes=9;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;x=0.5"
    )
    world.wait(INTERVAL)
    assert len(world.nodes()) == 1


def test_a_pool_that_comes_back_starts_anew() -> None:
    world = scaled_world("$TargetDedicatedNodes = 1;")
    delete_pool(world.state, world.now, POOL)
    world.wait()
    draft = replace(world.draft(dedicated=0), autoscale=rule("x = $PendingTasks.Count()"))
    create_pool(world.state, world.now, POOL, draft)
    world.wait(INTERVAL + timedelta(seconds=1))
    # Of one moment, the evaluation comes before the sample.
    assert results(world).endswith(";x=10")


def test_formulas_find_what_the_machine_does() -> None:
    world = scaled_world("$TargetDedicatedNodes = 1;")
    world.state.machine = {"$CPUPercent": 80.0, "$MemoryBytes": 2048.0}
    world.wait(INTERVAL)
    enable(world, "$TargetDedicatedNodes = avg($CPUPercent.GetSample(3)) > 70 ? 2 : 1;")
    world.wait()
    assert len(world.nodes()) == 2
