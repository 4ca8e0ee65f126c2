"""The report: what happened in a run, folded from its events one by one.

It knows nothing of the services or of the run under way; the events are all there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from typing_extensions import assert_never

from runner.report.cost import Spending
from runner.report.deliveries import Deliveries
from runner.report.task_times import TaskTimes, seconds_between
from runner.run.events import (
    GONE,
    CleanupFinished,
    Event,
    JobCreated,
    LeftBehind,
    NodeChanged,
    OutputDownloaded,
    PoolChanged,
    RunFinished,
    RunStarted,
    StartTaskFailed,
    TaskAdded,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    UploadFinished,
)
from runner.run.tasks.halt import NOT_OWN


@dataclass(slots=True, kw_only=True)
class Report:
    """A run so far. Failures are kept whole, successes are only counted: there may be a million."""

    workload: str = ""
    target: str = ""
    tasks: int = 0
    files: int = 0
    input_bytes: int = 0
    uploaded_files: int = 0
    uploaded_bytes: int = 0
    unchanged_files: int = 0
    """Those that were in their containers already, with the same content."""
    job: str | None = None
    pool: str | None = None
    pool_errors: tuple[str, ...] = ()
    nodes: dict[str, str] = field(default_factory=dict)
    added: int = 0
    started: int = 0
    retries: int = 0
    """How often tasks were run again, whatever the cause."""
    retry_causes: dict[str, int] = field(default_factory=dict)
    """The same by cause; `unknown` where the service does not tell one."""
    ended_attempts: dict[str, list[TaskRetried]] = field(default_factory=dict)
    """By task, the attempts that were followed by others; not of tasks that have succeeded."""
    succeeded: int = 0
    skipped: int = 0
    """Of those that succeeded: what an earlier run had done for this one."""
    left_out: int = 0
    """Tasks that nobody asked for."""
    failures: list[TaskFinished] = field(default_factory=list)
    start_task_failures: list[StartTaskFailed] = field(default_factory=list)
    downloaded_files: int = 0
    downloaded_bytes: int = 0
    deleted: tuple[str, ...] = ()
    left: tuple[LeftBehind, ...] = ()
    checked_at: datetime | None = None
    """When the services had listed what is left; None where they have not since the run, or who
    took it up last, began.
    """
    cleaned: bool = field(default=False, repr=False)
    """Whoever drives the run has come to its cleanup."""
    exit_code: int | None = None
    error: str | None = None
    halted: bool = False
    """The run stopped early, since too much had failed."""
    untouched: bool = False
    """Who wanted to go on with it last has done nothing to it."""
    resumed: int = 0
    """How often the run was taken up again."""
    began: datetime | None = None
    """When the run was first heard of; None where nobody told the times of its events."""
    ended: datetime | None = None
    """When it ended last; None while it goes on."""
    pool_change: PoolChanged | None = field(default=None, repr=False)
    """The pool as it was seen last."""
    times: TaskTimes = field(default_factory=TaskTimes, repr=False)
    """How long tasks ran, and how often they were begun."""
    not_own: dict[str, int] = field(default_factory=dict, repr=False)
    """Of the failures those that are not their tasks' own, by cause."""
    ends: bytearray = field(default_factory=bytearray, repr=False)
    """How each task ended, by its number: 0 where it has not."""
    spending: Spending = field(default_factory=Spending, repr=False)
    """What its nodes cost; nothing where nobody told the times of events."""
    deliveries: Deliveries = field(default_factory=Deliveries, repr=False)
    """What came home of each task, by its number."""

    @property
    def has_begun(self) -> bool:
        """Whether anything may have been made: the services let the run begin."""
        return bool(self.workload)

    @property
    def wall_seconds(self) -> float | None:
        """From the beginning to the end, whoever drove the run meanwhile; None while it goes on."""
        if self.began is None or self.ended is None:
            return None
        return max(0.0, (self.ended - self.began).total_seconds())

    @property
    def files_there(self) -> int:
        """Input files that are where tasks find them."""
        return self.uploaded_files + self.unchanged_files

    def add(self, event: Event, at: datetime | None = None) -> None:
        """Takes one more event in; `at` is when it was recorded."""
        if self.began is None:
            self.began = at
        if at is not None:
            self.spending.add(at, event)
        match event:
            case RunStarted():
                self._start(event)
            case UploadFinished():
                self.count_upload(event.bytes, skipped=event.skipped)
            case JobCreated():
                self.job, self.pool = event.job, event.pool
            case PoolChanged():
                self.pool_errors, self.pool_change = event.errors, event
            case NodeChanged() if event.state == GONE:
                self.nodes.pop(event.node, None)
            case NodeChanged():
                self.nodes[event.node] = event.state
            case TaskAdded():
                self.added += 1
            case TaskStarted():
                self.started += event.attempt == 1
            case TaskRetried():
                self._note_attempt(event)
            case TaskFinished():
                self._finish(event)
            case OutputDownloaded():
                self.count_output(int(event.task), event.bytes)
            case StartTaskFailed():
                self.start_task_failures.append(event)
            case CleanupFinished():
                self.deleted, self.left = event.deleted, event.left
                self.checked_at, self.cleaned = event.checked_at, True
            case RunFinished():
                if not self.cleaned:
                    # What an earlier client was told says nothing of now.
                    self.checked_at = None
                self.cleaned = False
                self.ended = at
                self.exit_code, self.error = event.exit_code, event.error
                self.halted, self.untouched = event.halted, event.untouched
                # Of a run that did not begin nothing else tells them.
                self.tasks = event.succeeded + event.failed + event.unfinished
            case _:
                assert_never(event)

    def count_upload(self, size: int, *, skipped: bool) -> None:
        """One more input file is there."""
        if skipped:
            self.unchanged_files += 1
        else:
            self.uploaded_files += 1
            self.uploaded_bytes += size

    def count_output(self, number: int, size: int) -> None:
        """One more file of a task is at home."""
        self.deliveries.add(number, size, life=self.resumed)
        self.downloaded_files = self.deliveries.files
        self.downloaded_bytes = self.deliveries.bytes

    def count_success(self, task: str, *, skipped: bool, attempts: int, seconds: float) -> None:
        """One more task has succeeded, after so many attempts, of which the last took so long."""
        self._end(task, 1)
        self.times.add_end(int(task), attempts=attempts, seconds=seconds)
        self.succeeded += 1
        self.skipped += skipped
        self.ended_attempts.pop(task, None)

    def _start(self, event: RunStarted) -> None:
        self.workload, self.target = event.workload, event.target
        self.tasks, self.files, self.input_bytes = event.tasks, event.files, event.bytes
        self.left_out = event.left_out
        if event.resumed:
            # Files are told again: those that are there as unchanged.
            self.uploaded_files = self.uploaded_bytes = self.unchanged_files = 0
            self.resumed += 1
            # Those that are there are told again; others may have gone with their pool.
            self.nodes.clear()
            self.deleted, self.left, self.checked_at = (), (), None
            self.cleaned = False
            self.ended = self.pool_change = None
            self.exit_code = self.error = None
            self.halted = self.untouched = False

    def _note_attempt(self, event: TaskRetried) -> None:
        cause = event.cause or "unknown"
        self.retries += 1
        self.retry_causes[cause] = self.retry_causes.get(cause, 0) + 1
        self.ended_attempts.setdefault(event.task, []).append(event)
        self.times.add_attempt(event)

    def _finish(self, event: TaskFinished) -> None:
        has_run = not event.skipped and event.node is not None
        attempts = event.attempts if has_run else 0
        seconds = seconds_between(event.started, event.ended) if has_run else 0.0
        if event.succeeded:
            self.count_success(
                event.task, skipped=event.skipped, attempts=attempts, seconds=seconds
            )
            return
        self._end(event.task, 2)
        self.times.add_end(int(event.task), attempts=attempts, seconds=seconds)
        self.failures.append(event)
        self._count_not_own(event, 1)

    def _end(self, task: str, how: int) -> None:
        """One end of a task; where it was told before, that one does not count any more."""
        number = int(task)
        if number >= len(self.ends):
            self.ends.extend(bytes(number + 1 - len(self.ends)))
        match self.ends[number]:
            case 0:
                pass
            case 1:
                self.succeeded -= 1
            case _:
                # Those that failed first are told again first, so that the search is short.
                found = (at for at, each in enumerate(self.failures) if each.task == task)
                self._count_not_own(self.failures.pop(next(found)), -1)
        self.ends[number] = how

    def _count_not_own(self, event: TaskFinished, more: int) -> None:
        if event.cause in NOT_OWN:
            self.not_own[event.cause] = self.not_own.get(event.cause, 0) + more


def fold(events: Iterable[Event]) -> Report:
    """The report of a run, or of as much of it as there is."""
    report = Report()
    for event in events:
        report.add(event)
    return report
