"""How long a run has had its nodes, dedicated and spot apart, folded from its events.

Azure bills a node from its allocation to its removal, whatever it does meanwhile. It must not know
what a node costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from runner.frozen import dataclass as frozen
from runner.run.events import (
    GONE,
    CleanupFinished,
    Event,
    NodeChanged,
    PoolChanged,
    RunFinished,
    RunStarted,
)

# States in which a node has no machine, and costs nothing.
_WITHOUT_MACHINE = frozenset({GONE, "preempted", "deallocated"})
# While one of these is left, nodes may be there.
_HAVE_NODES = frozenset({"job", "job schedule", "pool"})

_OF_NODES = frozenset({CleanupFinished, NodeChanged, PoolChanged, RunFinished, RunStarted})


@frozen(frozen=True, slots=True, kw_only=True)
class NodeSeconds:
    """Time of nodes, in seconds."""

    dedicated: float = 0.0
    spot: float = 0.0

    @property
    def hours(self) -> float:
        """Of both kinds, in hours."""
        return (self.dedicated + self.spot) / 3600


@dataclass(slots=True)
class _Stretch:
    """A node has been there since then; `until` bounds one that nobody has looked at."""

    since: datetime
    is_spot: bool
    seen: datetime | None = None
    until: datetime | None = None

    @property
    def least(self) -> timedelta:
        """What it was there for sure, where nobody has seen it since."""
        return (self.seen or self.since) - self.since

    @property
    def most(self) -> timedelta:
        """What it may have been there."""
        return (self.until or self.since) - self.since


@dataclass(slots=True)
class NodeTime:
    """The time of a run's nodes so far; a run that is resumed goes on adding up.

    While nobody looks, nodes may come and go: what is known counts as least, what may be as most.
    Other threads may ask for these while events come.
    """

    vm_size: str | None = None
    """Of the nodes, as the service tells it."""
    began: datetime | None = None
    """Nodes that were there before are paid for by the run from then; by default from its start."""
    _open: dict[str, _Stretch] = field(default_factory=dict)
    _unseen: dict[str, _Stretch] = field(default_factory=dict)
    """Nodes that were there before nobody looked, and were not seen again since."""
    _closed: dict[str, datetime] = field(default_factory=dict)
    """When nodes lost their machines: those that come back keep the time of their allocation."""
    _least: list[timedelta] = field(default_factory=lambda: [timedelta(), timedelta()])
    _most: list[timedelta] = field(default_factory=lambda: [timedelta(), timedelta()])
    _last: datetime | None = None
    _is_over: bool = False
    _has_looked: bool = True
    """Whether the nodes were seen since the run was taken up again."""
    _target: int = 0
    is_blind: bool = False
    """Nodes may have come and gone while nobody looked, and never have been seen."""
    _only_spot: bool = False

    def add(self, at: datetime, event: Event) -> None:
        """Takes in an event, and when it was recorded; of nearly all there is nothing to take."""
        if type(event) not in _OF_NODES:
            return
        match event:
            case NodeChanged():
                self._change(at, event)
            case PoolChanged():
                self._has_looked = True
                self._target = event.target_dedicated + event.target_spot
                self.vm_size = event.vm_size or self.vm_size
                self._only_spot = bool(event.target_spot) and not event.target_dedicated
            case RunStarted():
                self._start(at, resumed=event.resumed)
            case CleanupFinished():
                if not any(each.kind in _HAVE_NODES for each in event.left):
                    self._close_all(at)
            case RunFinished():
                self._is_over = True
            case _:
                pass
        self._last = at

    def look(self, at: datetime) -> None:
        """The run was alive then, and with it the nodes that it had."""
        if self._last is not None and not self._is_over:
            self._last = max(self._last, at)

    @property
    def nodes(self) -> tuple[int, int]:
        """How many are there as far as is known, dedicated and spot."""
        spot = sum(each.is_spot for each in self._open.values())
        return len(self._open) - spot, spot

    @property
    def stays(self) -> bool:
        """Whether nodes are there that nobody looks at any more."""
        return bool(self._open) and self._is_over

    def least(self, until: datetime | None = None) -> NodeSeconds:
        """What they have been there for sure, `until` then; else until the last event of theirs."""
        return self._add_up(self._least, until, lambda unseen: unseen.least)

    def most(self, until: datetime | None = None) -> NodeSeconds:
        """What they may have been there, as far as somebody looked."""
        return self._add_up(self._most, until, lambda unseen: unseen.most)

    def _add_up(
        self,
        closed: list[timedelta],
        until: datetime | None,
        length: Callable[[_Stretch], timedelta],
    ) -> NodeSeconds:
        totals = list(closed)
        for stretch in tuple(self._open.values()):
            totals[stretch.is_spot] += self._until(until) - stretch.since
        for stretch in tuple(self._unseen.values()):
            totals[stretch.is_spot] += length(stretch)
        return NodeSeconds(dedicated=totals[0].total_seconds(), spot=totals[1].total_seconds())

    def _until(self, until: datetime | None) -> datetime:
        last = self._last
        assert last is not None
        return last if self._is_over or until is None else max(until, last)

    def _start(self, at: datetime, *, resumed: bool) -> None:
        self._is_over = False
        if self.began is None:
            self.began = at
        if not resumed:
            return
        self.is_blind |= len(self._open) < self._target
        self._bound_unseen(at)
        self._has_looked = False
        for node, stretch in self._open.items():
            self._unseen[node] = replace(stretch, seen=self._last, until=at)
        self._open.clear()

    def _change(self, at: datetime, event: NodeChanged) -> None:
        self._has_looked = True
        began = self.began or at
        before = self._unseen.get(event.node)
        if before is not None:
            # Told again, it was there all the time; unless its machine is another one.
            is_another = event.allocated is not None and event.allocated > before.since
            if is_another:
                self._close_unseen(event.node)
            elif event.state not in _WITHOUT_MACHINE:
                del self._unseen[event.node]
                self._open[event.node] = _Stretch(before.since, before.is_spot)
        if event.state in _WITHOUT_MACHINE:
            self._close(event.node, at)
        elif event.node not in self._open:
            since = min(max(event.allocated or at, began), at)
            closed = self._closed.get(event.node)
            if closed is not None and since <= closed:
                since = at
            is_spot = self._only_spot if event.dedicated is None else not event.dedicated
            self._open[event.node] = _Stretch(since, is_spot)
        if len(self._open) >= self._target:
            self.is_blind = False

    def _close(self, node: str, at: datetime) -> None:
        stretch = self._open.pop(node, None)
        if stretch is None:
            return
        at = max(at, stretch.since)
        self._closed[node] = at
        self._least[stretch.is_spot] += at - stretch.since
        self._most[stretch.is_spot] += at - stretch.since

    def _close_unseen(self, node: str) -> None:
        stretch = self._unseen.pop(node)
        self._least[stretch.is_spot] += stretch.least
        self._most[stretch.is_spot] += stretch.most

    def _bound_unseen(self, at: datetime) -> None:
        """Until somebody looks, nodes that were not seen again may still be there."""
        if not self._has_looked:
            for node, stretch in self._unseen.items():
                self._unseen[node] = replace(stretch, until=at)

    def _close_all(self, at: datetime) -> None:
        self._bound_unseen(at)
        for node in tuple(self._open):
            self._close(node, at)
        # What is taken up again after that has nodes from then on.
        self.began, self._target = None, 0
