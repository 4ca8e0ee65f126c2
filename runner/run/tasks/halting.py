"""Stops a run early once its tally says so: what waits never runs, and what runs comes home.

It must not know what the reasons are, nor how the ends of tasks are seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import assert_never

from runner.errors import BatchRunError, ExitCode
from runner.plan.model import Plan
from runner.plan.prices.bounds import most_nodes
from runner.run.clock import Clock
from runner.run.events import HALTED
from runner.run.feed import Feeder
from runner.run.records.journal import Journal
from runner.run.services import Batch, JobState
from runner.run.spending.budget import Budget
from runner.run.tasks.halt import Tally
from runner.run.tasks.unrun import never_ran
from runner.run.watch import Watch
from runner.spec.model.halt import HaltWhen

_TOLD_TOGETHER = 100
_SHORTEST_SECONDS = 0.05
# Where nobody can tell how many nodes there will be, new ones are not to cost much unseen.
_NODES_SECONDS = 60.0


class HaltedError(BatchRunError):
    """Too much has failed for the rest to be worth a try, as the spec or common sense has it."""

    exit_code = ExitCode.TASKS_FAILED


class Halting:
    """The early end of one job; used by one thread but for `tell`."""

    def __init__(
        self,
        plan: Plan,
        job_id: str,
        *,
        tally: Tally,
        batch: Batch,
        feeder: Feeder,
        watch: Watch,
        journal: Journal,
        clock: Clock,
        budget: Budget | None = None,
    ) -> None:
        """`budget` is what the run may spend, where that has a bound."""
        self._clock = clock
        self._budget = budget
        self._plan = plan
        self._job_id = job_id
        self._tally = tally
        self._batch = batch
        self._feeder = feeder
        self._watch = watch
        self._journal = journal
        self._has_looked = False
        self._is_sure = False
        """Whether the nodes were looked at since they seemed to have cost too much."""
        self._has_most_nodes = most_nodes(plan.workload.pool) is not None
        self._next_look = clock.monotonic()
        self._stopped: HaltWhen | None = None
        """How the job was stopped, None where it was not."""

    @property
    def acts(self) -> bool:
        """Whether the run is being stopped: nothing is fed, started or run again any more."""
        return self._stopped is not None

    @property
    def reason(self) -> str | None:
        """Why the run is being stopped, None where it is not."""
        return self._tally.reason if self.acts else None

    @property
    def is_wanted(self) -> bool:
        """Whether there is a reason to stop, acted on or not."""
        return self._tally.reason is not None

    def act(self) -> bool:
        """Stops the job as soon as there is a reason; whether it is being stopped."""
        # Tasks that a run waits for before it stops cost as much as any others.
        if self._budget is not None and not self._tally.is_urgent:
            self._heed(self._budget)
        when = HaltWhen.NOW if self._tally.is_urgent else self._plan.workload.halt.when
        if self.is_wanted and self._stopped is not when:
            self._stopped = when
            self._feeder.stop()
            self._stop_job(when)
        if self.acts:
            self._watch.look_at_job()
        return self.acts

    def shorten(self, seconds: float) -> float:
        """A pause that does not go beyond the time for which the budget lasts."""
        if self._budget is None or self._tally.is_urgent:
            return seconds
        return min(seconds, max(self._budget.seconds_left(self._clock.now()), _SHORTEST_SECONDS))

    def is_still(self, *, found: bool) -> bool:
        """Whether nothing runs any more, and the last look `found` no task that had ended."""
        if not self.acts or self._watch.job_state is not JobState.DISABLED:
            return False
        if not self._has_looked:
            # Some ends may have reached the list late: all of it is read once more.
            self._has_looked = True
            self._watch.look_at_all()
            return False
        return not found

    def error(self, *, left: int, killed: int) -> HaltedError:
        """What the run ends with."""
        return halted(self._tally, left=left, killed=killed)

    def never_ended(self) -> Iterator[tuple[int, ...]]:
        """Groups of tasks, by number, that were added and will never run."""
        group: list[int] = []
        for number in self._tally.never_ended():
            group.append(number)
            if len(group) == _TOLD_TOGETHER:
                yield tuple(group)
                group = []
        if group:
            yield tuple(group)

    def tell(self, numbers: tuple[int, ...]) -> None:
        """Records the ends of tasks that never ran."""
        message = f"the run stopped early: {self._tally.reason}"
        tasks = (self._plan.tasks[number - 1] for number in numbers)
        self._journal.record(*(never_ran(each, cause=HALTED, message=message) for each in tasks))

    def _heed(self, budget: Budget) -> None:
        """Stops by what the nodes are now: since the last look some may have gone."""
        reason, now = budget.reason(self._clock.now()), self._clock.monotonic()
        if reason is not None and self._is_sure:
            self._tally.stop(reason)
            return
        self._is_sure = reason is not None
        if self._is_sure or (not self._has_most_nodes and now >= self._next_look):
            self._next_look = now + _NODES_SECONDS
            self._watch.look_at_job()

    def _stop_job(self, when: HaltWhen) -> None:
        match when:
            case HaltWhen.SOON:
                self._batch.disable_job(self._job_id)
            case HaltWhen.NOW:
                # With the job go its nodes, and what start tasks have printed there.
                self._watch.look_at_start_tasks()
                self._batch.terminate_job(self._job_id)
            case _:
                assert_never(when)


def halted(tally: Tally, *, left: int, killed: int = 0) -> HaltedError:
    """What such a run ends with: `left` tasks never ran, and `killed` ones ended with the job."""
    total = tally.total
    toll = f"{killed} of {total} tasks ended with it" if killed else ""
    if left:
        toll = f"{toll}, {left} never ran" if toll else f"{left} of {total} tasks never ran"
    hint = "run it again once the cause is gone: what has succeeded is not run again"
    if tally.is_urgent:
        hint = "with a higher limit, run it again: what has succeeded is not run again"
    if tally.alike_is_default:
        hint += "; with `halt: {same_failure: false}` in the spec such a run goes on"
    return HaltedError(f"{tally.reason}; stopped early: {toll}", hint=hint)
