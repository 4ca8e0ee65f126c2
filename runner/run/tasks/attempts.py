"""What the service shows of tasks, made into attempts: begun, ended and run again, or ended.

The service keeps only the last attempt of a task, with two counts and a time for each; what it has
overwritten before anybody looked stays unknown. It must not know what follows from an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from runner.frozen import dataclass
from runner.plan.model import TaskId
from runner.run.events import TaskStarted
from runner.run.records.journal import Journal
from runner.run.services import TaskState, TaskStatus
from runner.run.tasks.ledger import PREEMPTION, REQUEUE, Ledger
from runner.spec.model.retries import RetryCause

# A start that is later by no more is the same one, told more precisely.
_START_MARGIN = timedelta(seconds=10)

_Known = tuple[TaskState, int, int]
"""A task as it was seen last: its state, its retries and requeues."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """An attempt after which the service has queued the task again, and when it did."""

    cause: str | None
    at: datetime | None


class Attempts:
    """Of the tasks of one job."""

    def __init__(
        self, journal: Journal, ledger: Ledger, *, was_taken: Callable[[str | None], bool | None]
    ) -> None:
        """`was_taken` says of a node that has lost a task, or of one that nobody knows, whether the
        service has taken it back."""
        self._journal = journal
        self._ledger = ledger
        self._was_taken = was_taken
        self._known: dict[TaskId, _Known] = {}
        self._running: dict[TaskId, TaskStatus] = {}
        """As they were seen last, with their nodes."""
        self._starts: list[TaskStarted] = []
        """Those that were not told yet."""
        self._closed: dict[TaskId, datetime] = {}
        """When tasks that we run again had ended before: what is older is of that attempt."""
        self.preempted: list[TaskId] = []
        """Tasks that have lost a spot node, once for each time; whoever reads it clears it."""

    def __len__(self) -> int:
        """How many tasks were seen so far."""
        return len(self._known)

    def note_all(self, statuses: Iterable[TaskStatus]) -> tuple[TaskStatus, ...]:
        """Keeps what is new of tasks; gives those whose last attempt has just ended.

        What is told of one look is written down together.
        """
        try:
            return tuple(filter(self._note, statuses))
        finally:
            self._tell_starts()

    def _note(self, status: TaskStatus) -> bool:
        """True when the last attempt of the task has just ended."""
        closed = self._closed.get(status.id)
        if closed is not None and status.changed <= closed:
            return False
        state, retries, requeues = self._known.get(status.id) or self._expected(status.id)
        if status.id not in self._known and self._ledger.preemptions(status.id):
            # Whoever saw that may have died before it could do anything about it.
            self.preempted.append(status.id)
        if state is TaskState.COMPLETED:
            return False
        self._known[status.id] = (status.state, status.retry_count, status.requeue_count)
        seen = self._running.get(status.id)
        for ended in self._ended(status, seen, retries, requeues):
            self._tell(status.id, ended, seen)
            seen = None
        if status.started is not None and (seen is None or seen.started is None):
            self._starts.append(
                TaskStarted(
                    task=status.id,
                    node=status.node_id,
                    at=status.started,
                    attempt=self._ledger.attempts(status.id),
                )
            )
        if status.state is TaskState.COMPLETED:
            self._running.pop(status.id, None)
            return True
        self._running[status.id] = status
        return False

    def counted(self, status: TaskStatus) -> TaskStatus:
        """A task that has ended, with all its attempts: the service knows only some."""
        attempts = self._ledger.attempts(status.id)
        if attempts == 1:
            return status
        retries = max(self._ledger.retries(status.id), status.retry_count)
        return replace(status, attempts=attempts, retry_count=retries)

    def reopen(self, status: TaskStatus) -> None:
        """The task, which has ended, is run again by us."""
        self._closed[status.id] = status.changed
        self._known[status.id] = (TaskState.ACTIVE, 0, status.requeue_count)

    def _expected(self, task: TaskId) -> _Known:
        """A task that was not seen yet by this client; another may have, before it."""
        ledger = self._ledger
        return (TaskState.ACTIVE, ledger.service_retries(task), ledger.requeues(task))

    def _ended(
        self, status: TaskStatus, seen: TaskStatus | None, retries: int, requeues: int
    ) -> Iterator[_Ended]:
        """The attempts that have ended since the last look, with a time for the last of a kind."""
        retried = _grown(status.retry_count, retries)
        requeued = _grown(status.requeue_count, requeues)
        if not retried and not requeued:
            # Of a node that was lost the service need not count anything.
            if seen is not None and _began_anew(seen, status):
                yield _Ended(PREEMPTION if self._was_taken(seen.node_id) else None, None)
            return
        exits = [_Ended(RetryCause.EXIT_CODE.value, None)] * (retried - 1)
        losses = [_Ended(REQUEUE, None)] * (requeued - 1)
        last = [_Ended(REQUEUE, status.requeued)] if requeued else []
        if retried:
            last.append(_Ended(RetryCause.EXIT_CODE.value, status.retried))
        if status.requeued and status.retried and status.retried < status.requeued:
            last.reverse()
        for ended in (*exits, *losses, *last):
            is_taken = ended.cause == REQUEUE and self._was_taken(
                None if seen is None else seen.node_id
            )
            yield replace(ended, cause=PREEMPTION) if is_taken else ended
            # Only of the first of them is it known where it ran.
            seen = None

    def _tell_starts(self) -> None:
        if self._starts:
            starts, self._starts = self._starts, []
            self._journal.record(*starts)

    def _tell(self, task: TaskId, ended: _Ended, seen: TaskStatus | None) -> None:
        self._tell_starts()
        self._ledger.record(
            task,
            cause=ended.cause,
            node=None if seen is None else seen.node_id,
            started=None if seen is None else seen.started,
            at=ended.at,
        )
        if ended.cause == PREEMPTION:
            self.preempted.append(task)


def _grown(now: int, before: int) -> int:
    """By how much a count of the service has grown, which may have begun anew."""
    return now - before if now >= before else now


def _began_anew(seen: TaskStatus, status: TaskStatus) -> bool:
    """Whether this is another attempt than the one seen; the service may move its start a little.

    A task that runs, as before, has left that state meanwhile if it has come to it again.
    """
    if seen.node_id is not None and status.node_id not in (None, seen.node_id):
        return True
    if seen.state is status.state:
        return seen.state is TaskState.RUNNING and status.changed > seen.changed
    if seen.started is None or status.started is None:
        return False
    return status.started > seen.started + _START_MARGIN
