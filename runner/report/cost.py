"""What a run's nodes have cost so far, folded from its events, for people and as data.

It must not know who asks; storage, network and licences are not in it.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from runner.frozen import dataclass
from runner.plan.prices.node_price import NodePrice, write_amount
from runner.run.events import Event, RunStarted
from runner.run.spending.node_time import NodeSeconds, NodeTime

NOT_COUNTED = "storage and network are not counted"
NO_PRICE = "none was asked for (`--prices`)"
"""Why a price is not known that nobody wanted."""
_LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The time of a run's nodes, and what it costs.

    `amount` is None where that is not known, for the reason `unknown`. On the local target it is
    nothing, and `on_azure` what the same time would cost there, where that is known.
    """

    amount: float | None
    at_most: float | None
    """The same with all that nodes may have been there while nobody looked."""
    on_azure: float | None
    currency: str | None
    node_hours_dedicated: float
    node_hours_spot: float
    vm_size: str | None
    price: NodePrice | None
    unknown: str | None
    is_lower_bound: bool
    """Nodes may have cost more since: somebody else sees to their end, or nobody looks."""
    is_local: bool

    @property
    def node_hours(self) -> float:
        """Of both kinds of nodes."""
        return self.node_hours_dedicated + self.node_hours_spot


@dataclasses.dataclass(slots=True)
class Spending:
    """What a run spends, event by event."""

    _time: NodeTime = dataclasses.field(default_factory=NodeTime)
    _price: NodePrice | None = None
    _is_local: bool = False

    def add(self, at: datetime, event: Event) -> None:
        """Takes in an event, and when it was recorded."""
        self._time.add(at, event)
        if isinstance(event, RunStarted):
            self._price = event.price or self._price
            self._is_local = event.target == _LOCAL

    def look(self, at: datetime) -> None:
        """The run was alive then: what its nodes cost counts as long."""
        self._time.look(at)

    def cost(self, until: datetime | None = None) -> Cost:
        """So far: `until` then where somebody drives the run, else until its nodes' last event."""
        least, most = self._time.least(until), self._time.most(until)
        price = self._price
        at_least, at_most = _amount(price, least), _amount(price, most)
        goes_on = self._time.stays or (until is None and any(self._time.nodes))
        return Cost(
            amount=0.0 if self._is_local else at_least,
            at_most=0.0 if self._is_local else None if goes_on or self._time.is_blind else at_most,
            on_azure=at_least if self._is_local else None,
            currency=None if price is None else price.currency,
            node_hours_dedicated=least.dedicated / 3600,
            node_hours_spot=least.spot / 3600,
            vm_size=self._time.vm_size if price is None else price.vm_size,
            price=price,
            unknown=None if self._is_local else _why_unknown(price, least),
            is_lower_bound=not self._is_local and (goes_on or self._time.is_blind or least != most),
            is_local=self._is_local,
        )


def cost_as_json(cost: Cost) -> dict[str, Any]:
    """One object; keys are only ever added within a version."""
    price = cost.price
    return {
        "amount": _rounded(cost.amount),
        "at_most": _rounded(cost.at_most),
        "on_azure": _rounded(cost.on_azure),
        "currency": cost.currency,
        "node_hours": {
            "dedicated": round(cost.node_hours_dedicated, 6),
            "spot": round(cost.node_hours_spot, 6),
        },
        "vm_size": cost.vm_size,
        "price": None if price is None else {"dedicated": price.dedicated, "spot": price.spot},
        "source": None if price is None else price.source,
        "as_of": None if price is None else price.as_of,
        "unknown": cost.unknown,
        "is_lower_bound": cost.is_lower_bound,
    }


def describe_cost(cost: Cost) -> str | None:
    """One line for the end of a run; None where it had no nodes that are known."""
    if not cost.node_hours:
        return None
    hours = f"{_hours(cost)} node-hours"
    if cost.is_local:
        words = f"cost: nothing, on this machine ({hours})"
        if cost.on_azure is not None and cost.currency is not None:
            words += f"; on Azure about {write_amount(cost.on_azure, cost.currency)}"
        return words
    least = "at least " if cost.is_lower_bound else ""
    if cost.amount is None or cost.currency is None:
        return f"cost: {least}{hours}; price not known: {cost.unknown}"
    money = f"{least or 'about '}{write_amount(cost.amount, cost.currency)}"
    if cost.is_lower_bound and cost.at_most is not None:
        money += f" and at most {write_amount(cost.at_most, cost.currency)}"
    source = "" if cost.price is None else f" by {cost.price.source}"
    return f"cost: {money}, {hours}{source}"


def _hours(cost: Cost) -> str:
    """`1.8 dedicated and 3.2 spot`."""
    kinds = (
        (cost.node_hours_dedicated, "dedicated"),
        (cost.node_hours_spot, "spot"),
    )
    return " and ".join(f"{write_hours(hours)} {kind}" for hours, kind in kinds if hours)


def write_hours(hours: float) -> str:
    """With two digits that say something: `1,234.5`, `3.6`, `0.25`, `0.000045`."""
    if hours >= 10:
        return f"{hours:,.1f}"
    digits = 1
    while digits < 6 and hours < 10 ** (1 - digits):
        digits += 1
    return f"{max(hours, 1e-6):.{digits}f}".rstrip("0").rstrip(".")


def _amount(price: NodePrice | None, time: NodeSeconds) -> float | None:
    if price is None:
        return None
    return price.amount(dedicated_seconds=time.dedicated, spot_seconds=time.spot)


def _why_unknown(price: NodePrice | None, time: NodeSeconds) -> str | None:
    if price is None:
        return NO_PRICE
    kind = price.lacks(dedicated=bool(time.dedicated), spot=bool(time.spot))
    if kind is None:
        return None
    return f"{price.source} has none for {kind} nodes of `{price.vm_size}`"


def _rounded(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 6)
