"""What a run may spend, and when its nodes have to go to keep to it.

It must not know how a run is ended.
"""

from __future__ import annotations

import math
from datetime import datetime

from runner.plan.prices.bounds import ENDING, write_limit
from runner.plan.prices.node_price import HOUR_SECONDS, NodePrice, write_amount
from runner.run.events import Event
from runner.run.spending.node_time import NodeTime
from runner.spec.model.workload import CostLimit


class Budget:
    """The limit of one run, and the time of its nodes so far; `add` may be called by any thread."""

    def __init__(self, limit: CostLimit, price: NodePrice, time: NodeTime) -> None:
        """`time` is what was seen of the run before."""
        self._limit = limit
        self._price = price
        self._time = time

    def add(self, at: datetime, event: Event) -> None:
        """Takes in an event, and when it was recorded."""
        self._time.add(at, event)

    def reason(self, now: datetime) -> str | None:
        """Why the run has to end now, in words of one line; None as long as it may go on.

        What is not known for sure counts, and so does the time that the nodes take to go.
        """
        spent = self.spent(now)
        if spent + self._rate() * ENDING.total_seconds() < self._limit.amount:
            return None
        return (
            f"the nodes have cost {write_amount(spent, self._price.currency)}, and ending them"
            f" brings that to `limits.cost` ({write_limit(self._limit, self._price)})"
        )

    def spent(self, now: datetime) -> float:
        """What the nodes may have cost by now."""
        time = self._time.most(now)
        amount = self._price.amount(dedicated_seconds=time.dedicated, spot_seconds=time.spot)
        # A kind without a price is not in the pool: that was looked at before the run began.
        return amount or 0.0

    def seconds_left(self, now: datetime) -> float:
        """How long the nodes of now may go on; infinite where there are none."""
        rate = self._rate()
        if not rate:
            return math.inf
        left = (self._limit.amount - self.spent(now)) / rate - ENDING.total_seconds()
        return max(left, 0.0)

    def _rate(self) -> float:
        """What the nodes of now cost a second."""
        dedicated, spot = self._time.nodes
        amount = self._price.amount(
            dedicated_seconds=dedicated * HOUR_SECONDS, spot_seconds=spot * HOUR_SECONDS
        )
        return (amount or 0.0) / HOUR_SECONDS
