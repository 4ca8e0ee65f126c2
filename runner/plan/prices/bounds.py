"""How many nodes a pool may have at most, and how long a job may take for what it may cost.

It must not know what a run has spent already but as an amount.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

from runner.plan.prices.node_price import HOUR_SECONDS, NodePrice, write_amount
from runner.spec.duration import write_duration
from runner.spec.model.pool import Autoscale, ExistingPool, FixedNodes, NewPool, Pool
from runner.spec.model.workload import CostLimit, Workload
from runner.spec.problem import SpecError

ENDING = timedelta(minutes=2)
"""How long nodes are paid for once their end was decided: tasks end, then machines go."""

# A second that is lost to the last digit of a float would look odd.
_ROUNDING = 1e-6


def most_nodes(pool: Pool) -> FixedNodes | None:
    """The most that there ever are, before and after a fallback; None where nobody can tell.

    While dedicated nodes take the place of spot nodes, both may be there for a time.
    """
    match pool:
        case ExistingPool():
            return None
        case NewPool(size=FixedNodes() as size):
            more = 0 if size.fallback is None else size.fallback.dedicated
            return FixedNodes(dedicated=size.dedicated + more, spot=size.spot)
        case NewPool(size=Autoscale() as size):
            return size.most
        case _:
            raise AssertionError(pool)


def hourly_amount(price: NodePrice, nodes: FixedNodes) -> float | None:
    """What so many nodes cost in an hour; None where a kind of them has no price."""
    return price.amount(
        dedicated_seconds=nodes.dedicated * HOUR_SECONDS, spot_seconds=nodes.spot * HOUR_SECONDS
    )


def bound_by_cost(workload: Workload, price: NodePrice, *, spent: float = 0.0) -> Workload:
    """The workload with a job that ends by itself before its nodes have cost `limits.cost`.

    That is when all its nodes, paid for from its first moment, will have cost as much once they are
    gone: so it keeps to the limit also where nobody looks. As it was where the number of nodes is
    not known, or `limits.duration` is shorter. Raises `SpecError` where the limit is less than what
    the nodes cost while they end.
    """
    limit, most = workload.limits.cost, most_nodes(workload.pool)
    if limit is None or most is None:
        return workload
    rate = hourly_amount(price, most)
    if not rate:
        return workload
    seconds = (limit.amount - spent) / rate * HOUR_SECONDS - ENDING.total_seconds()
    if spent == 0 and seconds < 1:
        raise _too_low(workload, limit, price, most)
    # One that is spent already is ended at once by whoever drives the run.
    if seconds >= workload.limits.duration.total_seconds():
        return workload
    bound = timedelta(seconds=max(1, math.floor(seconds + _ROUNDING)))
    limits = replace(
        workload.limits,
        duration=bound,
        wait=min(workload.limits.wait, bound + ENDING),
        is_cost_bound=True,
    )
    return replace(workload, limits=limits)


def write_limit(limit: CostLimit, price: NodePrice) -> str:
    """The limit with its currency: `5.00 EUR`."""
    return write_amount(limit.amount, limit.currency or price.currency)


def _too_low(workload: Workload, limit: CostLimit, price: NodePrice, most: FixedNodes) -> SpecError:
    rate = hourly_amount(price, most) or 0.0
    least = rate / HOUR_SECONDS * (ENDING.total_seconds() + 60)
    count = most.dedicated + most.spot
    nodes = "the node of the pool costs" if count == 1 else f"the {count:,} nodes of the pool cost"
    problem = workload.document.problem(
        ("limits", "cost"),
        code="cost",
        message=f"`limits.cost` ({write_limit(limit, price)}) is less than what {nodes} in the"
        f" {write_duration(ENDING)} that ending takes",
        hint=f"{write_amount(least, price.currency)} is for one minute of work; raise it, or ask"
        " for fewer nodes",
    )
    return SpecError([problem])
