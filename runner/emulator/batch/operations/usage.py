"""The operation on what pools have used: decode, ask the core, encode.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from runner.emulator.batch.core.cores import cores_of
from runner.emulator.batch.core.ids import PoolId
from runner.emulator.batch.core.refusal import invalid_query
from runner.emulator.batch.core.usage import INTERVAL, Usage, interval_of
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.filters.evaluate import PREFIX_AND_ORDER, Property
from runner.emulator.batch.operations.filters.parse import Operator
from runner.emulator.batch.operations.paging import Listing, list_page, number_in_order
from runner.emulator.batch.operations.replies import Reply
from runner.emulator.batch.operations.wire import format_moment, parse_moment

LATEST_START = timedelta(hours=2, minutes=30)
LATEST_END = timedelta(hours=2)
_PROPERTIES: Mapping[str, Property[Usage]] = {
    "poolId": Property(get=lambda usage: usage.pool, operators=PREFIX_AND_ORDER - {Operator.NE}),
}


def list_pool_usage_metrics(call: Call) -> Reply:
    """`GET /poolusagemetrics`: of the last interval that is complete where no time is given.

    The service makes them known two hours later (REST reference, `startTime` and `endtime`).
    """
    last = interval_of(call.now - LATEST_END) - INTERVAL
    start = _moment(call, "starttime", "startTime", LATEST_START) or last
    end = _moment(call, "endtime", "endtime", LATEST_END) or last + INTERVAL
    if end < start:
        raise invalid_query("endtime", call.query["endtime"], "The value is before startTime")
    listing = Listing(
        name="poolusagemetrics",
        after=number_in_order(call.state.usage.between(start, end, _held(call), call.now)),
        show=_show,
        properties=_PROPERTIES,
        selectable=False,
    )
    return list_page(call, listing)


def _moment(call: Call, key: str, name: str, age: timedelta) -> datetime | None:
    text = call.query.get(key)
    if text is None:
        return None
    moment = parse_moment(text)
    if moment is None:
        raise invalid_query(name, text, "The value is not a time")
    if moment > call.now - age:
        hours = age / timedelta(hours=1)
        raise invalid_query(name, text, f"The value is less than {hours:g} hours ago")
    return moment


def _held(call: Call) -> Iterator[tuple[PoolId, str, datetime]]:
    store = call.state.store
    for pool in store.pools:
        for node in store.nodes(pool.id):
            if node.machine_since is not None:
                yield pool.id, pool.vm_size, node.machine_since


def _show(usage: Usage) -> dict[str, Any]:
    hours = usage.node_time / timedelta(hours=1)
    return {
        "poolId": usage.pool,
        "startTime": format_moment(usage.start),
        "endTime": format_moment(usage.start + INTERVAL),
        "vmSize": usage.vm_size,
        "totalCoreHours": round(hours * (cores_of(usage.vm_size) or 1), 6),
    }
