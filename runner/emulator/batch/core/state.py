"""All that the core knows at a moment, and what it has to tell: records, runs, agenda, actions.

It must not know the transitions that change it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from runner.emulator.batch.autoscale.samples import History
from runner.emulator.batch.core.actions import Action, Kill
from runner.emulator.batch.core.agenda import Agenda
from runner.emulator.batch.core.ids import (
    JobId,
    Key,
    NodeId,
    PoolId,
    RunId,
    ScheduleId,
    TaskId,
    key_of,
)
from runner.emulator.batch.core.limits import Limits, Pace
from runner.emulator.batch.core.nodelog import NodeLogs
from runner.emulator.batch.core.store import Store
from runner.emulator.batch.core.usage import UsageLedger
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Names:
    """Where new names come from: 64 hexadecimal digits for a node, a GUID for an auto-pool.

    `random` gives the numbers from 0 to 1 that formulas may ask for.
    """

    node: Callable[[], str]
    guid: Callable[[], str]
    random: Callable[[], float]


@record(frozen=True, slots=True, kw_only=True)
class Run:
    """An execution that is not over: of a task; where `task` is None, of the job's own
    preparation or release; where `job` is None too, of a start task.
    """

    pool: PoolId
    node: NodeId
    job: JobId | None
    task: TaskId | None
    subtask: int = 0
    """Which instance of a multi-instance task; 0 is its primary."""


class State:
    """Changed by the transitions of this package, from one thread."""

    def __init__(self, *, store: Store, limits: Limits, pace: Pace, names: Names) -> None:
        self.store = store
        self.limits = limits
        self.pace = pace
        self.names = names
        self.agenda = Agenda()
        self.machine: Mapping[str, float] = {}
        """The metrics of the machine that nodes are on, by the names that formulas have."""
        self.histories: dict[Key, History] = {}
        """The samples of pools."""
        self.logs = NodeLogs()
        self.usage = UsageLedger()
        self.runs: dict[RunId, Run] = {}
        self.waiting_runs: set[RunId] = set()
        """Executions that hold their slots until their node is prepared; nothing runs yet."""
        self.actions: list[Action] = []
        self.ended_tasks: list[tuple[JobId, TaskId]] = []
        self.touched_jobs: dict[JobId, None] = {}
        self.touched_schedules: dict[ScheduleId, None] = {}
        self.touched_pools: dict[PoolId, None] = {}
        self.offered_pools: dict[PoolId, None] = {}
        self._runs_of_job: defaultdict[Key, set[RunId]] = defaultdict(set)
        self._killed: defaultdict[tuple[Key, Key], set[RunId]] = defaultdict(set)
        self._runs_made = 0
        self._last_stamp: datetime | None = None

    def stamp(self, now: datetime) -> datetime:
        """The moment of a change: never the same twice, since an ETag is made from it."""
        if self._last_stamp is not None and now <= self._last_stamp:
            now = self._last_stamp + timedelta(microseconds=1)
        self._last_stamp = now
        return now

    def resume_stamps(self, last: datetime | None) -> None:
        """Has the next stamp be later than one that was given before this process."""
        self._last_stamp = last

    def open_run(self, run: Run) -> RunId:
        """Registers an execution."""
        self._runs_made += 1
        identifier = RunId(self._runs_made)
        self.runs[identifier] = run
        if run.job is not None:
            self._runs_of_job[key_of(run.job)].add(identifier)
        return identifier

    def close_run(self, identifier: RunId) -> Run | None:
        """Takes an execution out; None where it is not known."""
        run = self.runs.pop(identifier, None)
        self.waiting_runs.discard(identifier)
        if run is not None and run.job is not None and run.task is not None:
            self._note_gone(identifier, run.job, run.task)
        if run is not None and run.job is not None:
            key = key_of(run.job)
            self._runs_of_job[key].discard(identifier)
            if not self._runs_of_job[key]:
                del self._runs_of_job[key]
        return run

    def kill(self, identifier: RunId) -> None:
        """Has the processes of a task be killed; the task is not run again before they are gone.

        They are in the directory that the next run would have, where that is on the same node.
        """
        self.actions.append(Kill(run=identifier))
        run = self.runs[identifier]
        if run.job is not None and run.task is not None:
            self._killed[key_of(run.job), key_of(run.task)].add(identifier)
            self.store.tasks(run.job).hold(key_of(run.task))

    def _note_gone(self, identifier: RunId, job: JobId, task: TaskId) -> None:
        names = key_of(job), key_of(task)
        if names in self._killed:
            self._killed[names].discard(identifier)
            if not self._killed[names]:
                del self._killed[names]
                self.store.tasks(job).let_go(key_of(task))

    def has_runs(self, job: JobId) -> bool:
        """Whether processes of the job's tasks are still there."""
        return key_of(job) in self._runs_of_job

    def runs_of(self, job: JobId) -> tuple[RunId, ...]:
        """The executions of the job that are not over, in the order of their start."""
        return tuple(sorted(self._runs_of_job.get(key_of(job), ())))

    def touch_job(self, job: JobId) -> None:
        """Has the job looked at before the current call ends."""
        self.touched_jobs[job] = None

    def touch_schedule(self, schedule: ScheduleId) -> None:
        """Has the schedule looked at before the current call ends."""
        self.touched_schedules[schedule] = None

    def touch_pool(self, pool: PoolId) -> None:
        """Has the pool looked at before the current call ends."""
        self.touched_pools[pool] = None

    def offer_work(self, pool: PoolId) -> None:
        """Has the pool's nodes given work before the current call ends."""
        self.offered_pools[pool] = None
