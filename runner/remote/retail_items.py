"""Which of the price service's items is the price of a node: one VM size has a dozen of them.

It must not know how they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from runner.plan.prices.node_price import MOST

_HOUR = "1 Hour"
_PAY_AS_YOU_GO = "Consumption"
_SPOT = " spot"
# What Batch had before spot nodes; accounts of the mode `Batch service` have none any more.
_LOW_PRIORITY = " low priority"
_FOREIGN = ("cloud services", "cloudservices", "dedicated host")

Item = Mapping[str, Any]


def choose_price(
    items: Iterable[Item], *, windows: bool, currency: str, now: datetime
) -> tuple[float | None, float | None] | None:
    """The prices of an hour, dedicated and spot; None where there is none of either.

    Meters of the same kind follow one another in time: the one in effect counts, and of several
    that of the region's own meter. Where spot nodes have no price, low-priority ones do.
    """
    fitting = [each for each in items if _fits(each, windows=windows, currency=currency, now=now)]
    dedicated = _latest(each for each in fitting if not _kind(each))
    spot = _latest(each for each in fitting if _kind(each) == _SPOT)
    if spot is None:
        spot = _latest(each for each in fitting if _kind(each) == _LOW_PRIORITY)
    return None if dedicated is None and spot is None else (dedicated, spot)


def _fits(item: Item, *, windows: bool, currency: str, now: datetime) -> bool:
    product = _text(item, "productName").lower()
    starts = _starts(item)
    return (
        _text(item, "type") == _PAY_AS_YOU_GO
        and _text(item, "unitOfMeasure") == _HOUR
        and _text(item, "currencyCode") == currency
        and ("windows" in product) == windows
        and not any(word in product for word in _FOREIGN)
        and not item.get("tierMinimumUnits")
        and (starts is None or starts <= now)
        and _price(item) is not None
    )


def _kind(item: Item) -> str:
    """Spot and low-priority meters are told by their names alone."""
    names = f" {_text(item, 'skuName')} {_text(item, 'meterName')}".lower()
    for kind in (_SPOT, _LOW_PRIORITY):
        if kind in names:
            return kind
    return ""


def _latest(items: Iterable[Item]) -> float | None:
    best = max(
        items,
        key=lambda each: (
            each.get("isPrimaryMeterRegion") is True,
            _text(each, "effectiveStartDate"),
        ),
        default=None,
    )
    return None if best is None else _price(best)


def _price(item: Item) -> float | None:
    value = item.get("retailPrice")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= MOST else None


def _starts(item: Item) -> datetime | None:
    try:
        starts = datetime.fromisoformat(_text(item, "effectiveStartDate").replace("Z", "+00:00"))
    except ValueError:
        return None
    return None if starts.tzinfo is None else starts


def _text(item: Item, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
