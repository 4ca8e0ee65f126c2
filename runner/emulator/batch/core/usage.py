"""How much node time each pool has used, by intervals of half an hour.

It must not know who asks, nor what a core hour costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

from runner.emulator.batch.core.ids import PoolId
from runner.emulator.storage.record import record

INTERVAL = timedelta(minutes=30)
_KEPT = timedelta(days=31)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@record(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a pool used within one interval."""

    pool: PoolId
    vm_size: str
    start: datetime
    node_time: timedelta


class UsageLedger:
    """The time of nodes that have gone; that of the others follows from when they came."""

    def __init__(self) -> None:
        self._spent: defaultdict[tuple[PoolId, str, datetime], timedelta]
        self._spent = defaultdict(timedelta)

    def book(self, pool: PoolId, vm_size: str, since: datetime, now: datetime) -> None:
        """Adds the time for which a node of the pool had a machine."""
        for start, length in _split(since, now):
            self._spent[pool, vm_size, start] += length
        for key in [key for key in self._spent if key[2] < now - _KEPT]:
            del self._spent[key]

    def between(
        self,
        start: datetime,
        end: datetime,
        held: Iterable[tuple[PoolId, str, datetime]],
        now: datetime,
    ) -> tuple[Usage, ...]:
        """What was used in the intervals that begin in `[start, end)`, by interval and pool.

        `held` are the machines that nodes have still, and since when.
        """
        spent = defaultdict(timedelta, self._spent)
        for pool, vm_size, since in held:
            for begin, length in _split(max(since, interval_of(start)), min(now, end)):
                spent[pool, vm_size, begin] += length
        return tuple(
            Usage(pool=pool, vm_size=vm_size, start=begin, node_time=spent[pool, vm_size, begin])
            for pool, vm_size, begin in sorted(spent, key=lambda key: (key[2], key[0], key[1]))
            if start <= begin < end
        )


def interval_of(moment: datetime) -> datetime:
    """When the interval began that a moment is in."""
    return moment - (moment - _EPOCH) % INTERVAL


def _split(start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """The parts of a time that lie in each interval."""
    while start < end:
        begin = interval_of(start)
        until = min(end, begin + INTERVAL)
        yield begin, until - start
        start = until
