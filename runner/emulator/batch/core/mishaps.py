"""What happens to pools and nodes that nobody asked for: lost machines, resizes that fail.

It must not know who has it happen, nor how often (whoever injects faults calls these). Each
transition is followed by `engine.advance`, as any other; each raises `RefusedError` where the pool
or the node is not there, or is in no state in which the service would have this happen.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.emulator.batch.core.agenda import NodeDue
from runner.emulator.batch.core.allocation import settle_pool
from runner.emulator.batch.core.clearing import clear_node
from runner.emulator.batch.core.ids import NodeId, PoolId
from runner.emulator.batch.core.node import Node, NodeError, NodeState
from runner.emulator.batch.core.nodes import give_back
from runner.emulator.batch.core.pool import (
    AllocationState,
    Deallocation,
    Pool,
    ResizeError,
    Supply,
)
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.state import State
from runner.emulator.storage.record import replace

_GONE = frozenset(
    {
        NodeState.LEAVING_POOL,
        NodeState.PREEMPTED,
        NodeState.UNUSABLE,
        NodeState.DEALLOCATED,
        NodeState.DEALLOCATING,
    }
)


def preempt_node(
    state: State,
    now: datetime,
    pool: PoolId,
    node: NodeId,
    *,
    lasts: timedelta | None = None,
) -> Node:
    """Takes a spot node away: its tasks are queued again, its files are lost.

    The node is `preempted` for as long as `lasts` (`Pace.preempted` where that is None) and until
    its processes are gone; then it is made anew under its old id, as the service does when it finds
    another machine. Raises `RefusedError` for a dedicated node, and for one that is gone already.
    """
    record = _present(state, pool, node, "preempted")
    if record.dedicated:
        raise _invalid("Only spot nodes are preempted")
    clear_node(state, now, record, NodeState.PREEMPTED, Deallocation.REQUEUE)
    until = now + (state.pace.preempted if lasts is None else lasts)
    record = replace(give_back(state, now, state.store.node(pool, node)), until=until)
    state.store.put(record)
    state.agenda.add(until, NodeDue(pool=record.pool, node=record.id))
    return record


def make_unusable(
    state: State, now: datetime, pool: PoolId, node: NodeId, *, errors: tuple[NodeError, ...] = ()
) -> Node:
    """Has a node break: its tasks are queued again, and it gets no more until `recover_node`.

    It stays in the pool until it is removed; `errors` are shown as the node's.
    """
    record = _present(state, pool, node, "made unusable")
    clear_node(state, now, record, NodeState.UNUSABLE, Deallocation.REQUEUE)
    record = replace(state.store.node(pool, node), errors=errors)
    state.store.put(record)
    return record


def fail_resize(state: State, now: datetime, pool: PoolId, *errors: ResizeError) -> Pool:
    """Ends the resize of a pool where it stands, with errors (`AllocationFailed` where none is
    given). Raises `RefusedError` where the pool is not being resized.
    """
    record = state.store.pool(pool)
    if record.allocation is not AllocationState.RESIZING:
        raise RefusedError(
            Reason.OPERATION_INVALID_NOW, ("Reason", "The pool is not being resized")
        )
    settle_pool(state, now, record, errors or (ALLOCATION_FAILED,))
    return state.store.pool(pool)


def limit_supply(state: State, pool: PoolId, supply: Supply | None) -> Pool:
    """Lets a pool have so many nodes at most, as if there were no more machines; None ends that.

    Nodes that it has stay. A resize that wants more waits until its time-out is over, and ends with
    `AllocationTimedout`; it goes on when the limit is lifted before.
    """
    record = replace(state.store.pool(pool), supply=supply)
    state.store.put(record)
    state.touch_pool(record.id)
    return record


ALLOCATION_FAILED = ResizeError(
    code="AllocationFailed",
    message="An error occurred while trying to allocate the desired number of compute nodes",
)


def _present(state: State, pool: PoolId, node: NodeId, what: str) -> Node:
    record = state.store.node(pool, node)
    if record.state in _GONE:
        raise _invalid(f"A node in the state {record.state.value} cannot be {what}")
    return record


def _invalid(reason: str) -> RefusedError:
    return RefusedError(Reason.NODE_OPERATION_INVALID, ("Reason", reason))
