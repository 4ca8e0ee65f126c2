"""The transitions of pools: created, resized, emptied, deleted.

It must not know what a node does to become ready (`nodes`), nor jobs.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.emulator.batch.core.agenda import PoolDue, SampleDue, ScaleDue
from runner.emulator.batch.core.allocation import approach_targets, settle_pool
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, key_of
from runner.emulator.batch.core.nodes import leave_pool, look_at_node
from runner.emulator.batch.core.pool import (
    RESIZE_TIMEOUT,
    AllocationState,
    AutoScale,
    Deallocation,
    NodeFill,
    Pool,
    PoolDraft,
    PoolState,
    ResizeError,
    StartTaskRule,
)
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.registries import RegistryPassword, with_newer
from runner.emulator.batch.core.state import State
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import replace

# The service gives one per kind of node, also for a kind that has reached its target.
_STOP_ERRORS = tuple(
    ResizeError(
        code="ResizeStopped",
        message=f"Desired number of {kind} nodes could not be allocated"
        " due to a stop resize operation",
    )
    for kind in ("dedicated", "low priority")
)


def create_pool(
    state: State,
    now: datetime,
    identifier: PoolId,
    draft: PoolDraft,
    *,
    auto_pool_of: JobId | None = None,
) -> Pool:
    """Adds a pool, which then gets its nodes; refuses a second one with its id."""
    existing = state.store.pools.get(key_of(identifier))
    if existing is not None:
        deleting = existing.state is PoolState.DELETING
        raise RefusedError(Reason.POOL_BEING_DELETED if deleting else Reason.POOL_EXISTS)
    if (
        state.limits.quotas.pools is not None
        and len(state.store.pools) >= state.limits.quotas.pools
    ):
        raise RefusedError(Reason.POOL_QUOTA_REACHED)
    stamp = state.stamp(now)
    pool = Pool(
        id=identifier,
        document=draft.document,
        created=stamp,
        modified=stamp,
        state=PoolState.ACTIVE,
        state_time=stamp,
        allocation=AllocationState.RESIZING,
        allocation_time=stamp,
        target_dedicated=draft.target_dedicated,
        target_spot=draft.target_spot,
        deallocation=Deallocation.REQUEUE,
        resize_errors=(),
        slots_per_node=draft.slots_per_node,
        fill=draft.fill,
        start_task=draft.start_task,
        auto_pool_of=auto_pool_of,
        nodes_made=0,
        inter_node=draft.inter_node,
        vm_size=draft.vm_size,
        resize_timeout=draft.resize_timeout,
        registry_passwords=draft.registry_passwords,
        autoscale=None if draft.autoscale is None else AutoScale(rule=draft.autoscale, since=now),
    )
    state.store.put(pool)
    state.agenda.add(now, SampleDue(pool=pool.id, created=pool.created))
    if pool.autoscale is not None:
        state.agenda.add(now, ScaleDue(pool=pool.id, since=now))
    state.agenda.add(stamp + state.pace.allocating, PoolDue(pool=pool.id))
    return pool


def resize_pool(
    state: State,
    now: datetime,
    identifier: PoolId,
    *,
    dedicated: int | None,
    spot: int | None,
    document: Document,
    option: Deallocation,
    timeout: timedelta = RESIZE_TIMEOUT,
) -> Pool:
    """Gives a steady pool other targets; None leaves one as it is."""
    pool = _steady(state, identifier)
    if pool.autoscale is not None:
        raise RefusedError(
            Reason.OPERATION_INVALID_NOW, ("Reason", "Automatic scaling is enabled on the pool")
        )
    return begin_resize(
        state,
        now,
        replace(
            pool,
            modified=state.stamp(now),
            document=document,
            resize_timeout=timeout,
            target_dedicated=pool.target_dedicated if dedicated is None else dedicated,
            target_spot=pool.target_spot if spot is None else spot,
            deallocation=option,
        ),
    )


def remove_nodes(
    state: State,
    now: datetime,
    identifier: PoolId,
    ids: tuple[NodeId, ...],
    option: Deallocation,
    timeout: timedelta = RESIZE_TIMEOUT,
) -> Pool:
    """Takes the named nodes out of a steady pool and lowers its targets by them."""
    pool = _steady(state, identifier)
    nodes = [state.store.node(pool.id, node) for node in dict.fromkeys(ids)]
    dedicated = sum(node.dedicated for node in nodes)
    pool = replace(
        pool,
        modified=state.stamp(now),
        target_dedicated=max(0, pool.target_dedicated - dedicated),
        target_spot=max(0, pool.target_spot - (len(nodes) - dedicated)),
        resize_timeout=timeout,
        deallocation=option,
    )
    for node in nodes:
        leave_pool(state, now, node, option)
    return begin_resize(state, now, pool)


def _steady(state: State, identifier: PoolId) -> Pool:
    pool = state.store.pool(identifier)
    if pool.state is PoolState.DELETING:
        raise RefusedError(Reason.POOL_BEING_DELETED)
    if pool.allocation is not AllocationState.STEADY:
        raise RefusedError(Reason.POOL_BEING_RESIZED)
    return pool


def begin_resize(state: State, now: datetime, pool: Pool) -> Pool:
    """Has a pool approach the targets that it was given; its ETag is the caller's to change."""
    pool = replace(
        pool,
        allocation=AllocationState.RESIZING,
        allocation_time=now,
        resize_errors=(),
    )
    state.store.put(pool)
    state.agenda.add(now + state.pace.allocating, PoolDue(pool=pool.id))
    return pool


