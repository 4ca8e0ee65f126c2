"""How a pool gets the nodes that it wants, and what keeps it from having them.

It must not know why it wants them (`pools`, `scaling`), nor what a node does to become ready.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.agenda import PoolDue
from runner.emulator.batch.core.cores import cores_of
from runner.emulator.batch.core.ids import key_of
from runner.emulator.batch.core.node import Node, NodeState
from runner.emulator.batch.core.nodes import leave_pool, make_node
from runner.emulator.batch.core.pool import AllocationState, Pool, ResizeError
from runner.emulator.batch.core.state import State
from runner.emulator.storage.record import replace

_LOST = frozenset(
    {
        NodeState.PREEMPTED,
        NodeState.UNUSABLE,
        NodeState.START_TASK_FAILED,
        NodeState.DEALLOCATED,
        NodeState.DEALLOCATING,
    }
)


def approach_targets(state: State, now: datetime, pool: Pool) -> None:
    """Makes the nodes that are missing, has those leave that are too many.

    The pool is steady once it has what it wants or may have. While there are no machines to be had
    it waits for them until its resize time-out is over.
    """
    room = state.limits.nodes_per_pool
    errors: list[ResizeError] = []
    lacking: list[bool] = []
    for dedicated, target in ((True, pool.target_dedicated), (False, pool.target_spot)):
        staying = [
            node
            for node in state.store.nodes(pool.id)
            if node.dedicated is dedicated and node.state is not NodeState.LEAVING_POOL
        ]
        for node in _surplus(staying, len(staying) - target):
            leave_pool(state, now, node, pool.deallocation)
        quota = _quota(state, pool, dedicated=dedicated, otherwise=target)
        allowed = min(target, room, quota)
        if quota < min(target, room):
            errors.append(_quota_error(dedicated=dedicated))
        elif room < target:
            errors.append(_bound_error(state.limits.nodes_per_pool))
        available = _available(pool, allowed, dedicated=dedicated)
        if available < allowed:
            lacking.append(dedicated)
        for _ in range(available - len(staying)):
            pool = replace(pool, nodes_made=pool.nodes_made + 1)
            make_node(state, now, pool, pool.nodes_made, dedicated=dedicated)
        room -= min(target, room)
    state.store.put(pool)
    if any(n.state is NodeState.LEAVING_POOL for n in state.store.nodes(pool.id)):
        return
    timed_out = pool.allocation_time + pool.resize_timeout
    if lacking and now < timed_out:
        state.agenda.add(timed_out, PoolDue(pool=pool.id))
        return
    errors.extend(_time_out_error(dedicated=dedicated) for dedicated in lacking)
    settle_pool(state, now, pool, tuple(errors))


def settle_pool(state: State, now: datetime, pool: Pool, errors: tuple[ResizeError, ...]) -> None:
    """Ends the resize of a pool where it stands."""
    state.store.put(
        replace(
            pool,
            allocation=AllocationState.STEADY,
            allocation_time=now,
            resize_errors=errors,
        )
    )


def _surplus(staying: list[Node], count: int) -> list[Node]:
    """The nodes to give up: those of no use first, those with the fewest tasks, then the newest."""
    if count <= 0:
        return []
    order = sorted(
        staying, key=lambda node: (node.state not in _LOST, len(node.occupied), -node.number)
    )
    return order[:count]


def _quota(state: State, pool: Pool, *, dedicated: bool, otherwise: int) -> int:
    """How many nodes of a kind the pool may have beside the other pools of the account."""
    limits = state.limits
    quota = limits.quotas.dedicated_cores if dedicated else limits.quotas.spot_cores
    if quota is None:
        return otherwise
    used = sum(
        (cores_of(other.vm_size) or 1) * state.store.nodes(other.id).kinds()[0 if dedicated else 1]
        for other in state.store.pools
        if key_of(other.id) != key_of(pool.id)
    )
    return max(0, quota - used) // (cores_of(pool.vm_size) or 1)


def _available(pool: Pool, wanted: int, *, dedicated: bool) -> int:
    if pool.supply is None:
        return wanted
    return min(wanted, pool.supply.dedicated if dedicated else pool.supply.spot)


def _kind(*, dedicated: bool) -> str:
    return "dedicated" if dedicated else "low priority"


def _quota_error(*, dedicated: bool) -> ResizeError:
    return ResizeError(
        code="AccountCoreQuotaReached",
        message="The specified account has reached its quota of"
        f" {_kind(dedicated=dedicated)} cores",
    )


def _bound_error(most: int) -> ResizeError:
    return ResizeError(
        code="AccountCoreQuotaReached",
        message=f"The emulator gives a pool {most} nodes at most,"
        " whatever the quota of the account",
    )


def _time_out_error(*, dedicated: bool) -> ResizeError:
    return ResizeError(
        code="AllocationTimedout",
        message=f"Desired number of {_kind(dedicated=dedicated)} nodes could not be allocated"
        " as the resize timeout was reached",
    )
