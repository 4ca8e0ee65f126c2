"""Nodes as lanes: which place of its node each attempt had, and how busy each node was.

The service tells no places: they are given to attempts in the order of their starts, the lowest
free one first. It must not know how lanes are drawn.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from heapq import heappop, heappush
from operator import itemgetter

from runner.frozen import dataclass
from runner.report.trace import Attempt, NodeRow, Trace

# Nodes note the end of a task and the start of the next one at times that may overlap by so much.
_OVERLAP = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A node, from when to when it was there, and what it did."""

    node: NodeRow
    since: datetime
    until: datetime
    slots: int
    """As many attempts as it ran at a time, or as its pool has places for one, if that is more."""
    attempts: int
    busy_seconds: float
    """The time of all its attempts together, in every place."""

    @property
    def seconds(self) -> float:
        """How long it was there."""
        return (self.until - self.since).total_seconds()

    @property
    def busy_share(self) -> float:
        """Of the time of all its places, what attempts took: from 0 to 1."""
        whole = self.seconds * self.slots
        return min(1.0, self.busy_seconds / whole) if whole else 0.0


def find_lanes(trace: Trace, *, slots: int = 1) -> list[Lane]:
    """The lanes of a run in the order of its nodes; attempts are given their places.

    `slots` are the places of each node of the pool. What goes on lasts until the last event.
    """
    if trace.seen is None:
        return []
    nodes = {node.id: node for node in trace.nodes}
    by_node: dict[str, list[tuple[datetime, datetime, Attempt]]] = {}
    for task in trace.tasks:
        for attempt in task.attempts:
            if attempt.node is None or attempt.started is None:
                continue
            goes_on = attempt is task.last and not task.state.is_over
            ended = attempt.ended or (max(trace.seen, attempt.started) if goes_on else None)
            if ended is not None:
                span = (attempt.started, max(ended, attempt.started), attempt)
                by_node.setdefault(attempt.node, []).append(span)
    for name in by_node:
        # A short run may never have listed the node that its tasks ran on.
        nodes.setdefault(name, NodeRow(id=name))
    return [
        _lane(node, by_node.get(node.id, []), slots, trace.seen)
        for node in nodes.values()
        if node.states or node.id in by_node
    ]


def _lane(
    node: NodeRow, spans: list[tuple[datetime, datetime, Attempt]], slots: int, seen: datetime
) -> Lane:
    spans.sort(key=itemgetter(0))
    used = _pack(spans)
    starts = [each.since for each in node.states[:1]] + [span[0] for span in spans[:1]]
    ends = [each.until or seen for each in node.states[-1:]]
    ends += [max(span[1] for span in spans)] if spans else []
    return Lane(
        node=node,
        since=min(starts),
        until=max(ends),
        slots=max(used, slots),
        attempts=len(spans),
        busy_seconds=sum((ended - started).total_seconds() for started, ended, _ in spans),
    )


def _pack(spans: list[tuple[datetime, datetime, Attempt]]) -> int:
    """Gives each its place, and says how many places that takes."""
    free: list[int] = []
    busy: list[tuple[datetime, int]] = []
    used = 0
    for started, ended, attempt in spans:
        while busy and busy[0][0] - _OVERLAP <= started:
            heappush(free, heappop(busy)[1])
        if free:
            slot = heappop(free)
        else:
            slot, used = used, used + 1
        attempt.slot = slot
        heappush(busy, (ended, slot))
    return used
