"""New nodes in the place of those whose start task has failed, as long as the budget lasts.

The service restarts only nodes that are well (REST: Nodes - Reboot Node), so such a node is taken
out of its pool, and the pool given its size again. It must not know why start tasks fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runner.run.clock import Clock
from runner.run.services import Batch, NodeStatus, PoolStatus
from runner.spec.model.pool import FixedNodes

# REST: Nodes - Remove Nodes.
_MOST_TOGETHER = 100
_NEXT_TRY_SECONDS = 2.0


class NodeRetries:
    """Of one pool, look by look."""

    def __init__(
        self,
        pool_id: str,
        times: int,
        *,
        size: Callable[[], FixedNodes | None],
        batch: Batch,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        """`size` is what the pool is to have, None where a formula of the user's says it."""
        self._pool_id = pool_id
        self._left = times
        self._size = size
        self._batch = batch
        self._clock = clock
        self._tell = tell
        self._is_short = False
        self._next_try = clock.monotonic()

    def look(self, pool: PoolStatus, nodes: Sequence[NodeStatus]) -> bool:
        """Whether nodes are being replaced, so that the pool is not to be judged yet."""
        failed = [node.id for node in nodes if node.state == "starttaskfailed"]
        some = failed[: min(self._left, _MOST_TOGETHER)]
        if not some and not self._is_short:
            return False
        now = self._clock.monotonic()
        if pool.allocation_state == "steady" and now >= self._next_try:
            self._next_try = now + _NEXT_TRY_SECONDS
            if self._is_short:
                self._is_short = not self._fill(pool)
            elif self._batch.remove_nodes(self._pool_id, some):
                self._left -= len(some)
                self._is_short = True
                which = f"node {some[0]} is" if len(some) == 1 else f"{len(some)} nodes are"
                self._tell(f"note: {which} replaced, since the start task failed there")
        return True

    def _fill(self, pool: PoolStatus) -> bool:
        """Gives the pool its size again; false where the service does not take it yet."""
        size = self._size()
        if size is None or pool.target_dedicated_nodes + pool.target_spot_nodes >= (
            size.dedicated + size.spot
        ):
            return True
        return self._batch.give_size(self._pool_id, size, self._clock.now())
