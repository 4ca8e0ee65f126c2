"""Changes a run's own pool while it runs, where its nodes do not turn out as they should.

It must not know when nodes fail, nor what the service is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runner.run.clock import Clock
from runner.run.pools.fallback import SpotWatch
from runner.run.pools.node_retries import NodeRetries
from runner.run.services import Batch, NodeStatus, PoolStatus
from runner.spec.model.pool import FixedNodes, NewPool, Pool

Tend = Callable[[PoolStatus, Sequence[NodeStatus]], bool]
"""Does what is due for a pool; true where it is not to be judged: it changes, or has no use."""


def tend_pool(
    pool: Pool,
    pool_id: str,
    *,
    batch: Batch,
    clock: Clock,
    preemptions: Callable[[], int],
    is_stopping: Callable[[], bool],
    tell: Callable[[str], None],
) -> Tend | None:
    """What looks after the pool of a run, as its spec asks.

    None for a pool of the user's own. `preemptions` says how often tasks have lost their nodes so
    far, `is_stopping` whether the run ends early, so that no new node would get a task, and `tell`
    takes a line for people.
    """
    if not isinstance(pool, NewPool):
        return None
    size = pool.size if isinstance(pool.size, FixedNodes) else None
    spot = None
    if size is not None and size.fallback is not None:
        spot = SpotWatch(
            pool_id,
            size,
            size.fallback,
            batch=batch,
            clock=clock,
            preemptions=preemptions,
            tell=tell,
        )
    replacing = NodeRetries(
        pool_id,
        pool.node_retries,
        size=lambda: size if spot is None else spot.size,
        batch=batch,
        clock=clock,
        tell=tell,
    )

    def tend(status: PoolStatus, nodes: Sequence[NodeStatus]) -> bool:
        if is_stopping():
            return True
        is_changing = spot is not None and spot.look(status, nodes)
        return is_changing or replacing.look(status, nodes)

    return tend