def stop_resize(state: State, now: datetime, identifier: PoolId) -> Pool:
    """Ends a resize where it stands."""
    pool = state.store.pool(identifier)
    if pool.state is PoolState.DELETING:
        raise RefusedError(Reason.POOL_BEING_DELETED)
    if pool.allocation is AllocationState.STEADY:
        raise RefusedError(
            Reason.OPERATION_INVALID_NOW, ("Reason", "The pool is not being resized")
        )
    if pool.allocation is AllocationState.RESIZING:
        pool = replace(
            # On record: this changes no ETag.
            pool,
            allocation=AllocationState.STOPPING,
            allocation_time=now,
        )
        state.store.put(pool)
        state.agenda.add(now + state.pace.stopping, PoolDue(pool=pool.id))
    return pool


def update_pool(
    state: State,
    now: datetime,
    identifier: PoolId,
    document: Document,
    start_task: StartTaskRule | None,
    *,
    inter_node: bool,
    slots_per_node: int,
    fill: NodeFill,
    vm_size: str,
    registry_passwords: tuple[RegistryPassword, ...] = (),
) -> Pool:
    """Gives a pool other properties; nodes see a new start task when they next start."""
    pool = state.store.pool(identifier)
    if pool.state is PoolState.DELETING:
        raise RefusedError(Reason.POOL_BEING_DELETED)
    pool = replace(pool, modified=state.stamp(now), document=document, start_task=start_task)
    pool = replace(
        pool,
        inter_node=inter_node,
        slots_per_node=slots_per_node,
        fill=fill,
        vm_size=vm_size,
        registry_passwords=with_newer(pool.registry_passwords, registry_passwords),
    )
    state.store.put(pool)
    state.offer_work(pool.id)
    return pool


def delete_pool(state: State, now: datetime, identifier: PoolId) -> None:
    """Has a pool go away with its nodes; their tasks are queued again."""
    pool = state.store.pool(identifier)
    if pool.state is PoolState.DELETING:
        raise RefusedError(Reason.POOL_BEING_DELETED)
    state.store.put(
        replace(
            pool,
            state=PoolState.DELETING,
            state_time=now,
            allocation=AllocationState.RESIZING,
            allocation_time=now,
            target_dedicated=0,
            target_spot=0,
        )
    )
    for node in state.store.nodes(pool.id):
        leave_pool(state, now, node, Deallocation.REQUEUE)
    state.agenda.add(now + state.pace.deleting, PoolDue(pool=pool.id))


def look_at_pool(state: State, now: datetime, pool: Pool) -> None:
    """Moves a pool on whose transient state is over; leaves any other alone."""
    for node in state.store.nodes(pool.id):
        if node.closing:
            look_at_node(state, now, node)
    if pool.state is PoolState.DELETING:
        empty = len(state.store.nodes(pool.id)) == 0
        if empty and now >= pool.state_time + state.pace.deleting:
            state.store.delete(pool)
            state.histories.pop(key_of(pool.id), None)
        return
    match pool.allocation:
        case AllocationState.RESIZING:
            if _over(now, pool, state.pace.allocating):
                approach_targets(state, now, pool)
        case AllocationState.STOPPING:
            if _over(now, pool, state.pace.stopping):
                settle_pool(state, now, pool, _STOP_ERRORS)
        case AllocationState.STEADY:
            pass
        case _:
            raise unforeseen(pool.allocation)


def _over(now: datetime, pool: Pool, length: timedelta) -> bool:
    return now >= pool.allocation_time + length
