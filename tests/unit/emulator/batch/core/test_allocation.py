"""What keeps pools from having the nodes that they want."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runner.emulator.batch.core.cores import cores_of
from runner.emulator.batch.core.ids import PoolId
from runner.emulator.batch.core.limits import Limits, Quotas
from runner.emulator.batch.core.mishaps import limit_supply, preempt_node
from runner.emulator.batch.core.node import NodeState
from runner.emulator.batch.core.pool import AllocationState, Deallocation, Supply
from runner.emulator.batch.core.pools import create_pool, resize_pool, stop_resize
from runner.emulator.batch.core.restarts import deallocate_node
from tests.unit.emulator.batch.core.world import World

POOL = PoolId("pool")


def codes(world: World, pool: str = "pool") -> list[tuple[str, str]]:
    return [(error.code, error.message) for error in world.pool_now(pool).resize_errors]


def grow(world: World, dedicated: int) -> None:
    resize_pool(
        world.state,
        world.now,
        POOL,
        dedicated=dedicated,
        spot=None,
        document={},
        option=Deallocation.REQUEUE,
        timeout=timedelta(minutes=5),
    )


def test_a_resize_times_out_while_there_are_no_machines() -> None:
    world = World()
    world.pool()
    limit_supply(world.state, POOL, Supply(dedicated=2, spot=0))
    grow(world, 4)
    world.wait(timedelta(minutes=4))
    assert world.pool_now().allocation is AllocationState.RESIZING
    assert len(world.nodes()) == 2
    world.wait(timedelta(minutes=2))
    assert world.pool_now().allocation is AllocationState.STEADY
    message = (
        "Desired number of dedicated nodes could not be allocated as the resize timeout was reached"
    )
    assert codes(world) == [("AllocationTimedout", message)]
    assert (len(world.nodes()), world.pool_now().target_dedicated) == (2, 4)


def test_a_resize_goes_on_when_there_are_machines_again() -> None:
    world = World()
    world.pool()
    limit_supply(world.state, POOL, Supply(dedicated=0, spot=0))
    grow(world, 3)
    world.wait(timedelta(minutes=1))
    assert len(world.nodes()) == 1
    limit_supply(world.state, POOL, None)
    world.wait()
    assert (len(world.nodes()), codes(world)) == (3, [])


def test_a_resize_that_waits_for_machines_can_be_stopped() -> None:
    world = World()
    world.pool()
    limit_supply(world.state, POOL, Supply(dedicated=1, spot=0))
    grow(world, 3)
    world.wait()
    stop_resize(world.state, world.now, POOL)
    assert world.pool_now().allocation is AllocationState.STOPPING
    world.wait()
    assert world.pool_now().allocation is AllocationState.STEADY
    assert [code for code, _ in codes(world)] == ["ResizeStopped", "ResizeStopped"]


def test_the_cores_of_an_account_are_shared_by_its_pools() -> None:
    world = World(limits=Limits(quotas=Quotas(dedicated_cores=10, spot_cores=1)))
    draft = replace(world.draft(dedicated=2, spot=1), vm_size="standard_d4s_v5")
    create_pool(world.state, world.now, PoolId("first"), replace(draft, target_spot=0))
    world.wait()
    create_pool(world.state, world.now, POOL, replace(draft, vm_size="standard_d2s_v5"))
    world.wait()
    assert codes(world, "first") == []
    assert len(world.nodes()) == 1
    assert codes(world) == [
        (
            "AccountCoreQuotaReached",
            f"The specified account has reached its quota of {kind} cores",
        )
        for kind in ("dedicated", "low priority")
    ]


def test_nodes_of_no_use_are_given_up_first() -> None:
    world = World()
    world.pool(dedicated=2)
    kept, lost = world.nodes()
    deallocate_node(world.state, world.now, lost, Deallocation.REQUEUE)
    world.wait()
    grow(world, 1)
    world.wait()
    assert [node.id for node in world.nodes()] == [kept.id]


def test_a_node_that_keeps_data_leaves_when_its_tasks_retention_is_over() -> None:
    world = World()
    world.pool()
    world.job()
    world.add("a", retention=timedelta(hours=1))
    world.end("a")
    resize_pool(
        world.state,
        world.now,
        POOL,
        dedicated=0,
        spot=None,
        document={},
        option=Deallocation.RETAINED_DATA,
    )
    world.wait(timedelta(minutes=59))
    assert [node.state for node in world.nodes()] == [NodeState.LEAVING_POOL]
    world.wait(timedelta(minutes=2))
    assert world.nodes() == []
    assert world.pool_now().allocation is AllocationState.STEADY


def test_the_time_of_nodes_is_booked_by_pool_and_interval() -> None:
    world = World()
    world.pool(dedicated=0, spot=1)
    begun = world.nodes()[0].machine_since
    assert begun is not None
    world.wait(timedelta(minutes=40))
    preempt_node(world.state, world.now, POOL, world.nodes()[0].id, lasts=timedelta(hours=1))
    spent = world.now - begun
    world.wait(timedelta(minutes=30))
    usages = world.state.usage.between(begun - timedelta(hours=1), world.now, (), world.now)
    assert [usage.pool for usage in usages] == [POOL, POOL]
    assert sum((usage.node_time for usage in usages), timedelta()) == spent
    assert usages[1].start - usages[0].start == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("size", "cores"),
    [
        ("standard_d2s_v5", 2),
        ("STANDARD_D3_v2", 4),
        ("standard_ds14", 16),
        ("standard_e4-2s_v5", 2),
        ("standard_nc6", 6),
        ("standard_hb120rs_v3", 120),
        ("standard_a1_v2", 1),
        ("standard_a4", 8),
        ("standard_f72s_v2", 72),
        ("small", 1),
        ("mine", None),
    ],
)
def test_a_size_tells_its_cores(size: str, cores: int | None) -> None:
    assert cores_of(size) == cores
