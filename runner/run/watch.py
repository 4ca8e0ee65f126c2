"""Looks at the services until every task has ended, and says what changed as events.

It changes nothing there, and knows nothing of outputs or of cleanup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from runner.plan.model import TaskId
from runner.run.clock import Clock
from runner.run.pools.judging import PoolUnusableError, StartTaskFailedError
from runner.run.pools.making import Lease
from runner.run.pools.tending import Tend
from runner.run.pools.watching import PoolWatch, PreparationFailedError
from runner.run.records.journal import Journal
from runner.run.services import Batch, JobState, TaskStatus
from runner.run.silence import say_nothing
from runner.run.tasks.attempts import Attempts
from runner.run.tasks.ledger import Ledger

# A look every fifth of the time that has passed at first, every tenth in the long run: what ends
# at any moment is seen after a twentieth of it on average, and steady progress is foreseen.
_FIRST_LOOKS, _LOOKS_PER_RUN = 5, 10
_SHORTEST_PAUSE_SECONDS = 0.05
_SHORT_PAUSE_SECONDS = 0.3
# The last tasks of all: so many looks, one behind the other, are as long as the run was.
_CLOSEST_LOOKS_PER_RUN = 32
# While tasks end as foreseen, people still want to see that they do. In a short run a pause is no
# longer than all before it: so most of what tasks make comes home while others run. In a longer
# one it is a fifth of that: a machine twice as slow asks a few times more, not twice as often.
_SHORT_STEADY_PAUSE_SECONDS = 0.5
_STEADY_PAUSE_SECONDS = 2.0
_STEADY_LOOKS_PER_RUN = 5
_LOOKS_TO_END = 2
_LONGEST_PAUSE_SECONDS = 10.0
# The pool is looked at more rarely, and once tasks run still more so: nothing waits for it then.
_FIRST_POOL_PAUSES, _POOL_PAUSES = 5, 20
# What breaks under the first tasks is to be told in a short run too.
_FIRST_POOL_SECONDS, _POOL_SECONDS = 1.5, 12.0
# Transition times of different nodes reach the list late, by so much. Not every look reads that
# again: one that does so now and then, and one after the last change, miss nothing either.
_OVERLAP = timedelta(seconds=2)
_OVERLAP_SECONDS = _OVERLAP.total_seconds()
# The others read again what changed within an eighth of a pause.
_WIDE_LOOK_PAUSES = 4
_NARROW_OVERLAPS = 8
# And every so often all are read, whatever their times say.
_WHOLE_LOOK_SECONDS = 60.0
_WHOLE_LOOKS_PER_RUN = 4
# However long a run is, nobody pays for longer for what was missed.
_LONGEST_WHOLE_LOOK_SECONDS = 600.0


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
        has_start_task: bool = False,
        lease: Lease | None = None,
        ledger: Ledger | None = None,
        tell: Callable[[str], None] = say_nothing,
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
        self._read_to: datetime | None = None
        """Up to here nothing is missing any more: it was read again later."""
        self._next_wide_look = self._began + _WIDE_LOOK_PAUSES * _OVERLAP_SECONDS
        self._changed_at = self._began
        self._running_since = self._began
        self._ended = 0
        self._ended_at = self._began
        self._next_whole_look = self._began + _WHOLE_LOOK_SECONDS
        self._next_pool_look = self._began
        self._looks_at_work = 0
        self._pool = PoolWatch(
            job_id=job_id,
            pool_id=pool_id,
            batch=batch,
            journal=journal,
            foreign_pool=foreign_pool,
            has_preparation=has_preparation,
            has_start_task=has_start_task,
            lease=lease,
            clock=clock,
            tell=tell,
            tend=tend,
        )
        self.attempts = Attempts(journal, ledger or Ledger(journal), was_taken=self._pool.was_taken)

    @property
    def job_state(self) -> JobState:
        """As it was at the last look at the job."""
        return self._pool.job_state

    def pause_seconds(self, *, left: int) -> float:
        """How long to wait before the next look: short at first, longer as the run is long.

        Once tasks end, it is half of the time in which the `left` ones end if they go on like
        that: so the last one is seen soon, and the number of looks hardly grows with the run.
        """
        if not self._ended:
            return self._pause_seconds
        now = self._clock.monotonic()
        passed = now - self._began
        expected = left * (now - self._running_since) / self._ended
        # Where none has ended for some time, the others take longer than these did.
        quiet = (now - self._ended_at) / _FIRST_LOOKS
        shortest = min(passed / _CLOSEST_LOOKS_PER_RUN, _SHORT_PAUSE_SECONDS)
        pause = max(expected / _LOOKS_TO_END, quiet, shortest, _SHORTEST_PAUSE_SECONDS)
        soon = min(max(passed, _SHORT_STEADY_PAUSE_SECONDS), _STEADY_PAUSE_SECONDS)
        steady = max(soon, passed / _STEADY_LOOKS_PER_RUN)
        return min(pause, steady, _LONGEST_PAUSE_SECONDS)

    @property
    def _pause_seconds(self) -> float:
        passed = self._clock.monotonic() - self._began
        pause = max(min(passed / _FIRST_LOOKS, _SHORT_PAUSE_SECONDS), passed / _LOOKS_PER_RUN)
        return min(max(pause, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)

    def look_at_job(self) -> None:
        """Has the next look include the job, whose state is in doubt."""
        self._next_pool_look = self._clock.monotonic()

    def look_at_all(self) -> None:
        """Has the next look include all tasks, whenever they changed."""
        self._next_whole_look = self._clock.monotonic()

    def look_at_start_tasks(self) -> None:
        """Once all tasks have ended: what failed beside them in a short run was not seen yet."""
        self._pool.look_at_start_tasks()

    def look_first(self) -> None:
        """At the pool before tasks: nodes of the shortest run are gone once its tasks are seen."""
        try:
            self._pool.look()
        except (PoolUnusableError, PreparationFailedError, StartTaskFailedError):
            # Of a run that is taken up again tasks may have ended before: the next look tells.
            return
        self._next_pool_look = self._clock.monotonic() + self._pool_pause_seconds

    def look(self) -> tuple[TaskStatus, ...]:
        """Tasks that have ended since the last look; everything else seen goes to the journal.

        Raises `PoolUnusableError` or `StartTaskFailedError` where no node can ever run a task, and
        `JobEndedError` where the job is over and tasks are left that will not run.
        """
        now = self._clock.monotonic()
        if now >= self._next_pool_look:
            self._next_pool_look = now + self._pool_pause_seconds
            self._looks_at_work += bool(len(self.attempts))
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

    @property
    def _pool_pause_seconds(self) -> float:
        if not len(self.attempts):
            return _FIRST_POOL_PAUSES * self._pause_seconds
        if not self._looks_at_work:
            return _FIRST_POOL_SECONDS
        return max(_POOL_PAUSES * self._pause_seconds, _POOL_SECONDS)

    def _look_at_tasks(self, now: float) -> tuple[TaskStatus, ...]:
        since = self._since(now)
        known = len(self.attempts)
        # Nodes are looked at far less often than tasks: they are asked for where tasks lost theirs.
        self._pool.doubt_nodes()
        ended = self.attempts.note_all(self._ours(since))
        if not known and len(self.attempts):
            # There are nodes now: also of the shortest run it is told which.
            self._next_pool_look = now
        if ended or len(self.attempts) > known:
            self._changed_at = now
        if not self._ended and not ended:
            self._running_since = now
        self._ended += len(ended)
        if ended:
            self._ended_at = now
        if self._pool.job_ended and not ended:
            job = self._batch.job_status(self._job_id)
            raise JobEndedError(job.terminate_reason or "the job was deleted")
        return ended

    def _since(self, now: float) -> datetime | None:
        """From which time on changes are to be read; None for all."""
        wide_pause = _WIDE_LOOK_PAUSES * max(_OVERLAP_SECONDS, self._pause_seconds)
        if self._pool.job_ended or now >= self._next_whole_look or self._latest is None:
            pause = max(_WHOLE_LOOK_SECONDS, (now - self._began) / _WHOLE_LOOKS_PER_RUN)
            pause = min(pause, _LONGEST_WHOLE_LOOK_SECONDS)
            self._next_whole_look = now + pause
            self._next_wide_look = now + wide_pause
            self._read_to = self._latest
            return None
        is_quiet = self._changed_at < now - self._pause_seconds / 2
        is_new = self._changed_at >= now - 2 * _OVERLAP_SECONDS - self._pause_seconds
        if now >= self._next_wide_look or (is_quiet and is_new):
            self._next_wide_look = now + wide_pause
            since = min(self._latest, self._read_to or self._latest) - _OVERLAP
            self._read_to = self._latest
            return since
        narrow = max(self._pause_seconds / _NARROW_OVERLAPS, _SHORTEST_PAUSE_SECONDS)
        return self._latest - timedelta(seconds=min(narrow, _OVERLAP_SECONDS))

    def _ours(self, since: datetime | None) -> Iterator[TaskStatus]:
        """The tasks of the plan that have changed; the latest of the changes is kept."""
        for status in self._batch.task_changes(self._job_id, since):
            if self._is_ours(status.id):
                if self._latest is None or status.changed > self._latest:
                    self._latest = status.changed
                yield status
