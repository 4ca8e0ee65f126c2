"""The nodes of one pool, and which of them have room.

It must not know which tasks want to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from runner.emulator.batch.core.ids import Key, key_of
from runner.emulator.batch.core.node import Node, NodeState
from runner.emulator.batch.core.ordered import OrderedTable
from runner.emulator.batch.core.pool import NodeFill


class NodeTable:
    """Nodes that take tasks stand in one bucket per number of free slots."""

    def __init__(self) -> None:
        self._nodes: OrderedTable[Node] = OrderedTable()
        self._free: dict[int, dict[Key, None]] = {}
        self._room: dict[Key, int] = {}
        """In which bucket a node stands; in none where this is 0."""
        self._tally: Counter[tuple[NodeState, bool]] = Counter()

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def get(self, key: Key) -> Node | None:
        """The node, or None."""
        return self._nodes.get(key)

    def after(self, key: Key | None) -> Iterator[tuple[Key, Node]]:
        """The nodes behind a key, in the order of lists."""
        return self._nodes.after(key)

    def put(self, node: Node) -> None:
        """Stores the node and moves it between the buckets."""
        key = key_of(node.id)
        before = self._nodes.put(key, node)
        if before is None or (before.state, before.dedicated) != (node.state, node.dedicated):
            self._tally[node.state, node.dedicated] += 1
            if before is not None:
                self._tally[before.state, before.dedicated] -= 1
        self._stand(key, node.slots - node.used_slots if node.takes_tasks else 0)

    def tally(self) -> Mapping[tuple[NodeState, bool], int]:
        """How many nodes are in each state, those that are dedicated apart from others."""
        return self._tally

    def kinds(self) -> tuple[int, int]:
        """How many nodes are dedicated, and how many are not."""
        dedicated = sum(count for (_, is_dedicated), count in self._tally.items() if is_dedicated)
        return dedicated, len(self._nodes) - dedicated

    def delete(self, key: Key) -> Node | None:
        """Removes the node."""
        node = self._nodes.delete(key)
        if node is not None:
            self._stand(key, 0)
            del self._room[key]
            self._tally[node.state, node.dedicated] -= 1
        return node

    def most_free_slots(self, barred: Collection[Key] = ()) -> int:
        """The largest task that fits now on a node that is not barred; 0 when nothing does."""
        if not barred:
            return max(self._free, default=0)
        open_to = (
            free for free, nodes in self._free.items() if any(key not in barred for key in nodes)
        )
        return max(open_to, default=0)

    def count_free(self, barred: Collection[Key] = ()) -> int:
        """How many nodes that are not barred have room for something."""
        return sum(1 for _ in self.free(barred))

    def free(self, barred: Collection[Key] = ()) -> Iterator[Node]:
        """The nodes that are not barred and have room for something."""
        for nodes in self._free.values():
            for key in nodes:
                node = self._nodes.get(key)
                if node is not None and key not in barred:
                    yield node

    def with_room(self, slots: int, fill: NodeFill, barred: Collection[Key] = ()) -> Node | None:
        """The node for a task: the emptiest when spreading, the fullest that fits when packing."""
        fitting = [free for free in self._free if free >= slots]
        for free in sorted(fitting, reverse=fill is NodeFill.SPREAD):
            for key in self._free[free]:
                if key not in barred:
                    return self._nodes.get(key)
        return None

    def _stand(self, key: Key, room: int) -> None:
        """Moves a node to the bucket of so many free slots; out of all for 0."""
        before = self._room.get(key, 0)
        if before == room:
            self._room.setdefault(key, room)
            return
        self._room[key] = room
        if before > 0:
            bucket = self._free[before]
            del bucket[key]
            if not bucket:
                del self._free[before]
        if room > 0:
            self._free.setdefault(room, {})[key] = None
