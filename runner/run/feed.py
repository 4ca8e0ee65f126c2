"""Brings inputs up and adds every task as soon as its own inputs are there.

It runs on a thread of its own beside the watch, and knows nothing of what becomes of a task.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from runner.plan.model import Plan, TaskId, TaskPlan
from runner.run.events import TaskAdded, UploadFinished
from runner.run.records.journal import Journal
from runner.run.results.settled import Settled
from runner.run.services import Batch
from runner.run.stream import Brought, Need, Stream, Team, Waiting
from runner.run.submit import Requests
from runner.run.tasks.dependents import Dependents
from runner.run.tasks.halt import Tally
from runner.run.tasks.presence import Presence, Wait, filler
from runner.run.tasks.retries import keeps_job_open
from runner.run.tasks.window import Window
from runner.run.transfers.uploads import File, Uploads
from runner.spec.model.sources import FilesOf, MatrixOf, Source, ZipOf
from runner.spec.model.step import Step
from runner.spec.model.terms import ContainerResource, Resource, Role

# How soon a wish to stop is seen while the first tasks are waited for.
_LOOK_SECONDS = 0.2


class Feeder:
    """Uploads and submission of one run."""

    def __init__(
        self,
        plan: Plan,
        job_id: str,
        requests: Requests,
        *,
        window: Window,
        uploads: Uploads,
        dependents: Dependents,
        settled: Settled,
        batch: Batch,
        journal: Journal,
        tally: Tally,
        monotonic: Callable[[], float],
    ) -> None:
        """Tasks that are `settled` are not added; `expect` says what else the job has."""
        self._plan = plan
        self._job_id = job_id
        self._requests = requests
        self._window = window
        self._uploads = uploads
        self._dependents = dependents
        self._batch = batch
        self._journal = journal
        self._tally = tally
        self.monotonic = monotonic
        self._fed: list[int] = []
        """The numbers of tasks that were fed while the canary was waited for."""
        self._more = True
        self.awaits_canary = False
        """Whether nothing is done before the first tasks have ended."""
        self._stopped = threading.Event()
        self._settled = settled
        self._presence = Presence(plan, settled)

    def expect(self, tasks: Iterable[TaskId], *, told: Collection[int]) -> None:
        """The job has these tasks already, of which the journal knows those that were `told`."""
        self._presence = Presence(self._plan, self._settled, tasks, told=told)

    def recognise(self, role: Role, names: frozenset[str]) -> None:
        """These files are in their container already."""
        self._uploads.recognise(role, names)

    def upload_for_nodes(self, check: Callable[[], None]) -> None:
        """What nodes need before any task: the pool and the job must not be made before it is up.

        `check` may raise to end it.
        """
        commands = (self._plan.start_task, self._plan.preparation, self._plan.release)
        for command in commands:
            if command is None:
                continue
            self._uploads.bring_script(command.command)
            for resource in command.resources:
                self._uploads.bring(self._uploads.missing(resource), check)

    def upload_all(self, check: Callable[[], None]) -> None:
        """Everything that tasks may need, for a job that is not fed; `check` may raise."""
        for role in self._uploads.roles:
            self._uploads.bring(self._uploads.rest(role), check)
        for task in self._plan.tasks:
            check()
            self._bring_scripts(task)

    def feed(self) -> None:
        """Everything else, to the last task; then the job is told that no more will come.

        Returns early, with nothing under way, once `stop` was called.
        """
        referenced = {role for step in self._plan.workload.steps for role in _roles(step)}
        for role in self._uploads.roles:
            if role not in referenced:
                # A command may find these by their names, so they must be there before any.
                files = self._uploads.rest(role)
                self._uploads.bring(self._until_stopped(files), lambda: None)
        team = Team()
        try:
            needs = self.needs()
            if self._feed_canary(needs, team):
                Stream(self, team, needs).run()
            if not self._stopped.is_set() and not keeps_job_open(self._plan.workload):
                self.finish()
        finally:
            self._stopped.set()
            team.close()
            # What has come up meanwhile need not come up again, whoever goes on with the run.
            self._uploads.end(team.ended_uploads())

    def _feed_canary(self, needs: Iterator[Need], team: Team) -> bool:
        """Whether the rest may follow: the first tasks, where the spec wants that, have succeeded.

        Until then nothing else is brought up or added.
        """
        tally = self._tally
        while tally.canary_left and self._more and not self.stopped:
            if tally.reason is not None:
                self._stopped.set()
            elif tally.may_be_fed(self._fed):
                self.awaits_canary = False
                Stream(self, team, self._first(needs)).run()
            else:
                self.awaits_canary = True
                tally.wait_for_canary(_LOOK_SECONDS)
        self.awaits_canary = False
        return not self.stopped

    def _first(self, needs: Iterator[Need]) -> Iterator[Need]:
        """What is needed for as many tasks as may be fed; of the next one nothing is taken."""
        while self._tally.may_be_fed(self._fed):
            need = next(needs, None)
            if need is None:
                # Where there are no more tasks than that, nothing has to wait.
                self._more = False
                return
            yield need

    def _note_fed(self, number: int) -> None:
        if self._tally.canary_left:
            self._fed.append(number)

    def finish(self) -> None:
        """No task will be added or run again any more: with the last one the job ends itself."""
        self._batch.finish_adding(self._job_id)

    def stop(self) -> None:
        """No new upload or collection is begun from here on."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether the feeding ends early, or has ended."""
        return self._stopped.is_set()

    @property
    def waiting(self) -> int:
        """How many tasks the job has that have not ended."""
        return self._tally.waiting

    def begin(self, file: File) -> Callable[[], UploadFinished | None]:
        """What brings a file up, unless the feeding is stopped before its turn comes."""
        return partial(self._unless_stopped, self._uploads.begin(file))

    def end(self, files: Sequence[Brought]) -> None:
        """Takes note that files are up, and tells so."""
        self._uploads.end(files)

    def is_under_way(self, file: File) -> bool:
        """Whether a file is being brought up."""
        return self._uploads.is_under_way(file)

    def needs(self) -> Iterator[Need]:
        """Tasks in the order of their ids: each file that is not there, and None behind the last.

        Then, for no task, the files that none of them brings.
        """
        for number in range(1, len(self._plan.tasks) + 1):
            task = self._window.task(number)
            match self._presence.what_to_do(number):
                case Wait.ADD:
                    self._dependents.note(task)
                    if self._presence.is_blocked(task):
                        continue
                case Wait.NOTHING:
                    self._waive(task)
                    continue
                case Wait.FILL:
                    self._waive(task)
                    yield Waiting(task), None
                    continue
                case Wait.EXPECT:
                    self._dependents.note(task)
                    if not self._presence.is_told(number):
                        self._journal.record(TaskAdded(task=task.id, item=task.item))
                    self._note_fed(number)
                    yield Waiting(None), None
                    continue
            waiting = Waiting(task)
            for resource in chain(task.resources, task.shared_resources):
                for file in self._uploads.missing(resource):
                    yield waiting, file
            self._note_fed(number)
            yield waiting, None
        waiting = Waiting(None)
        for role in self._uploads.roles:
            for file in self._uploads.rest(role):
                yield waiting, file
        yield waiting, None

    def add(self, tasks: list[TaskPlan]) -> None:
        """Adds a collection of tasks whose files are there."""
        if self.stopped:
            return
        tasks.sort(key=lambda task: task.id)
        requests = []
        for task in tasks:
            if self._settled.is_settled(int(task.id)):
                requests.append(filler(task, self._plan.workload.pool.os))
                continue
            self._bring_scripts(task)
            requests.append(self._presence.without_absent(self._requests.task(task)))
        self._batch.add_tasks(self._job_id, requests)
        added = (task for task in tasks if not self._settled.is_settled(int(task.id)))
        self._journal.record(*(TaskAdded(task=task.id, item=task.item) for task in added))

    def _waive(self, task: TaskPlan) -> None:
        """Files that a settled task alone would bring are not wanted."""
        for resource in chain(task.resources, task.shared_resources):
            self._uploads.waive(resource)

    def _bring_scripts(self, task: TaskPlan) -> None:
        self._uploads.bring_script(task.command)
        if task.coordination is not None:
            self._uploads.bring_script(task.coordination)

    def _unless_stopped(self, bring: Callable[[], UploadFinished]) -> UploadFinished | None:
        return None if self.stopped else bring()

    def _until_stopped(self, files: Iterator[File]) -> Iterator[File]:
        for file in files:
            if self.stopped:
                return
            yield file


def _roles(step: Step) -> Iterator[Role]:
    """The containers whose files tasks of a step bring."""
    yield from _source_roles(step.for_each)
    shared: tuple[Resource, ...] = () if step.instances is None else step.instances.resources
    for resource in (*step.resources, *shared):
        if isinstance(resource, ContainerResource):
            yield resource.role


def _source_roles(source: Source | None) -> Iterator[Role]:
    match source:
        case FilesOf():
            yield source.role
        case MatrixOf():
            for axis in source.axes.values():
                yield from _source_roles(axis)
        case ZipOf():
            for column in source.columns.values():
                yield from _source_roles(column)
        case _:
            return
