"""Looks at the services until every task has ended, and says what changed as events.

It changes nothing there, and knows nothing of outputs or of cleanup.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runner.plan.model import TaskId
from runner.run.clock import Clock
from runner.run.pools.judging import PoolUnusableError, StartTaskFailedError
from runner.run.pools.making import Lease
from runner.run.pools.tending import Tend
from runner.run.pools.watching import PoolWatch, PreparationFailedError
from runner.run.records.journal import Journal
from runner.run.services import Batch, JobState, TaskStatus
from runner.run.tasks.attempts import Attempts
from runner.run.tasks.ledger import Ledger

# A look every twentieth of the time that has passed adds at most 5 % to any run.
_LOOKS_PER_RUN = 20
_SHORTEST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 10.0
# The pool is looked at more rarely once tasks run: nothing waits for it any more.
_POOL_PAUSES = 10
# Transition times of different nodes reach the list late; changes of this span are read again.
_OVERLAP = timedelta(seconds=2)
# And every so often all are, whatever their times say.
_WHOLE_LOOK_SECONDS = 60.0


def _say_nothing(line: str) -> None:
    """Where nobody listens."""


class JobEndedError(Exception):
    """The job has ended although tasks have not; `reason` is the service's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Watch:
    """What is known of one job so far, and the next look at it."""

    def __init__(
        self,
        *,
        job_id: str,
        pool_id: str,
        batch: Batch,
        journal: Journal,
        clock: Clock,
        is_ours: Callable[[TaskId], bool],
        foreign_pool: bool = False,
        has_preparation: bool = False,
        lease: Lease | None = None,
        ledger: Ledger | None = None,
        tell: Callable[[str], None] = _say_nothing,
        tend: Tend | None = None,
    ) -> None:
        """A `foreign_pool` is the user's own: its start tasks and size are none of our business.

        Tasks that are not `is_ours` are none either: somebody has added them to the job.
        `lease` is of a pool that outlasts the run, `ledger` what is known of earlier attempts,
        `tell` takes a line for people, and `tend` looks after the pool.
        """
        self._job_id = job_id
        self._batch = batch
        self._clock = clock
        self._is_ours = is_ours
        self._began = clock.monotonic()
        self._latest: datetime | None = None
        self._next_whole_look = self._began + _WHOLE_LOOK_SECONDS
        self._next_pool_look = self._began
        self._pool = PoolWatch(
            job_id=job_id,
            pool_id=pool_id,
            batch=batch,
            journal=journal,
            foreign_pool=foreign_pool,
            has_preparation=has_preparation,
            lease=lease,
            clock=clock,
            tell=tell,
            tend=tend,
        )
        self.attempts = Attempts(journal, ledger or Ledger(journal), is_spot=self._pool.is_spot)

    @property
    def job_state(self) -> JobState:
        """As it was at the last look at the job."""
        return self._pool.job_state

    @property
    def pause_seconds(self) -> float:
        """How long to wait before the next look: short at first, longer as the run is long."""
        passed = self._clock.monotonic() - self._began
        return min(max(passed / _LOOKS_PER_RUN, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)

    def look_at_job(self) -> None:
        """Has the next look include the job, whose state is in doubt."""
        self._next_pool_look = self._clock.monotonic()

    def look_at_all(self) -> None:
        """Has the next look include all tasks, whenever they changed."""
        self._next_whole_look = self._clock.monotonic()

    def look(self) -> tuple[TaskStatus, ...]:
        """Tasks that have ended since the last look; everything else seen goes to the journal.

        Raises `PoolUnusableError` or `StartTaskFailedError` where no node can ever run a task, and
        `JobEndedError` where the job is over and tasks are left that will not run.
        """
        now = self._clock.monotonic()
        if now >= self._next_pool_look or not len(self.attempts):
            self._next_pool_look = now + _POOL_PAUSES * self.pause_seconds
            try:
                self._pool.look()
            except (PoolUnusableError, PreparationFailedError, StartTaskFailedError):
                # Tasks may have ended before, and nobody have seen it: that comes first.
                ended = self._look_at_tasks(now)
                if not ended:
                    raise
                self.look_at_job()
                return ended
        return self._look_at_tasks(now)

    def _look_at_tasks(self, now: float) -> tuple[TaskStatus, ...]:
        since = None if self._latest is None else self._latest - _OVERLAP
        if self._pool.job_ended or now >= self._next_whole_look:
            since = None
            self._next_whole_look = now + _WHOLE_LOOK_SECONDS
        ended = tuple(
            status
            for status in self._batch.task_changes(self._job_id, since)
            if self._is_ours(status.id) and self._note(status)
        )
        if self._pool.job_ended and not ended:
            job = self._batch.job_status(self._job_id)
            raise JobEndedError(job.terminate_reason or "the job was deleted")
        return ended

    def _note(self, status: TaskStatus) -> bool:
        """Keeps what is new of a task; true when it has just ended."""
        if self._latest is None or status.changed > self._latest:
            self._latest = status.changed
        return self.attempts.note(status)
