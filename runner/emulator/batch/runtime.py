"""Carries out what the core asks for and tells it what became of that, on one asyncio loop.

It must not know any rule of the service, nor HTTP.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from runner.emulator.batch.chores import NodeChores
from runner.emulator.batch.core.actions import (
    Action,
    Kill,
    PrepareNode,
    RemoveJobFiles,
    RemoveNodeFiles,
    RemoveTaskFiles,
    RunPreparation,
    RunRelease,
    RunStartTask,
    RunSubtask,
    RunTask,
    UploadLogs,
)
from runner.emulator.batch.core.engine import advance
from runner.emulator.batch.core.folders import job_folder, task_folder
from runner.emulator.batch.core.ids import RunId
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.mishaps import make_unusable
from runner.emulator.batch.core.node import Node, NodeError
from runner.emulator.batch.core.nodes import end_start_task
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.preparation import end_preparation
from runner.emulator.batch.core.recovery import recover
from runner.emulator.batch.core.refusal import RefusedError
from runner.emulator.batch.core.releases import end_release
from runner.emulator.batch.core.runs import end_run
from runner.emulator.batch.core.state import State
from runner.emulator.batch.disturbance import Disturbance, earliest
from runner.emulator.batch.launching.bases import Bases
from runner.emulator.batch.launching.launches import (
    launch_coordination,
    launch_preparation,
    launch_release,
    launch_start_task,
    launch_task,
)
from runner.emulator.batch.launching.place import Place
from runner.emulator.batch.node.connections import TransferPolicy
from runner.emulator.batch.node.containers import ContainerFailure, Containers
from runner.emulator.batch.node.gauge import Gauge
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Isolation
from runner.emulator.batch.node.launch import (
    Executor,
    Launch,
    Outcome,
)
from runner.emulator.batch.node.logupload import send_texts
from runner.emulator.batch.removals import Removal, Removals
from runner.emulator.batch.unrun import (
    end_with_fault,
    fail_download,
    fail_on_purpose,
    fail_upload,
    refuse_admin,
    skip,
)
from runner.emulator.faults.rules import Transfer
from runner.emulator.never import unforeseen
from runner.emulator.storage.journal import Journal

logger = logging.getLogger(__name__)

JobLaunch = Callable[[Bases, Job, Pool, Node], Launch]
Report = Callable[[State, datetime, RunId, Outcome | None], None]


class Runtime:
    """Keeps the core's time: call `settle` after each of its transitions."""

    def __init__(
        self,
        *,
        state: State,
        executor: Executor,
        isolation: Isolation,
        containers: Containers,
        place: Place,
        clock: Callable[[], datetime],
        run_admin: bool,
        disturbance: Disturbance,
        gauge: Gauge,
        policy: TransferPolicy,
        journal: Journal | None = None,
    ) -> None:
        """With a journal, nothing that is asked for is done before that is on disk."""
        self._state = state
        self._executor = executor
        self._place = place
        self._bases = Bases(place)
        self._clock = clock
        self._run_admin = run_admin
        self._disturbance = disturbance
        self._gauge = gauge
        self._policy = policy
        self._timer: asyncio.TimerHandle | None = None
        self._due: datetime | None = None
        """When the timer goes off."""
        self._runs: dict[RunId, asyncio.Task[Outcome]] = {}
        self._ended: list[tuple[RunId, Report, asyncio.Task[Outcome]]] = []
        """Executions that are over and have not been reported yet."""
        self._uploads: set[asyncio.Task[None]] = set()
        self._log_stop = Interruption()
        self._closed = False
        self._journal = journal
        self._announcements = Removals(place.nodes, journal)
        self._chores = NodeChores(
            state=state,
            place=place,
            isolation=isolation,
            containers=containers,
            removals=self._announcements,
            stop=self._log_stop,
            give_up=self._give_up_node,
        )

    def resume(self) -> None:
        """Goes on where an earlier emulator ended, whose records have been read."""
        self._announcements.resume()
        recover(self._state, self._clock())
        self.settle()

    def settle(self, *, by_itself: bool = False) -> None:
        """Lets the core catch up with the clock, starts what it asks for, and sets the timer.

        `by_itself` is what follows from time or an exit, and from no request.
        """
        if self._closed:
            return
        self._state.machine = self._gauge.read(self._clock())
        actions = self._advance()
        removals = [removal for action in actions if (removal := _removal(action)) is not None]
        for removal in removals:
            self._announcements.announce(removal)
        journal = self._journal
        # What follows from time or an exit alone need not wait: to run something twice is no harm,
        # to remove what may still be wanted would be. Of a request that is lost nothing is done.
        patient = journal is None or (by_itself and not journal.waiting and not removals)
        if journal is None or patient:
            self._perform_all(actions)
        elif actions or (journal.changed and not journal.waiting):
            # Also without actions: until then, those of what happens by itself may be due to it.
            journal.after_commit(partial(self._perform_all, actions))
        self._set_timer()

    def _settle_in_time(self) -> None:
        self._due = None
        self.settle(by_itself=True)

    def _advance(self) -> tuple[Action, ...]:
        now = self._clock()
        actions = advance(self._state, now)
        self._disturbance.disturb(self._state, now)
        return actions if self._disturbance.idle else actions + advance(self._state, now)

    async def close(self) -> None:
        """Kills what runs, and waits until it and what is being removed are gone."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        runs = tuple(self._runs.values())
        for run in runs:
            run.cancel()
        self._log_stop.fire()
        waited = (*runs, *self._chores.pending(), *self._uploads)
        await asyncio.gather(*waited, return_exceptions=True)
        self._report_ends()
        await self._executor.close()

    def _set_timer(self) -> None:
        moment = earliest(self._state.agenda.next_moment(), self._disturbance.next_moment())
        if moment is not None and moment == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = moment
        if moment is not None:
            seconds = max(0.0, (moment - self._clock()).total_seconds())
            self._timer = asyncio.get_running_loop().call_later(seconds, self._settle_in_time)

    def _perform_all(self, actions: tuple[Action, ...]) -> None:
        if not self._closed:
            for action in actions:
                self._perform(action)

    def _perform(self, action: Action) -> None:
        match action:
            case PrepareNode():
                self._chores.begin(action)
            case RunTask():
                self._start(action.run, self._run_task(action), end_run)
            case RunSubtask():
                self._start(action.run, self._run_subtask(action), end_run)
            case RunStartTask():
                self._start(action.run, self._run_start_task(action), end_start_task)
            case RunPreparation():
                self._start(
                    action.run, self._run_for_job(action, launch_preparation), end_preparation
                )
            case RunRelease():
                self._start(action.run, self._run_for_job(action, launch_release), end_release)
            case Kill():
                self._kill(action.run)
            case RemoveNodeFiles() | RemoveTaskFiles() | RemoveJobFiles():
                removal = _removal(action)
                assert removal is not None
                self._chores.remove(removal)
            case UploadLogs():
                self._upload_logs(action)
            case _:
                raise unforeseen(action)

    def _give_up_node(self, action: PrepareNode, image: str, reason: str) -> None:
        if self._closed:
            return
        named = (("Image", image),) if image else ()
        details = (*named, ("Message", reason))
        error = NodeError(
            code=ContainerFailure.IMAGE.value,
            message="An image of a container could not be downloaded to the node",
            details=details,
        )
        # The node may have left its pool meanwhile.
        with suppress(RefusedError):
            make_unusable(self._state, self._clock(), action.pool, action.node, errors=(error,))
        self.settle(by_itself=True)

    def _start(self, run: RunId, execution: Coroutine[Any, Any, Outcome], report: Report) -> None:
        running = asyncio.create_task(execution)
        self._runs[run] = running
        # A callback and not a coroutine around: one that is cancelled before it starts would not
        # get to report.
        running.add_done_callback(partial(self._end, run, report))

    def _kill(self, run: RunId) -> None:
        running = self._runs.get(run)
        if running is not None:
            running.cancel()

    def _end(self, run: RunId, report: Report, execution: asyncio.Task[Outcome]) -> None:
        """Has an end reported with all others of this turn of the loop.

        What follows from them is looked for once; and no transaction comes in between, which would
        hold an end without what follows.
        """
        if not self._ended:
            asyncio.get_running_loop().call_soon(self._report_ends)
        self._ended.append((run, report, execution))

    def _report_ends(self) -> None:
        ended, self._ended = self._ended, []
        for run, report, execution in ended:
            try:
                self._report(run, report, execution)
            except Exception:
                logger.exception("the end of run %s could not be noted", run)
        if ended:
            self.settle(by_itself=True)

    def _report(self, run: RunId, report: Report, execution: asyncio.Task[Outcome]) -> None:
        del self._runs[run]
        outcome: Outcome | None
        if execution.cancelled():
            outcome = None
        elif (error := execution.exception()) is not None:
            logger.error("a task could not be run", exc_info=error)
            outcome = end_with_fault(error, self._clock())
        else:
            outcome = execution.result()
        if self._closed and outcome is None:
            # Nobody asked for its end: it counts as lost with its node, at the next start.
            return
        known = self._state.runs.get(run)
        counts = known is not None and known.task is not None and not known.subtask
        if known is not None and counts and outcome is not None:
            self._disturbance.note_end_of_task(known.pool)
        report(self._state, self._clock(), run, outcome)

    async def _run_task(self, action: RunTask) -> Outcome:
        await self._chores.wait(action.node, task_folder(action.job, action.task))
        store = self._state.store
        task = store.task(action.job, action.task)
        pool, node = store.pool(action.pool), store.node(action.pool, action.node)
        job = store.job(action.job)
        if task.instances and not task.coordinated:
            launch = launch_coordination(self._bases, task, job, pool, node, 0)
        else:
            launch = launch_task(self._bases, task, job, pool, node)
            if task.coordinated and task.started and launch.max_wall_clock_time:
                spent = self._clock() - task.started
                left = max(launch.max_wall_clock_time - spent, timedelta())
                launch = replace(launch, max_wall_clock_time=left)
        failing = self._disturbance.transfer_failures(action.job, action.task)
        if Transfer.DOWNLOAD in failing:
            return fail_download(self._clock(), failing[Transfer.DOWNLOAD])
        if Transfer.UPLOAD in failing and launch.output_files:
            outcome = await self._run_launch(replace(launch, output_files=()))
            return fail_upload(outcome, failing[Transfer.UPLOAD])
        return await self._run_launch(launch)

    async def _run_subtask(self, action: RunSubtask) -> Outcome:
        await self._chores.wait(action.node, task_folder(action.job, action.task))
        store = self._state.store
        task, job = store.task(action.job, action.task), store.job(action.job)
        pool, node = store.pool(action.pool), store.node(action.pool, action.node)
        launch = launch_coordination(self._bases, task, job, pool, node, action.subtask)
        return await self._run_launch(launch)

    async def _run_launch(self, launch: Launch) -> Outcome:
        if launch.elevated and not self._run_admin:
            return refuse_admin(launch, self._clock())
        return await self._executor.run(launch)

    async def _run_start_task(self, action: RunStartTask) -> Outcome:
        await self._chores.wait(action.node, "startup")
        store = self._state.store
        pool, node = store.pool(action.pool), store.node(action.pool, action.node)
        launch = launch_start_task(self._bases, pool, node)
        exit_code = self._disturbance.start_task_exit_code(pool.id, node.id)
        if exit_code is not None:
            return fail_on_purpose(launch, self._clock(), exit_code)
        if launch.elevated and not self._run_admin:
            return skip(launch, self._clock())
        return await self._executor.run(launch)

    async def _run_for_job(
        self, action: RunPreparation | RunRelease, put_together: JobLaunch
    ) -> Outcome:
        await self._chores.wait(action.node, job_folder(action.job))
        store = self._state.store
        pool, node = store.pool(action.pool), store.node(action.pool, action.node)
        launch = put_together(self._bases, store.job(action.job), pool, node)
        if launch.elevated and not self._run_admin:
            return skip(launch, self._clock())
        return await self._executor.run(launch)

    def _upload_logs(self, action: UploadLogs) -> None:
        url = action.container_url
        if action.identity and self._place.identity is not None:
            url = self._place.identity(url)
        upload = asyncio.create_task(
            asyncio.to_thread(send_texts, url, action.files, self._log_stop, self._policy)
        )
        self._uploads.add(upload)
        upload.add_done_callback(self._uploads.discard)


def _removal(action: Action) -> Removal | None:
    """The folder that an action has removed, if that is what it does."""
    match action:
        case RemoveNodeFiles():
            return Removal(node=action.node, folder="")
        case RemoveTaskFiles():
            return Removal(node=action.node, folder=task_folder(action.job, action.task))
        case RemoveJobFiles():
            return Removal(node=action.node, folder=job_folder(action.job))
        case _:
            return None
