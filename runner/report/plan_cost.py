"""What a plan would cost, for people and as data: an hour of its nodes, and what bounds the rest.

It renders what it is given; storage, network and licences are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from runner.frozen import dataclass
from runner.plan.prices.bounds import ENDING, hourly_amount, most_nodes, write_limit
from runner.plan.prices.node_price import HOUR_SECONDS, NodePrice, write_amount
from runner.report.as_text import plural, printable
from runner.report.cost import NO_PRICE, NOT_COUNTED
from runner.spec.duration import write_duration
from runner.spec.model.pool import ExistingPool, FixedNodes, NewPool
from runner.spec.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierTasks:
    """How long the tasks of an earlier run took, on average of those that succeeded."""

    run: str
    target: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCost:
    """What a run of a workload would cost. Of what nobody knows there is None.

    `workload` has the job that the service ends for the sake of `limits.cost`; `tasks` would run.
    """

    workload: Workload
    tasks: int
    price: NodePrice | None
    unknown: str | None
    """Why the price is not known."""
    hint: str | None = None
    """What makes it known."""
    earlier: EarlierTasks | None = None
    is_local: bool = False
    """The run would be on this machine, and the rest is what it would cost on Azure."""

    @property
    def nodes(self) -> FixedNodes | None:
        """The most that there would be."""
        return most_nodes(self.workload.pool)

    @property
    def an_hour(self) -> float | None:
        """Of all nodes together."""
        if self.price is None or self.nodes is None:
            return None
        return hourly_amount(self.price, self.nodes)

    @property
    def at_most(self) -> float | None:
        """Of all nodes to the last moment of the job, and for the time that they take to go.

        None of a schedule, which makes job after job.
        """
        if self.workload.job.schedule is not None:
            return None
        limits = self.workload.limits
        if limits.cost is not None and self.price is not None:
            by_time = self._until(limits.duration + ENDING)
            if by_time is None or limits.is_cost_bound:
                return limits.cost.amount
            return min(by_time, limits.cost.amount)
        return self._until(limits.duration + ENDING)

    @property
    def a_job(self) -> float | None:
        """The same of each job of a schedule; None where there is none."""
        if self.workload.job.schedule is None:
            return None
        return self._until(self.workload.limits.duration + ENDING)

    @property
    def kept(self) -> float | None:
        """Of all nodes as long as they stay for the next run, behind the job and not in `at_most`.

        None where they go with the job, and where nobody knows how many there are.
        """
        pool = self.workload.pool
        if not isinstance(pool, NewPool) or pool.keep is None:
            return None
        return self._until(pool.keep)

    @property
    def about(self) -> float | None:
        """Of the time in which as many tasks run as nodes have slots, if they take as long as
        before; the start of nodes is not in it.
        """
        pool, price, nodes = self.workload.pool, self.price, self.nodes
        if self.earlier is None or price is None or isinstance(pool, ExistingPool):
            return None
        if self.workload.job.schedule is not None:
            return None
        busy = self.tasks * self.earlier.seconds / pool.task_slots_per_node
        if nodes is None:
            return price.amount(dedicated_seconds=busy, spot_seconds=0.0)
        total = nodes.dedicated + nodes.spot
        return price.amount(
            dedicated_seconds=busy * nodes.dedicated / total,
            spot_seconds=busy * nodes.spot / total,
        )

    def _until(self, time: timedelta) -> float | None:
        rate = self.an_hour
        return None if rate is None else rate * time.total_seconds() / HOUR_SECONDS


def plan_cost_lines(cost: PlanCost) -> Iterator[str]:
    """Lines of plain text; the first says what an hour costs, the others how much it may be."""
    price, limits = cost.price, cost.workload.limits
    if price is None:
        yield printable(f"cost: price not known: {cost.unknown}")
        if limits.cost is not None and cost.unknown != NO_PRICE:
            yield "  on Azure `limits.cost` needs it: a run would be refused"
        if cost.hint is not None:
            yield printable(f"  hint: {cost.hint}")
        return
    yield printable(f"cost: {_an_hour(cost, price)}")
    if cost.about is not None and cost.earlier is not None:
        mean = f"{cost.earlier.seconds:,.3g} s"
        yield printable(
            f"  about {write_amount(cost.about, price.currency)}, if"
            f" {_tasks_take(cost.tasks)} {mean}, as in run {cost.earlier.run}"
            f" ({cost.earlier.target}) and nodes are never idle"
        )
    if cost.at_most is not None:
        yield f"  at most {write_amount(cost.at_most, price.currency)}{_bound(cost)}"
    if cost.a_job is not None:
        duration = write_duration(limits.duration)
        yield (
            f"  at most {write_amount(cost.a_job, price.currency)} for each job of the schedule, by"
            f" `limits.duration` ({duration})"
        )
    pool = cost.workload.pool
    if cost.kept is not None and isinstance(pool, NewPool) and pool.keep is not None:
        yield (
            f"  and {write_amount(cost.kept, price.currency)} more, if no run follows in the"
            f" {write_duration(pool.keep)} that its nodes stay (`pool.keep`)"
        )
    if limits.cost is not None:
        yield f"  {_limit(cost, price)}"
    yield f"  {NOT_COUNTED}"


def plan_cost_as_json(cost: PlanCost) -> dict[str, Any]:
    """One object; keys are only ever added within a version."""
    price, limits = cost.price, cost.workload.limits
    earlier = cost.earlier
    limit = None
    if limits.cost is not None:
        limit = {
            "amount": limits.cost.amount,
            "currency": limits.cost.currency or (None if price is None else price.currency),
            "ends_job": limits.is_cost_bound,
        }
    return {
        "currency": None if price is None else price.currency,
        "vm_size": None if price is None else price.vm_size,
        "price": None if price is None else {"dedicated": price.dedicated, "spot": price.spot},
        "source": None if price is None else price.source,
        "as_of": None if price is None else price.as_of,
        "unknown": cost.unknown,
        "an_hour": _rounded(cost.an_hour),
        "about": _rounded(cost.about),
        "earlier": None
        if earlier is None
        else {"run": earlier.run, "target": earlier.target, "task_seconds": earlier.seconds},
        "at_most": _rounded(cost.at_most),
        "a_job": _rounded(cost.a_job),
        "kept": _rounded(cost.kept),
        "limit": limit,
    }


def _an_hour(cost: PlanCost, price: NodePrice) -> str:
    day = "" if price.as_of is None else f", {price.as_of}"
    source = f"({price.source}{day})"
    nodes, rate = cost.nodes, cost.an_hour
    if nodes is None:
        kinds = ((price.dedicated, "dedicated"), (price.spot, "spot"))
        each = " and ".join(
            f"{write_amount(amount, price.currency)} a {kind} one"
            for amount, kind in kinds
            if amount is not None
        )
        return f"an hour of a node of {price.vm_size}: {each} {source}"
    counts = ((nodes.dedicated, "dedicated"), (nodes.spot, "spot"))
    words = " and ".join(f"{count:,} {kind}" for count, kind in counts if count)
    total = nodes.dedicated + nodes.spot
    what = f"{words} {'node' if total == 1 else 'nodes'} of {price.vm_size}"
    if rate is None:
        kind = price.lacks(dedicated=bool(nodes.dedicated), spot=bool(nodes.spot))
        return f"not known: no price of {kind} nodes of {price.vm_size} {source}"
    return f"{write_amount(rate, price.currency)} an hour for {what} {source}"


def _tasks_take(count: int) -> str:
    return "its one task takes" if count == 1 else f"each of {plural(count, 'task')} takes"


def _bound(cost: PlanCost) -> str:
    limits = cost.workload.limits
    if limits.cost is not None and cost.at_most == limits.cost.amount:
        return " (`limits.cost`)"
    return f" by `limits.duration` ({write_duration(limits.duration)})"


def _limit(cost: PlanCost, price: NodePrice) -> str:
    limits = cost.workload.limits
    assert limits.cost is not None
    head = f"stops at {write_limit(limits.cost, price)}"
    if cost.is_local:
        return f"{head} on Azure alone: on this machine nothing costs anything"
    if limits.is_cost_bound:
        return (
            f"{head}; the service ends the job after {write_duration(limits.duration)}, whatever"
            " becomes of this machine"
        )
    if cost.nodes is None:
        why = (
            "the pool is your own"
            if not isinstance(cost.workload.pool, NewPool)
            else "the formula may ask for any number of nodes"
        )
        return f"{head} as long as this machine watches: {why}"
    return f"{head}; `limits.duration` ({write_duration(limits.duration)}) comes first"


def _rounded(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 6)
