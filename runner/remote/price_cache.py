"""Prices that were read from Azure, kept for a day, and longer where Azure is out of reach.

It must not know how they are read.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import quote

from runner.errors import describe_os_error
from runner.json_text import read_json
from runner.plan.prices.node_price import MOST, NodePrice
from runner.remote.retail_prices import PricesUnknownError, RetailQuery
from runner.run.events import format_time
from runner.run.records.reading import read_time

FRESH = timedelta(days=1)
_VERSION = 1


def find_price(
    query: RetailQuery,
    folder: Path,
    *,
    fetch: Callable[[RetailQuery], NodePrice],
    now: datetime,
    tell: Callable[[str], None],
) -> NodePrice:
    """The price that was kept, or what `fetch` gives; `tell` takes a line for people.

    Raises `PricesUnknownError` where neither is there.
    """
    path = folder / f"{_name(query)}.json"
    kept = _read(path, query)
    if kept is not None and timedelta() <= now - kept[0] < FRESH:
        return kept[1]
    try:
        price = fetch(query)
    except PricesUnknownError as error:
        if kept is None:
            raise
        read, price = kept
        tell(f"note: {error.message}; using the prices of {read.date().isoformat()}")
        age = max(0, (now - read).days)  # the clock may have been set back
        return replace(price, source=f"{price.source}, {age} day{'' if age == 1 else 's'} old")
    try:
        _write(path, price, now)
    except OSError as error:
        tell(f"note: prices are not kept in `{folder}`: {describe_os_error(error)}")
    return price


def _name(query: RetailQuery) -> str:
    system = "windows" if query.windows else "linux"
    parts = (query.region, query.vm_size.lower(), system, query.currency)
    return "-".join(quote(part, safe="") for part in parts)


def _read(path: Path, query: RetailQuery) -> tuple[datetime, NodePrice] | None:
    """What was kept and when it was read; None where nothing of use is there."""
    try:
        value: dict[str, Any] = read_json(path.read_bytes())
        price = NodePrice(**value["price"])
        fits = value["v"] == _VERSION and _is_sound(price, query)
        return (read_time(value["read"]), price) if fits else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # A cache that cannot be read is one that is not there: it is written anew.
        return None


def _is_sound(price: NodePrice, query: RetailQuery) -> bool:
    """Whether what was read can be a price: money is counted by it."""
    texts: tuple[object, ...] = (price.vm_size, price.source, price.as_of)
    numbers: tuple[object, ...] = (price.dedicated, price.spot)
    return (
        price.currency == query.currency
        and price.vm_size.lower() == query.vm_size.lower()
        and all(isinstance(each, str) for each in texts)
        and all(each is None or (isinstance(each, float) and 0 < each <= MOST) for each in numbers)
        and numbers != (None, None)
    )


def _write(path: Path, price: NodePrice, now: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {"v": _VERSION, "read": format_time(now), "price": asdict(price)}
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=".price-", delete=False, encoding="utf-8"
    ) as stream:
        try:
            json.dump(value, stream)
            stream.close()
            os.replace(stream.name, path)  # noqa: PTH105 both are open names already
        except BaseException:
            with contextlib.suppress(OSError):
                Path(stream.name).unlink()
            raise
