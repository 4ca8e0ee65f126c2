"""Tasks that ended because their job did: told from others that were ended, and why.

It must not know how ends are seen, nor what is collected of a task.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runner.plan.model import Plan
from runner.run.events import JOB_ENDED
from runner.run.services import JobState, JobStatus, TaskFailure, TaskStatus
from runner.run.tasks.exits import is_ended_by_request
from runner.run.tasks.verdicts import Verdicts
from runner.run.tasks.window import step_of
from runner.spec.duration import write_duration
from runner.spec.model.step import JobAction

# REST: JobExecutionInformation, `terminateReason`.
TASK_FAILED = "TaskFailed"
TIME_OVER = "MaxWallClockTimeExpiry"
_OVER = frozenset({JobState.COMPLETED, JobState.DELETING, JobState.GONE})


class Endings:
    """Holds each task that was ended until the job says whether that was its own end."""

    def __init__(self, plan: Plan, verdicts: Verdicts, *, ask: Callable[[], JobStatus]) -> None:
        """`ask` looks at the job."""
        self._plan = plan
        self._verdicts = verdicts
        self._ask = ask
        self._held: list[TaskStatus] = []
        self.reason: str | None = None
        """Why the job ended, in the service's word, once it has ended tasks."""
        self.count = 0
        """Of the tasks that ended with the job."""
        self.halted: str | None = None
        """Why we are the ones who end the job early, where we do."""

    def hold(self, status: TaskStatus) -> bool:
        """Keeps a task that somebody ended; false for one that ended by itself."""
        if status.succeeded:
            return False
        step = step_of(self._plan, int(status.id))
        if not is_ended_by_request(step.timeout, status):
            return False
        self._held.append(status)
        return True

    @property
    def is_job_over(self) -> bool:
        """Whether the job has ended tasks, or may have."""
        return self.reason is not None or bool(self._held)

    def release(self) -> tuple[TaskStatus, ...]:
        """Those of which it is known by now; what ended with the job says so."""
        if not self._held:
            return ()
        if self.reason is None:
            job = self._ask()
            if job.state is JobState.TERMINATING and job.terminate_reason is None:
                return ()
            if job.state is JobState.TERMINATING or job.state in _OVER:
                self.reason = job.terminate_reason or "the job was deleted"
        held, self._held = self._held, []
        return tuple(map(self._explain, held))

    def release_all(self, reason: str) -> tuple[TaskStatus, ...]:
        """Those that are left when the job has ended, for this reason."""
        self.reason = reason
        return self.release()

    def describe_job(self, reason: str) -> str:
        """What ended the job."""
        if self.halted is not None:
            return f"the run stopped early: {self.halted}"
        if reason == TIME_OVER:
            limits = self._plan.workload.limits
            limit = write_duration(limits.duration)
            if limits.is_cost_bound:
                return f"the job reached the time that `limits.cost` leaves all its nodes ({limit})"
            return f"the job reached `limits.duration` ({limit})"
        actor = self._verdicts.actor(JobAction.TERMINATE)
        if reason == TASK_FAILED and actor is not None:
            word = "succeeded" if actor.succeeded else "failed"
            return f"{actor.name} {word} and ended the job, as the spec asks"
        return f"the job ended ({reason})"

    def _explain(self, status: TaskStatus) -> TaskStatus:
        actor = self._verdicts.actor(JobAction.TERMINATE)
        is_actor = self.reason == TASK_FAILED and actor is not None and actor.id == status.id
        if self.reason is None or is_actor or status.failure is None:
            return status
        self.count += 1
        failure = TaskFailure(
            code=JOB_ENDED,
            category=status.failure.category,
            message=self.describe_job(self.reason),
        )
        return replace(status, failure=failure)
