"""The ledger of attempts: how often each task was run again, and why, kept as events.

It can be made again from those events, so that what was used up stays so when a run is resumed. It
must not know how an attempt is seen, nor who decides about another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from runner.plan.model import TaskId
from runner.run.events import Event, TaskRetried
from runner.run.records.journal import Journal
from runner.spec.model.retries import RetryCause

PREEMPTION = "preemption"
"""A cause in the ledger: the service took a spot node away."""
REQUEUE = "requeue"
"""A cause in the ledger: the task was put back into the queue otherwise."""
# Nothing that the task did: its node went away.
_BY_OTHERS = frozenset({PREEMPTION, REQUEUE, None})


@dataclass(slots=True)
class _Account:
    """What one task has used up."""

    attempts: int = 0
    """That have ended and were followed by another."""
    retries: int = 0
    causes: Counter[str | None] = field(default_factory=Counter)
    service_retries: int = 0
    """After exit codes, since we last reactivated the task: what the service counts as well."""
    last: TaskRetried | None = None


class Ledger:
    """Of all tasks; only one that was run again costs anything."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._accounts: dict[str, _Account] = {}

    def restore(self, events: Iterable[Event]) -> None:
        """Takes in what the journal says already."""
        for event in events:
            if isinstance(event, TaskRetried):
                self._take(event)

    def record(
        self,
        task: TaskId,
        *,
        cause: str | None,
        node: str | None,
        started: datetime | None,
        at: datetime | None,
        exit_code: int | None = None,
        message: str | None = None,
        due: datetime | None = None,
    ) -> None:
        """One more attempt has ended that is followed by another."""
        retries = self.retries(task) + (cause not in _BY_OTHERS)
        event = TaskRetried(
            task=task,
            retries=retries,
            attempt=self.attempts(task),
            cause=cause,
            exit_code=exit_code,
            message=message,
            node=node,
            started=started,
            at=at,
            due=due,
        )
        self._journal.record(event)
        self._take(event)

    def attempts(self, task: TaskId) -> int:
        """The number of the attempt that is under way, or that was the last."""
        account = self._accounts.get(task)
        return 1 if account is None else account.attempts + 1

    def retries(self, task: TaskId) -> int:
        """How often it was run again for what came of it."""
        account = self._accounts.get(task)
        return 0 if account is None else account.retries

    def used(self, task: TaskId, cause: RetryCause) -> int:
        """How many further attempts there were after this cause."""
        account = self._accounts.get(task)
        return 0 if account is None else account.causes[cause.value]

    def preemptions(self, task: TaskId) -> int:
        """How often it lost its spot node."""
        account = self._accounts.get(task)
        return 0 if account is None else account.causes[PREEMPTION]

    @property
    def all_preemptions(self) -> int:
        """How often tasks lost their spot nodes."""
        return sum(account.causes[PREEMPTION] for account in self._accounts.values())

    def requeues(self, task: TaskId) -> int:
        """How often it was put back into the queue, for whatever reason."""
        account = self._accounts.get(task)
        if account is None:
            return 0
        return account.causes[PREEMPTION] + account.causes[REQUEUE]

    def service_retries(self, task: TaskId) -> int:
        """How many retries the service counts, as far as they are in the ledger."""
        account = self._accounts.get(task)
        return 0 if account is None else account.service_retries

    def last(self, task: TaskId) -> TaskRetried | None:
        """The last attempt that was followed by another."""
        account = self._accounts.get(task)
        return None if account is None else account.last

    def _take(self, event: TaskRetried) -> None:
        account = self._accounts.setdefault(event.task, _Account())
        account.attempts = max(account.attempts, event.attempt)
        account.retries = max(account.retries, event.retries)
        account.causes[event.cause] += 1
        if event.due is not None:
            account.service_retries = 0
        elif event.cause == RetryCause.EXIT_CODE.value:
            account.service_retries += 1
        account.last = event
