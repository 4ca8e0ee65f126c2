"""Feeds, watches and collects side by side, until every task is home or will never run.

It must not know what was made for the job, nor what is taken away afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial

from runner.errors import (
    BatchRunError,
    ExitCode,
    InterruptedRunError,
    ServiceError,
    ServiceRefusedError,
    StoppedWaitingError,
)
from runner.plan.model import Plan
from runner.run.clock import Clock
from runner.run.collecting import Collecting
from runner.run.feed import Feeder
from runner.run.holding import TakenOverError
from runner.run.homecoming import Homecoming
from runner.run.results.settled import Settled
from runner.run.services import Batch, JobState, TaskStatus
from runner.run.stop import Stop
from runner.run.tasks.dependents import Blocked
from runner.run.tasks.endings import TIME_OVER, Endings
from runner.run.tasks.exits import service_end
from runner.run.tasks.halting import Halting
from runner.run.tasks.ledger import Ledger
from runner.run.tasks.retrier import Retrier
from runner.run.tasks.retries import keeps_job_open
from runner.run.tasks.verdicts import Verdicts
from runner.run.transfers.outputs import Collector
from runner.run.watch import JobEndedError, Watch
from runner.spec.duration import write_duration
from runner.spec.model.step import JobAction

# For requests about single tasks that are to run again, or not to run.
_ACTORS = 4
# How often is looked once the wait is over: until a look finds nothing new.
_IMPATIENT_SECONDS = 0.05
_FIRST_PAUSE_SECONDS = 0.1
# How soon a wish to stop is seen while results are still coming home.
_LOOK_SECONDS = 0.2
_BLOCKED_TOGETHER = 100
_DURATION = ("duration", "how long the job may take")
# How long a wish to stop leaves what has ended for its way home: it would have to run again.
_LAST_SECONDS = 3.0
# What the service answers to an addition once the job has ended without us.
_JOB_OVER = frozenset({"JobNotFound", "JobCompleted", "JobBeingTerminated", "JobBeingDeleted"})


class JobDisabledError(StoppedWaitingError):
    """A task has disabled the job: nothing of it runs until somebody acts."""


class DetachedError(StoppedWaitingError):
    """Every task is added, and nobody wants to wait for them: the work goes on without us."""

    exit_code = ExitCode.SUCCESS


class UnfinishedError(BatchRunError):
    """The job is over, and tasks of it never ran to their end."""

    exit_code = ExitCode.TASKS_FAILED


class Work:
    """The tasks of one job, from the first that is added to the last that is home."""

    def __init__(
        self,
        plan: Plan,
        job_id: str,
        *,
        batch: Batch,
        feeder: Feeder,
        watch: Watch,
        ledger: Ledger,
        verdicts: Verdicts,
        collector: Collector,
        clock: Clock,
        stop: Stop,
        check: Callable[[], None],
        abandon: Callable[[], None],
        outlives_client: bool,
        settled: Settled,
        halting: Halting,
        detaches: bool = False,
    ) -> None:
        """`check` may raise to end the work between any two steps; `abandon` ends all transfers.

        Where it `detaches`, the last task that is added ends it with `DetachedError`.
        """
        self._plan = plan
        self._job_id = job_id
        self._batch = batch
        self._feeder = feeder
        self._watch = watch
        self._verdicts = verdicts
        self._collector = collector
        self._clock = clock
        self._stop = stop
        self._may_go_on = check
        self._abandon = abandon
        self._outlives_client = outlives_client
        self._detaches = detaches
        self._endings = Endings(plan, verdicts, ask=partial(batch.job_status, job_id))
        self._retrier = Retrier(
            plan,
            job_id,
            batch=batch,
            ledger=ledger,
            attempts=watch.attempts,
            clock=clock.now,
        )
        self._halting = halting
        self._blocked = 0
        self.ended = len(settled)
        """Tasks that have ended, or that we know will never run."""
        self.home = Homecoming(succeeded=settled.succeeded, failed=len(settled.failures))
        for end in settled.failures.values():
            verdicts.take(service_end(end))

    def run(self) -> None:
        """To the end; raises where it cannot be reached."""
        feeding = ThreadPoolExecutor(1, thread_name_prefix="feed")
        acting = ThreadPoolExecutor(_ACTORS, thread_name_prefix="act")
        collecting = Collecting(self._collector, self.home, hear=self._hear)
        try:
            self._go(feeding, acting, collecting)
        except Exception as error:
            self._feeder.stop()
            if _costs_results(error):
                self._await_home()
                # What is still on its way up is of no use: nobody waits for it, and pays for nodes.
                self._abandon()
            raise
        finally:
            self._feeder.stop()
            if self._stop.requested:
                self.home.wait(_LAST_SECONDS)
                # What is not begun is not told as lost.
                collecting.cancel()
                acting.shutdown(wait=False, cancel_futures=True)
                self._abandon()
            collecting.close()
            acting.shutdown(cancel_futures=True)
            feeding.shutdown()
            self.home.check()

    def _go(
        self, feeding: ThreadPoolExecutor, acting: ThreadPoolExecutor, collecting: Collecting
    ) -> None:
        fed = feeding.submit(self._feeder.feed)
        fed.add_done_callback(self._hear_of_feeding)
        self._look_until_all_ended(fed, acting, collecting)
        self._finish(fed)
        if self._endings.reason is not None and self._endings.count:
            raise self._unfinished(self._endings.reason)

    def _check(self) -> None:
        # First: `check` would abandon what is on its way home.
        self._stop.check()
        self._may_go_on()

    def _look_until_all_ended(
        self, fed: Future[None], acting: ThreadPoolExecutor, collecting: Collecting
    ) -> None:
        total = len(self._plan.tasks)
        limit = self._plan.workload.limits.wait
        deadline = self._clock.monotonic() + limit.total_seconds()
        self._watch.look_first()
        # Of tasks, what was made just now has nothing to show.
        self._clock.wait(self._stop, _FIRST_PAUSE_SECONDS)
        while True:
            self._check()
            self._endings.halted = self._halting.reason if self._halting.act() else None
            is_over = self._verdicts.acts or self._endings.is_job_over
            if is_over or (fed.done() and not _is_fed(fed)):
                self._watch.look_at_job()
            try:
                statuses = self._watch.look()
            except JobEndedError as error:
                self._settle(self._retrier.release(), collecting)
                self._end(self._endings.release_all(error.reason), collecting)
                self._await_home()
                if self.ended == total:
                    return
                if self._halting.acts:
                    raise self._halted(fed, collecting) from error
                raise self._unfinished(error.reason) from error
            self._take(statuses, acting, collecting)
            if not self._endings.is_job_over:
                self._give_up(self._verdicts.blocked(), collecting)
            self.home.check()
            if self.ended == total:
                return
            if self._halting.is_still(found=bool(statuses)):
                raise self._halted(fed, collecting)
            if self._detaches and fed.done() and _is_fed(fed) and not self._halting.is_wanted:
                self._check()
                raise self._detached()
            if self._feeder.awaits_canary and self.home.errors:
                # Nothing can follow a canary that does not come home.
                raise self.home.errors[0]
            if not statuses and (fed.done() or self._feeder.awaits_canary):
                self._judge_standstill()
                if self._clock.monotonic() >= deadline:
                    raise self._out_of_patience(limit)
            pause = self._watch.pause_seconds(left=total - self.ended)
            patience = deadline - self._clock.monotonic()
            pause = min(pause, max(patience, _IMPATIENT_SECONDS))
            pause = self._halting.shorten(self._retrier.shorten(pause))
            self._clock.wait(self._stop, pause)

    def _detached(self) -> DetachedError:
        """What has ended by now comes home; the job ends with its last task."""
        if keeps_job_open(self._plan.workload):
            # Nobody would run them again.
            self._feeder.finish()
        self._await_home()
        return DetachedError(f"all {len(self._plan.tasks)} tasks are added")

    def _out_of_patience(self, limit: timedelta) -> StoppedWaitingError:
        total = len(self._plan.tasks)
        hint = "`limits.wait` in the spec says how long to wait"
        if not self._outlives_client:
            hint += "; locally the work goes on where the run was detached, and rests otherwise"
        return StoppedWaitingError(
            f"stopped waiting after {write_duration(limit)}: {total - self.ended} of {total} tasks"
            " have not ended",
            hint=hint,
        )

    def _take(
        self,
        statuses: Iterable[TaskStatus],
        acting: ThreadPoolExecutor,
        collecting: Collecting,
    ) -> None:
        ends = [status for status in statuses if not self._verdicts.is_settled(status)]
        self._settle(filter(None, map(self._retrier.take, ends)), collecting)
        again = self._retrier.release() if self._halting.acts else self._retrier.act(acting)
        self._settle(again, collecting)
        # Only now is it known which of them was the first.
        self._end(self._endings.release(), collecting)

    def _settle(self, statuses: Iterable[TaskStatus], collecting: Collecting) -> None:
        """Tasks have ended, and are not run again."""
        for status in statuses:
            self._verdicts.take(status)
            if not self._endings.hold(status):
                self._end([status], collecting)

    def _end(self, statuses: Iterable[TaskStatus], collecting: Collecting) -> None:
        for status in statuses:
            self.ended += 1
            collecting.collect(status)

    def _hear_of_feeding(self, fed: Future[None]) -> None:
        """Where that is the end, it is not waited for; tasks that were just added have none yet."""
        if self._detaches or fed.exception() is not None:
            self._stop.wake()

    def _hear(self) -> None:
        """Tasks have come home: that may be a reason to stop, which is acted on at once."""
        if self._halting.is_wanted and not self._halting.acts:
            self._stop.wake()

    def _give_up(self, blocked: tuple[Blocked, ...], collecting: Collecting) -> None:
        """Tasks that the service will never run are counted as failed."""
        self.ended += len(blocked)
        self._blocked += len(blocked)
        for start in range(0, len(blocked), _BLOCKED_TOGETHER):
            some = blocked[start : start + _BLOCKED_TOGETHER]
            collecting.tell(partial(self._tell_blocked, some))

    def _tell_blocked(self, blocked: tuple[Blocked, ...]) -> int:
        self._collector.tell_blocked(blocked)
        return len(blocked)

    def _finish(self, fed: Future[None]) -> None:
        """All have ended: what is still coming home is waited for."""
        # Before the job ends, and with it a pool of its own.
        self._watch.look_at_start_tasks()
        self._await_feeding(fed)
        _is_fed(fed)
        if self._blocked:
            # The job waits for tasks that never run, and its nodes cost money meanwhile.
            try:
                self._batch.terminate_job(self._job_id)
            except ServiceError as error:
                self.home.errors.append(error)
        elif keeps_job_open(self._plan.workload):
            try:
                self._feeder.finish()
            except ServiceError as error:
                if not (isinstance(error, ServiceRefusedError) and error.code in _JOB_OVER):
                    self.home.errors.append(error)
        self._await_home()

    def _await_feeding(self, fed: Future[None]) -> None:
        while wait((fed,), timeout=_LOOK_SECONDS).not_done:
            self._check()

    def _await_home(self) -> None:
        while not self.home.wait(_LOOK_SECONDS):
            self._check()

    def _unfinished(self, reason: str) -> BatchRunError:
        if self.home.errors:
            # Results that are not home weigh more: they must not be deleted.
            return self.home.errors[0]
        total, ended = len(self._plan.tasks), self._endings.count
        left = self._never_ran
        toll = f"{ended} of {total} tasks ended with it" if ended else ""
        if left:
            toll = f"{toll}, {left} never ran" if toll else f"{left} of {total} tasks never ran"
        by_cost = self._plan.workload.limits.is_cost_bound
        which, what = ("cost", "what its nodes may cost") if by_cost else _DURATION
        hint = f"`limits.{which}` in the spec says {what}"
        return UnfinishedError(
            f"{self._endings.describe_job(reason)}: {toll}",
            hint=hint if reason == TIME_OVER else None,
        )

    def _halted(self, fed: Future[None], collecting: Collecting) -> BatchRunError:
        """The run stops early: what has ended comes home, and what never ran is told."""
        self._await_feeding(fed)
        _is_fed(fed)
        # Of what is still on its way home the journal does not know that it has ended.
        self._await_home()
        for numbers in self._halting.never_ended():
            collecting.tell(partial(self._tell_halted, numbers))
        self._await_home()
        self.home.check()
        if self.home.errors:
            return self.home.errors[0]
        return self._halting.error(left=self._never_ran, killed=self._endings.count)

    @property
    def _never_ran(self) -> int:
        """How many tasks have not, now that none will any more: also those that were blocked."""
        return len(self._plan.tasks) - self.ended + self._blocked

    def _tell_halted(self, numbers: tuple[int, ...]) -> int:
        self._halting.tell(numbers)
        return 0

    def _judge_standstill(self) -> None:
        """Raises where a task has disabled the job: nothing more will run until somebody acts."""
        actor = self._verdicts.actor(JobAction.DISABLE)
        if actor is None or self._watch.job_state is not JobState.DISABLED:
            return
        total = len(self._plan.tasks)
        word = "succeeded" if actor.succeeded else "failed"
        hint = f"once its cause is gone, `batch-run resume {self._plan.run_id}` goes on"
        raise JobDisabledError(
            f"{actor.name} {word} and disabled the job, as the spec asks:"
            f" {total - self.ended} of {total} tasks have not ended",
            hint=hint,
        )


def _is_fed(fed: Future[None]) -> bool:
    """Whether all tasks were added; not where the job ended first, by the end of one of them.

    Raises whatever else kept the feeding from its end.
    """
    error = fed.exception()
    if error is None:
        return True
    if isinstance(error, ServiceRefusedError) and error.code in _JOB_OVER:
        return False
    raise error


def _costs_results(error: Exception) -> bool:
    """Whether the job goes after an error, and with it what waits for its way home."""
    if isinstance(error, InterruptedRunError | TakenOverError):
        return False
    return not (isinstance(error, BatchRunError) and error.is_resumable)
