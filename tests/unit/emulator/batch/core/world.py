"""The core on its own: a clock that only tests move, and what the core asks of the world.

It must not know any rule of the service.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from runner.emulator.batch.core.actions import (
    Action,
    Kill,
    RunPreparation,
    RunRelease,
    RunStartTask,
    RunSubtask,
    RunTask,
)
from runner.emulator.batch.core.engine import advance
from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, RunId, TaskId
from runner.emulator.batch.core.job import (
    AutoPool,
    Job,
    JobDraft,
    JobRules,
    OnAllTasksComplete,
    OnTaskFailure,
)
from runner.emulator.batch.core.jobs import create_job
from runner.emulator.batch.core.limits import Limits, Pace
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.nodes import end_start_task
from runner.emulator.batch.core.pool import NodeFill, Pool, PoolDraft, StartTaskRule
from runner.emulator.batch.core.pools import create_pool
from runner.emulator.batch.core.preparation import end_preparation
from runner.emulator.batch.core.releases import end_release
from runner.emulator.batch.core.runs import end_run
from runner.emulator.batch.core.state import Names, State
from runner.emulator.batch.core.store import Store
from runner.emulator.batch.core.task import Dependencies, ExitRules, Task, TaskDraft
from runner.emulator.batch.core.tasks import add_task
from runner.emulator.batch.node.launch import Failure, FailureCategory, FailurePhase, Outcome

RULES = JobRules(
    priority=0,
    max_parallel_tasks=-1,
    max_wall_clock_time=None,
    max_retry_count=0,
    on_all_complete=OnAllTasksComplete.NO_ACTION,
    on_task_failure=OnTaskFailure.NO_ACTION,
    uses_dependencies=True,
)
LOST_BLOB = Failure(
    phase=FailurePhase.PRE_PROCESSING,
    category=FailureCategory.USER_ERROR,
    code="BlobNotFound",
    message="One of the specified Azure Blob(s) is not found",
)


class World:
    """Plays the part of the runtime: remembers which runs were asked for and ends them."""

    def __init__(self, *, limits: Limits | None = None) -> None:
        numbers = itertools.count()
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
        self.state = State(
            store=Store(),
            limits=limits or Limits(),
            pace=Pace(),
            names=Names(
                node=lambda: f"{next(numbers):064x}", guid=lambda: "ab-cd", random=lambda: 0.5
            ),
        )
        self.actions: list[Action] = []
        self.tasks_started: dict[str, RunId] = {}
        self.subtasks_started: dict[tuple[str, int], RunId] = {}
        self.start_tasks: list[RunId] = []
        self.preparations: dict[NodeId, RunId] = {}
        self.releases: dict[NodeId, RunId] = {}

    def settle(self) -> None:
        """Lets the core react at this moment."""
        for action in advance(self.state, self.now):
            self.actions.append(action)
            if isinstance(action, RunTask):
                self.tasks_started[action.task] = action.run
            elif isinstance(action, RunSubtask):
                self.subtasks_started[action.task, action.subtask] = action.run
            elif isinstance(action, RunStartTask):
                self.start_tasks.append(action.run)
            elif isinstance(action, RunPreparation):
                self.preparations[action.node] = action.run
            elif isinstance(action, RunRelease):
                self.releases[action.node] = action.run

    def wait(self, length: timedelta = timedelta(seconds=1)) -> None:
        """Moves the clock from one due moment to the next until the length is over."""
        self.settle()
        end = self.now + length
        while (moment := self.state.agenda.next_moment()) is not None and moment <= end:
            self.now = max(self.now, moment)
            self.settle()
        self.now = end
        self.settle()

    def pool(
        self,
        name: str = "pool",
        *,
        dedicated: int = 1,
        spot: int = 0,
        slots: int = 1,
        fill: NodeFill = NodeFill.SPREAD,
        inter_node: bool = False,
        start_task: StartTaskRule | None = None,
    ) -> PoolId:
        """A pool whose nodes are ready."""
        draft = self.draft(dedicated=dedicated, spot=spot, slots=slots)
        draft = replace(draft, fill=fill, start_task=start_task, inter_node=inter_node)
        create_pool(self.state, self.now, PoolId(name), draft)
        self.wait()
        return PoolId(name)

    def draft(self, *, dedicated: int = 1, spot: int = 0, slots: int = 1) -> PoolDraft:
        """A pool that is asked for."""
        return PoolDraft(
            document={},
            target_dedicated=dedicated,
            target_spot=spot,
            slots_per_node=slots,
            fill=NodeFill.SPREAD,
            start_task=None,
        )

    def job(
        self, name: str = "job", *, where: PoolId | AutoPool | None = None, rules: JobRules = RULES
    ) -> JobId:
        """A job, on the pool `pool` where nothing else is said."""
        draft = JobDraft(document={}, rules=rules, where=PoolId("pool") if where is None else where)
        create_job(self.state, self.now, JobId(name), draft)
        self.settle()
        return JobId(name)

    def add(
        self,
        *names: str,
        job: str = "job",
        slots: int = 1,
        retries: int | None = None,
        exits: ExitRules | None = None,
        depends_on: Dependencies | None = None,
        retention: timedelta | None = None,
        instances: int = 0,
        affinity: NodeId | None = None,
    ) -> None:
        """Adds tasks and lets the core react."""
        for name in names:
            draft = TaskDraft(
                id=TaskId(name),
                document={},
                slots=slots,
                max_retry_count=retries,
                exits=exits,
                declares_job_action=False,
                depends_on=depends_on,
                retention=retention,
                instances=instances,
                affinity=affinity,
            )
            add_task(self.state, self.now, JobId(job), draft)
        self.settle()

    def end(self, name: str, exit_code: int | None = 0, failure: Failure | None = None) -> None:
        """Has the run of a task end by itself, a second after its start."""
        started, self.now = self.now, self.now + timedelta(seconds=1)
        outcome = Outcome(started=started, ended=self.now, exit_code=exit_code, failure=failure)
        end_run(self.state, self.now, self.tasks_started.pop(name), outcome)
        self.settle()

    def end_subtask(self, name: str, number: int, exit_code: int = 0) -> None:
        """Has a subtask end by itself, at this moment."""
        outcome = Outcome(started=self.now, ended=self.now, exit_code=exit_code, failure=None)
        end_run(self.state, self.now, self.subtasks_started.pop((name, number)), outcome)
        self.settle()

    def end_start_task(self, exit_code: int) -> None:
        """Has the oldest start task that runs end."""
        outcome = Outcome(started=self.now, ended=self.now, exit_code=exit_code, failure=None)
        end_start_task(self.state, self.now, self.start_tasks.pop(0), outcome)
        self.settle()

    def end_preparation(self, node: NodeId, exit_code: int = 0) -> None:
        """Has the preparation that runs on a node end."""
        outcome = Outcome(started=self.now, ended=self.now, exit_code=exit_code, failure=None)
        end_preparation(self.state, self.now, self.preparations.pop(node), outcome)
        self.settle()

    def end_release(self, node: NodeId, exit_code: int = 0) -> None:
        """Has the release that runs on a node end."""
        outcome = Outcome(started=self.now, ended=self.now, exit_code=exit_code, failure=None)
        end_release(self.state, self.now, self.releases.pop(node), outcome)
        self.settle()

    def obey_kills(self) -> None:
        """Has all runs that the core wanted killed end."""
        kills = [action for action in self.actions if isinstance(action, Kill)]
        self.actions = [action for action in self.actions if not isinstance(action, Kill)]
        for kill in kills:
            end: Callable[[State, datetime, RunId, Outcome | None], None] = end_run
            for runs, ending in (
                (self.preparations, end_preparation),
                (self.releases, end_release),
            ):
                for node, run in tuple(runs.items()):
                    if run == kill.run:
                        del runs[node]
                        end = ending
            end(self.state, self.now, kill.run, None)
        self.settle()

    @property
    def running(self) -> set[str]:
        """The tasks that were started and have not ended by themselves."""
        return set(self.tasks_started)

    def task(self, name: str, job: str = "job") -> Task:
        """The record of a task."""
        return self.state.store.task(JobId(job), TaskId(name))

    def job_now(self, name: str = "job") -> Job:
        """The record of a job."""
        return self.state.store.job(JobId(name))

    def pool_now(self, name: str = "pool") -> Pool:
        """The record of a pool."""
        return self.state.store.pool(PoolId(name))

    def nodes(self, name: str = "pool") -> list[Node]:
        """The nodes of a pool, in the order of their making."""
        return sorted(self.state.store.nodes(PoolId(name)), key=lambda node: node.number)
