"""Dedicated nodes in the place of spot nodes, once these were taken away too often or never came.

It must not know how tasks lose their nodes, nor how a pool is given another size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from runner.run.advice import SPOT_IS_GONE
from runner.run.clock import Clock
from runner.run.services import Batch, NodeStatus, PoolStatus
from runner.spec.duration import write_duration
from runner.spec.model.pool import Fallback, FixedNodes

_NEXT_TRY_SECONDS = 2.0
# How long the service may take to show that it has taken the size.
_EFFECT_SECONDS = 120.0


class SpotWatch:
    """The spot nodes of one pool, look by look, until others take their place."""

    def __init__(
        self,
        pool_id: str,
        size: FixedNodes,
        fallback: Fallback,
        *,
        batch: Batch,
        clock: Clock,
        preemptions: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        """`preemptions` says how often tasks have lost their nodes, `tell` takes a line."""
        self._pool_id = pool_id
        self._first = size
        self._size = FixedNodes(dedicated=size.dedicated + fallback.dedicated, spot=0)
        self._fallback = fallback
        self._batch = batch
        self._clock = clock
        self._preemptions = preemptions
        self._tell = tell
        self._without_since: float | None = None
        self._next_try = clock.monotonic()
        self._reason: str | None = None
        self._given_at: float | None = None

    @property
    def size(self) -> FixedNodes:
        """What the pool is to have now."""
        return self._first if self._given_at is None else self._size

    def look(self, pool: PoolStatus, nodes: Sequence[NodeStatus]) -> bool:
        """Whether a pool without nodes is not yet the end: it has got, or will get, others."""
        if self._given_at is not None:
            is_new = self._clock.monotonic() - self._given_at < _EFFECT_SECONDS
            return is_new and pool.target_dedicated_nodes < self._size.dedicated
        if self._reason is None:
            self._reason = self._why(pool, nodes)
            if self._reason is None:
                return False
            count = self._fallback.dedicated
            plural = "" if count == 1 else "s"
            self._tell(
                f"note: {self._reason}: {count} dedicated node{plural} in place of the spot nodes"
            )
        now = self._clock.monotonic()
        if now >= self._next_try:
            self._next_try = now + _NEXT_TRY_SECONDS
            if self._batch.give_size(self._pool_id, self._size, self._clock.now()):
                self._given_at = now
        return True

    def _why(self, pool: PoolStatus, nodes: Sequence[NodeStatus]) -> str | None:
        most, wait = self._fallback.after_preemptions, self._fallback.wait
        lost = self._preemptions()
        if most is not None and lost >= most:
            return f"tasks have lost their spot nodes {lost} time{'' if lost == 1 else 's'}"
        has_spot = any(node.is_dedicated is False and node.state != "preempted" for node in nodes)
        now = self._clock.monotonic()
        if has_spot or not pool.target_spot_nodes:
            self._without_since = None
            return None
        if pool.allocation_state == "steady" and pool.resize_errors:
            said = "; ".join(pool.resize_errors)
            return f"there are no spot nodes to be had ({said}; {SPOT_IS_GONE})"
        if self._without_since is None:
            self._without_since = now
        if wait is not None and timedelta(seconds=now - self._without_since) >= wait:
            return f"there has been no spot node for {write_duration(wait)}"
        return None
