"""The tasks of one job with everything that must not be searched for: order, counts, queue.

It must not know nodes, or when a task's state may change.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import chain

from runner.emulator.batch.core.changes import ChangeIndex
from runner.emulator.batch.core.dependencies import DependencyIndex
from runner.emulator.batch.core.document import Document, PackedDocument, text_of
from runner.emulator.batch.core.exits import exit_action
from runner.emulator.batch.core.ids import Key, NodeId, key_of
from runner.emulator.batch.core.ordered import OrderedTable
from runner.emulator.batch.core.task import Task, TaskState
from runner.emulator.storage.jsontext import Written
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class TaskCounts:
    """Tasks (or their slots) by what became of them; a preparing task counts as running."""

    active: int
    running: int
    completed: int
    succeeded: int
    failed: int


@record(frozen=True, slots=True, kw_only=True)
class TaskTotals:
    """What the tasks that are there took together: to run (once completed) and to be started."""

    wall: timedelta
    wait: timedelta
    retries: int


# How often a task may stand among the changes, on average: it mostly comes to run, and to its end.
_MOST_CHANGES, _FEW = 3, 1000
# Those that changed are worth to be put in order where they are not more than one of so many.
_FEW_OF = 8


class TaskTable:
    """All indexes follow from the records alone, so that they can be rebuilt from storage.

    But for the tasks that are held: their killed processes end with the emulator, too.
    """

    def __init__(self) -> None:
        self._tasks: OrderedTable[Task] = OrderedTable()
        self._tallies: Counter[str] = Counter()
        self._slots: Counter[str] = Counter()
        self._wall = timedelta()
        self._wait = timedelta()
        self._retries = 0
        self._dependencies: DependencyIndex | None = None
        """Made for the first task that waits for others: most jobs have none."""
        self._once_satisfied: set[Key] = set()
        """Until then, the tasks that would let others run, and do not look like that any more."""
        self._queues: dict[tuple[int, int], list[tuple[int, Key]]] = {}
        self._ready: dict[Key, int] = {}
        self._held: set[Key] = set()
        self._nodes: dict[NodeId, None] = {}
        self._pattern: bytes | None = None
        self._made = ChangeIndex()
        """The tasks that are in their first state, and some that were."""
        self._moved = ChangeIndex()
        """All others, some several times."""
        self.any_of_several = False
        """Whether the job ever had a multi-instance task."""

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks)

    def get(self, key: Key) -> Task | None:
        """The task, or None."""
        return self._tasks.get(key)

    def after(self, key: Key | None) -> Iterator[tuple[Key, Task]]:
        """The tasks behind a key, in the order of lists."""
        return self._tasks.after(key)

    def pack(self, document: Document | Written) -> PackedDocument:
        """A task's document in little memory: as it differs from that of the job's first task."""
        if isinstance(document, PackedDocument):
            return document
        text = text_of(document)
        if self._pattern is None:
            self._pattern = text.encode("ascii")
        return PackedDocument(text, self._pattern)

    @property
    def nodes(self) -> Collection[NodeId]:
        """Where tasks of the job have run, whatever has become of them and of the nodes."""
        return self._nodes.keys()

    @property
    def any_ready(self) -> bool:
        """Whether a task waits for a node."""
        return bool(self._ready)

    @property
    def ready(self) -> int:
        """How many tasks wait for nodes, and for nothing else; one of several counts so often."""
        if not self.any_of_several:
            return len(self._ready)
        tasks = (self._tasks.get(key) for key in self._ready)
        return sum(max(1, task.instances) for task in tasks if task is not None)

    def counts(self) -> TaskCounts:
        """Tasks by state."""
        return _counts(self._tallies)

    def slot_counts(self) -> TaskCounts:
        """Slots of the tasks by state."""
        return _counts(self._slots)

    def totals(self) -> TaskTotals:
        """What the tasks took."""
        return TaskTotals(wall=self._wall, wait=self._wait, retries=self._retries)

    def put(self, task: Task) -> None:
        """Stores the task and moves it between the indexes."""
        key = key_of(task.id)
        before = self._tasks.put(key, task)
        if before is None:
            if task.depends_on is not None:
                self._waiting().add(key, task.depends_on)
        else:
            self._tally(before, -1)
        self._tally(task, 1)
        if task.placement is not None:
            self._nodes[task.placement.node] = None
        moves = before is None or before.state is not task.state
        if moves or (before is not None and before.state_time is not task.state_time):
            self._note_change(key, task)
        if moves:
            self._queue(key, task)
            if self._dependencies is None:
                self._remember_satisfied(key, before)
            elif _satisfies(task):
                for freed in self._dependencies.satisfy(key):
                    waiting = self._tasks.get(freed)
                    if waiting is not None:
                        self._queue(freed, waiting)

    def _waiting(self) -> DependencyIndex:
        if self._dependencies is None:
            self._dependencies = index = DependencyIndex()
            satisfied = (key for key, task in self._tasks.after(None) if _satisfies(task))
            for key in (*self._once_satisfied, *satisfied):
                index.satisfy(key)
            self._once_satisfied.clear()
        return self._dependencies

    def _remember_satisfied(self, key: Key, before: Task | None) -> None:
        if before is not None and _satisfies(before):
            self._once_satisfied.add(key)

    def _note_change(self, key: Key, task: Task) -> None:
        if not _has_moved(task):
            self._made.add(task.state_time, key)
            return
        self._moved.add(task.state_time, key)
        if len(self._moved) > _MOST_CHANGES * len(self._tasks) + _FEW:
            self._renew(self._moved, moved=True)
            self._renew(self._made, moved=False)

    def _renew(self, index: ChangeIndex, *, moved: bool) -> None:
        tasks = ((key, task) for key, task in self._tasks.after(None) if _has_moved(task) is moved)
        index.renew((task.state_time, key) for key, task in tasks)

    def changed_since(
        self, moment: datetime | None, start: Key | None, *, moved: bool
    ) -> list[tuple[Key, Task]] | None:
        """The tasks behind a key that came into their state at a moment or later, in order.

        With `moved` only those that have had another state before; there may be others among them
        that changed earlier. Costs as much as have changed since; None where these are so many
        that they are better looked for one after the other.
        """
        indexes = (self._moved,) if moved else (self._moved, self._made)
        if sum(index.count_since(moment) for index in indexes) * _FEW_OF > len(self._tasks) + _FEW:
            return None
        keys = sorted(set(chain.from_iterable(index.since(moment) for index in indexes)))
        behind = keys if start is None else keys[bisect_right(keys, start) :]
        found = ((key, self._tasks.get(key)) for key in behind)
        return [(key, task) for key, task in found if task is not None]

    def delete(self, key: Key) -> Task | None:
        """Removes the task from everywhere."""
        task = self._tasks.delete(key)
        if task is not None:
            self._tally(task, -1)
            self._ready.pop(key, None)
            if self._dependencies is None:
                self._remember_satisfied(key, task)
            elif task.depends_on is not None:
                self._dependencies.remove(key, task.depends_on)
        return task

    def note_satisfied(self, key: Key) -> None:
        """Has no task wait for that one, which was there before and had let others run."""
        if self._dependencies is None:
            self._once_satisfied.add(key)
        else:
            self._dependencies.satisfy(key)

    def hold(self, key: Key) -> None:
        """Has a task wait until `let_go`, or another that gets its id."""
        self._held.add(key)
        self._ready.pop(key, None)

    def let_go(self, key: Key) -> None:
        """Takes note that a task need wait no more for what was left of it."""
        self._held.discard(key)
        task = self._tasks.get(key)
        if task is not None:
            self._queue(key, task)

    def next_ready(self, free_slots: int, free_nodes: int) -> Task | None:
        """The task that waits longest among those that fit into the free slots of a node.

        `free_nodes` is how many nodes one multi-instance task could have.
        """
        best: tuple[int, Key] | None = None
        for (slots, instances), queue in tuple(self._queues.items()):
            while queue and self._ready.get(queue[0][1]) != queue[0][0]:
                heapq.heappop(queue)
            if not queue:
                del self._queues[slots, instances]
            elif (
                slots <= free_slots
                and instances <= free_nodes
                and (best is None or queue[0] < best)
            ):
                best = queue[0]
        return None if best is None else self._tasks.get(best[1])

    def _queue(self, key: Key, task: Task) -> None:
        waits = self._dependencies is not None and self._dependencies.blocks(key)
        if task.state is TaskState.ACTIVE and not waits and key not in self._held:
            if key not in self._ready:
                self._ready[key] = task.number
                queue = self._queues.setdefault((task.slots, task.instances), [])
                heapq.heappush(queue, (task.number, key))
                self.any_of_several = self.any_of_several or task.instances > 0
        else:
            self._ready.pop(key, None)

    def _tally(self, task: Task, step: int) -> None:
        for name in _tallies_of(task):
            self._tallies[name] += step
            self._slots[name] += step * task.slots
        self._retries += step * task.retry_count
        if task.started is not None and task.ended is not None:
            self._wait += step * (task.started - task.created)
            self._wall += step * (task.ended - task.started)


def _satisfies(task: Task) -> bool:
    return task.state is TaskState.COMPLETED and exit_action(task).satisfies_dependents


def _has_moved(task: Task) -> bool:
    return task.previous_state is not None or task.state is not TaskState.ACTIVE


def _tallies_of(task: Task) -> tuple[str, ...]:
    if task.state is TaskState.ACTIVE:
        return ("active",)
    if task.state is TaskState.COMPLETED:
        return ("completed", "succeeded" if task.succeeded else "failed")
    return ("running",)


def _counts(tallies: Counter[str]) -> TaskCounts:
    return TaskCounts(
        active=tallies["active"],
        running=tallies["running"],
        completed=tallies["completed"],
        succeeded=tallies["succeeded"],
        failed=tallies["failed"],
    )
