"""Carries out what the core asks for without processes or files: executions only take their time.

It must not know any rule of the service, nor HTTP; what an execution does is for the model to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from runner.emulator.batch.core.actions import (
    Action,
    Kill,
    RunPreparation,
    RunRelease,
    RunStartTask,
    RunSubtask,
    RunTask,
)
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.durations import limit_of
from runner.emulator.batch.core.engine import advance
from runner.emulator.batch.core.ids import JobId, PoolId, RunId, key_of
from runner.emulator.batch.core.nodes import end_start_task
from runner.emulator.batch.core.preparation import end_preparation
from runner.emulator.batch.core.recovery import latest_moment, recover
from runner.emulator.batch.core.releases import end_release
from runner.emulator.batch.core.runs import end_run
from runner.emulator.batch.core.state import State
from runner.emulator.batch.disturbance import Disturbance, earliest
from runner.emulator.batch.modelling.given import Modelling
from runner.emulator.batch.modelling.passage import Wake
from runner.emulator.batch.modelling.rules import VARIABLE, Course, ModelError
from runner.emulator.batch.node.execution import KILLED_EXIT_CODE
from runner.emulator.batch.node.failures import ran_out_of_time
from runner.emulator.batch.node.launch import Failure, FailureCategory, FailurePhase, Outcome
from runner.emulator.storage.record import record

Report = Callable[[State, datetime, RunId, Outcome | None], None]

# For so long after anything last happened, tasks that wait in a pool that scales itself hurry time.
_PATIENCE = timedelta(days=1)


@record(frozen=True, slots=True, kw_only=True)
class _Running:
    """An execution: what is to be told of its end, and what waits for that."""

    report: Report
    wake: Wake


class ModelledRuntime:
    """Keeps the core's time: call `settle` after each of its transitions."""

    def __init__(
        self,
        *,
        state: State,
        modelling: Modelling,
        disturbance: Disturbance,
        account: str,
    ) -> None:
        self._state = state
        self._model = modelling.model
        self._passage = passage = modelling.passage
        self._disturbance = disturbance
        self._account = account
        self._running: dict[RunId, _Running] = {}
        self._killed: list[tuple[RunId, Report]] = []
        self._wake: Wake | None = None
        self._busy: datetime = passage.now()
        self._closed = False

    def resume(self) -> None:
        """Goes on where an earlier emulator ended, whose records have been read."""
        reached = latest_moment(self._state)
        if reached is not None:
            self._passage.resume(reached)
        self._busy = self._passage.now()
        recover(self._state, self._busy)
        self.settle()

    def settle(self) -> None:
        """Lets the core catch up with the time, starts what it asks for, and sets the timer."""
        if self._closed:
            return
        while True:
            now = self._passage.now()
            actions = advance(self._state, now)
            self._disturbance.disturb(self._state, now)
            actions += advance(self._state, now)
            for action in actions:
                self._perform(action, now)
            killed, self._killed = self._killed, []
            for run, report in killed:
                report(self._state, now, run, None)
            if not killed:
                break
        self._set_timer()

    async def close(self) -> None:
        """Forgets what runs."""
        self._closed = True
        if self._wake is not None:
            self._passage.cancel(self._wake)
        for running in self._running.values():
            self._passage.cancel(running.wake)
        self._running.clear()

    def _set_timer(self) -> None:
        moment = earliest(self._state.agenda.next_moment(), self._disturbance.next_moment())
        pulls = not self._running and self._waits_for_scaling()
        wake = self._wake
        if wake is not None and not wake.cancelled:
            if (wake.moment, wake.pulls) == (moment, pulls):
                return
            self._passage.cancel(wake)
        self._wake = None
        if moment is not None:
            self._wake = self._passage.wake(moment, self.settle, pulls=pulls)

    def _waits_for_scaling(self) -> bool:
        """Whether tasks wait for nodes that a formula may bring, and lately anything happened."""
        if self._passage.now() - self._busy > _PATIENCE:
            return False
        store = self._state.store
        return any(
            pool.autoscale is not None
            and any(store.tasks(job.id).any_ready for job in store.active_jobs(pool.id))
            for pool in store.pools
        )

    def _perform(self, action: Action, now: datetime) -> None:
        match action:
            case RunTask():
                self._run_task(action, now)
            case RunSubtask():
                self._coordinate(action.run, now)
            case RunStartTask():
                self._run_start_task(action, now)
            case RunPreparation():
                document = self._job_document(action.job).get("jobPreparationTask", {})
                limit = limit_of(document["constraints"]["maxWallClockTime"])
                self._run_for_job(action, "preparation", document, limit, end_preparation, now)
            case RunRelease():
                document = self._job_document(action.job).get("jobReleaseTask", {})
                limit = limit_of(document["maxWallClockTime"])
                self._run_for_job(action, "release", document, limit, end_release, now)
            case Kill():
                self._kill(action.run)
            case _:
                # All else is done to files, of which there are none.
                pass

    def _run_task(self, action: RunTask, now: datetime) -> None:
        task = self._state.store.task(action.job, action.task)
        if task.instances and not task.coordinated:
            self._coordinate(action.run, now)
            return
        subject = self._subject("task", action.pool, action.job, action.task)
        attempt = task.retry_count + task.requeue_count
        limit = limit_of(task.document["constraints"]["maxWallClockTime"])
        self._start(action.run, subject, attempt, task.document, limit, end_run, now)

    def _coordinate(self, run: RunId, now: datetime) -> None:
        """Models speak of a multi-instance task's own command: that before it takes no time."""
        self._start(run, {}, 0, {}, None, end_run, now, own="0s")

    def _run_start_task(self, action: RunStartTask, now: datetime) -> None:
        pool = self._state.store.pool(action.pool)
        node = self._state.store.node(action.pool, action.node)
        attempt = 0 if node.start is None else node.start.retry_count
        exit_code = self._disturbance.start_task_exit_code(action.pool, action.node)
        subject = {**self._subject("start", action.pool, "", "startup"), "node": str(node.number)}
        document = pool.document.get("startTask", {})
        own = None if exit_code is None else f"0s exit={exit_code}"
        self._start(action.run, subject, attempt, document, None, end_start_task, now, own=own)

    def _run_for_job(
        self,
        action: RunPreparation | RunRelease,
        kind: str,
        document: Document,
        limit: timedelta | None,
        report: Report,
        now: datetime,
    ) -> None:
        node = self._state.store.nodes(action.pool).get(key_of(action.node))
        subject = {
            **self._subject(kind, action.pool, action.job, document["id"]),
            "node": "" if node is None else str(node.number),
        }
        self._start(action.run, subject, 0, document, limit, report, now)

    def _subject(self, kind: str, pool: PoolId, job: str, task: str) -> dict[str, str]:
        return {"account": self._account, "kind": kind, "pool": pool, "job": job, "task": task}

    def _job_document(self, job: JobId) -> Document:
        return self._state.store.job(job).document

    def _start(
        self,
        run: RunId,
        subject: Mapping[str, str],
        attempt: int,
        document: Document,
        limit: timedelta | None,
        report: Report,
        now: datetime,
        *,
        own: str | None = None,
    ) -> None:
        try:
            course = self._model.course(subject, attempt, own or _own_rule(document))
            outcome = _outcome(course, limit, now)
        except ModelError as error:
            outcome = _refused(error, now)
        self._busy = now
        end = partial(self._end, run, report, outcome)
        wake = self._passage.wake(outcome.ended, end, pulls=True)
        self._running[run] = _Running(report=report, wake=wake)

    def _end(self, run: RunId, report: Report, outcome: Outcome) -> None:
        del self._running[run]
        known = self._state.runs.get(run)
        if known is not None and known.task is not None and not known.subtask:
            self._disturbance.note_end_of_task(known.pool)
        self._busy = outcome.ended
        report(self._state, self._passage.now(), run, outcome)
        self.settle()

    def _kill(self, run: RunId) -> None:
        running = self._running.pop(run, None)
        if running is not None:
            self._passage.cancel(running.wake)
            self._killed.append((run, running.report))


def _own_rule(document: Document) -> str | None:
    for setting in document.get("environmentSettings", ()):
        if setting["name"] == VARIABLE:
            return str(setting.get("value", ""))
    return None


def _outcome(course: Course, limit: timedelta | None, now: datetime) -> Outcome:
    if limit is not None and course.duration > limit:
        return Outcome(
            started=now,
            ended=now + limit,
            exit_code=KILLED_EXIT_CODE,
            failure=ran_out_of_time(),
        )
    return Outcome(
        started=now, ended=now + course.duration, exit_code=course.exit_code, failure=None
    )


def _refused(error: ModelError, now: datetime) -> Outcome:
    failure = Failure(
        phase=FailurePhase.PRE_PROCESSING,
        category=FailureCategory.USER_ERROR,
        code="CommandLaunchFailed",
        message="Failed to launch the specified command line.",
        details=(("Message", str(error)),),
    )
    return Outcome(started=now, ended=now, exit_code=None, failure=failure)
