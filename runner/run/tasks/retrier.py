"""Runs failed tasks again when their wait is over, and ends those that lose their node too often.

It decides nothing (`retries` does), and must not know what becomes of a task that is not run again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heappop, heappush

from runner.plan.model import Plan, TaskId
from runner.run.services import Batch, TaskStatus
from runner.run.tasks.attempts import Attempts
from runner.run.tasks.ledger import Ledger
from runner.run.tasks.retries import cause_of, decide, ended_at, preempted_too_often
from runner.run.tasks.window import step_of
from runner.spec.model.step import Step

# How soon the answer to a request is looked for.
_ANSWER_SECONDS = 0.2


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    due: datetime
    id: TaskId
    status: TaskStatus = field(compare=False)


class Retrier:
    """The tasks of one job that wait to be run again; used by one thread."""

    def __init__(
        self,
        plan: Plan,
        job_id: str,
        *,
        batch: Batch,
        ledger: Ledger,
        attempts: Attempts,
        clock: Callable[[], datetime],
    ) -> None:
        self._plan = plan
        self._job_id = job_id
        self._batch = batch
        self._ledger = ledger
        self._attempts = attempts
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._asked: dict[Future[bool], TaskStatus] = {}
        self._ending: list[Future[bool]] = []

    def take(self, status: TaskStatus) -> TaskStatus | None:
        """A task that has ended: None where it is run again, else its end as it counts."""
        if status.succeeded:
            return self._attempts.counted(status)
        step = self._step(status.id)
        ledger = self._ledger
        lost = preempted_too_often(step, status, ledger.preemptions(status.id))
        if lost is not None and cause_of(step, status) is None:
            return self._attempts.counted(lost)
        again = decide(
            step,
            status,
            used=lambda cause: ledger.used(status.id, cause),
            last=ledger.last(status.id),
        )
        if again is None:
            return self._attempts.counted(status)
        if not again.is_told:
            # Written down first: whoever goes on after us must not count this attempt twice.
            ledger.record(
                status.id,
                cause=again.cause.value,
                exit_code=status.exit_code,
                message=None if status.failure is None else status.failure.message,
                node=status.node_id,
                started=status.started,
                at=ended_at(status),
                due=again.due,
            )
        self._attempts.reopen(status)
        heappush(self._waiting, _Waiting(again.due, status.id, status))
        return None

    def act(self, executor: Executor) -> tuple[TaskStatus, ...]:
        """Has what is due done, without waiting for it.

        Gives tasks that cannot be run again, since their job is over. Raises `ServiceError` where
        an earlier request came to nothing.
        """
        self._end_preempted(executor)
        now = self._clock()
        while self._waiting and self._waiting[0].due <= now:
            status = heappop(self._waiting).status
            future = executor.submit(self._batch.reactivate_task, self._job_id, status.id)
            self._asked[future] = status
        done = [future for future in self._asked if future.done()]
        refused = [(self._asked.pop(future), future.result()) for future in done]
        return tuple(self._not_again(status) for status, taken in refused if not taken)

    def release(self) -> tuple[TaskStatus, ...]:
        """The job is over: the tasks that still wait have ended as they are."""
        left = [each.status for each in sorted(self._waiting)]
        left += [status for future, status in self._asked.items() if not future.result()]
        self._waiting, self._asked = [], {}
        return tuple(map(self._not_again, left))

    def shorten(self, pause_seconds: float) -> float:
        """A pause that ends when something is due, or soon where an answer is awaited."""
        if self._asked or self._ending:
            return min(pause_seconds, _ANSWER_SECONDS)
        if not self._waiting:
            return pause_seconds
        left = (self._waiting[0].due - self._clock()).total_seconds()
        return min(pause_seconds, max(0.0, left))

    def _not_again(self, status: TaskStatus) -> TaskStatus:
        """One that was to be run again and is not: the attempt that the ledger awaits is none."""
        counted = self._attempts.counted(status)
        return replace(
            counted, attempts=counted.attempts - 1, retry_count=max(counted.retry_count - 1, 0)
        )

    def _end_preempted(self, executor: Executor) -> None:
        preempted, self._attempts.preempted = self._attempts.preempted, []
        for task in dict.fromkeys(preempted):
            most = self._step(task).retry_plan.preemption
            if most is not None and self._ledger.preemptions(task) > most:
                future = executor.submit(self._batch.terminate_task, self._job_id, task)
                self._ending.append(future)
        for future in [each for each in self._ending if each.done()]:
            self._ending.remove(future)
            future.result()

    def _step(self, task: TaskId) -> Step:
        return step_of(self._plan, int(task))
