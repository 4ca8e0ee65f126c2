"""The trace of a run: a row a task with its attempts, and how the nodes stood, folded from events.

It holds a row for each task of a run, and so is for looking at one; it must not know what is shown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from runner.run.events import (
    DEPENDENCY_FAILED,
    GONE,
    HALTED,
    CleanupFinished,
    Event,
    NodeChanged,
    OutputDownloaded,
    PoolChanged,
    RunFinished,
    RunStarted,
    TaskAdded,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    UploadFinished,
)

FILES_KEPT = 20
"""So many outputs of a task are kept by name; of a task that leaves more, the rest is counted."""
# Storage cuts times to whole seconds: the file was there at the end of that second.
_WHOLE = timedelta(seconds=1)
_NEVER_RAN = frozenset({DEPENDENCY_FAILED, HALTED})


class TaskState(Enum):
    """How a task stands, or has ended, in a word for people."""

    PLANNED = "planned"
    """The service does not have it yet."""
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    """An attempt has ended, and the next one has not been seen."""
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    """An earlier run had done it."""
    FAILED = "failed"
    NEVER_RAN = "never ran"
    """One that it needs failed, or the run stopped early."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of the task."""
        return self in _OVER


_OVER = frozenset({TaskState.SUCCEEDED, TaskState.SKIPPED, TaskState.FAILED, TaskState.NEVER_RAN})


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One time that a task was begun; what nobody saw before the service forgot it is None."""

    number: int
    node: str | None = None
    started: datetime | None = None
    """When its node began with it: what it downloads first counts."""
    ended: datetime | None = None
    """When it was over: what it uploads last counts."""
    exit_code: int | None = None
    cause: str | None = None
    message: str | None = None
    slot: int | None = None
    """Which of the places of its node it had, from 0, as far as times tell."""

    @property
    def seconds(self) -> float | None:
        """How long it took; None where that is not known, or it goes on."""
        return seconds_between(self.started, self.ended)


@dataclass(slots=True, kw_only=True)
class OutputFile:
    """A file that a task has left, and that came home."""

    role: str
    blob: str
    bytes: int


@dataclass(slots=True, kw_only=True)
class TaskRow:
    """All that the events tell of one task."""

    id: str
    item: str = ""
    step: str | None = None
    state: TaskState = TaskState.PLANNED
    attempts: list[Attempt] = field(default_factory=list)
    """Those that were seen, in their order."""
    times_begun: int = 0
    """How often it was begun, seen or not."""
    added: datetime | None = None
    """When we heard that the service had it."""
    retries: int = 0
    exit_code: int | None = None
    cause: str | None = None
    message: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    stderr_tail: str | None = None
    uploading_since: datetime | None = None
    """The last attempt's command was over by then: the first of its files was in its container."""
    outputs: list[OutputFile] = field(default_factory=list)
    """The first of them, by name."""
    output_files: int = 0
    output_bytes: int = 0

    @property
    def last(self) -> Attempt | None:
        """The attempt that was seen last."""
        return self.attempts[-1] if self.attempts else None

    @property
    def node(self) -> str | None:
        """Where it runs, or ran last."""
        return None if self.last is None else self.last.node

    @property
    def started(self) -> datetime | None:
        """When its last attempt began."""
        return None if self.last is None else self.last.started

    @property
    def ended(self) -> datetime | None:
        """When its last attempt was over."""
        return None if self.last is None else self.last.ended

    @property
    def queue_seconds(self) -> float | None:
        """How long it waited for its first attempt."""
        first = self.attempts[0] if self.attempts else None
        if first is None or first.number != 1:
            return None
        return seconds_between(self.added, first.started)

    @property
    def run_seconds(self) -> float | None:
        """How long its last attempt took."""
        return None if self.last is None else self.last.seconds


@dataclass(slots=True, kw_only=True)
class NodeInterval:
    """From when to when a node was seen in a state; `until` is None for the last."""

    state: str
    since: datetime
    until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class NodeRow:
    """A node, and the states that it was seen in."""

    id: str
    dedicated: bool | None = None
    """False for a spot node, None where nobody said."""
    states: list[NodeInterval] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Files:
    """The files of one container, in one direction."""

    count: int = 0
    bytes: int = 0
    unchanged: int = 0
    """Of the files, those that were there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRange:
    """A step, and the number of its first task: others follow without a gap."""

    name: str
    first: int


@dataclass(slots=True, kw_only=True)
class Trace:
    """A run, task by task and node by node."""

    tasks: list[TaskRow] = field(default_factory=list)
    """In the order of their ids."""
    nodes: list[NodeRow] = field(default_factory=list)
    """In the order in which they were heard of."""
    inputs: dict[str, Files] = field(default_factory=dict)
    """By the role of the container."""
    outputs: dict[str, Files] = field(default_factory=dict)
    began: datetime | None = None
    seen: datetime | None = None
    """When anything was seen last."""
    planned: int = 0
    """All tasks that there are to be."""


def read_trace(
    lines: Iterable[tuple[datetime, Event]], *, steps: Sequence[StepRange] = ()
) -> Trace:
    """The trace of a run, or of as much of it as there is, in one pass over its events.

    `steps` are those of the plan in the order of their tasks; without them rows have no step.
    Its time and memory grow with the number of tasks: about 1 KB for each.
    """
    reader = _Reader()
    for at, event in lines:
        reader.add(at, event)
    trace = reader.finish()
    _name_steps(trace.tasks, steps)
    return trace


def _name_steps(tasks: list[TaskRow], steps: Sequence[StepRange]) -> None:
    firsts = [step.first for step in steps]
    for row in tasks:
        place = bisect_right(firsts, int(row.id)) - 1
        if place >= 0:
            row.step = steps[place].name


def seconds_between(began: datetime | None, ended: datetime | None) -> float | None:
    """None where one is not known; never less than 0, since clocks differ."""
    if began is None or ended is None:
        return None
    return max(0.0, (ended - began).total_seconds())


class _Reader:
    """A trace on its way."""

    def __init__(self) -> None:
        self._trace = Trace()
        self._tasks: dict[str, TaskRow] = {}
        self._nodes: dict[str, NodeRow] = {}
        self._modified: dict[str, datetime] = {}
        """By task, when the first of its files was in its container."""

    def add(self, at: datetime, event: Event) -> None:
        """Takes in one more event; those of the job alone say nothing of tasks or nodes."""
        trace = self._trace
        trace.began = trace.began or at
        trace.seen = at
        match event:
            case RunStarted():
                self._start(at, event)
            case UploadFinished():
                files = trace.inputs.setdefault(event.role, Files())
                files.count += 1
                files.bytes += event.bytes
                files.unchanged += event.skipped
            case NodeChanged():
                self._change_node(at, event)
            case TaskAdded():
                self._add_task(at, event)
            case TaskStarted():
                self._start_attempt(event)
            case TaskRetried():
                self._end_attempt(event)
            case TaskFinished():
                self._finish(event)
            case OutputDownloaded():
                self._bring(event)
            case CleanupFinished():
                if any(each.startswith("pool ") for each in event.deleted):
                    self._lose_nodes(at)
            case RunFinished():
                trace.planned = event.succeeded + event.failed + event.unfinished
            case PoolChanged() | _:
                pass

    def finish(self) -> Trace:
        """The trace, once there is no more event."""
        trace = self._trace
        trace.tasks = sorted(self._tasks.values(), key=lambda row: int(row.id))
        trace.nodes = list(self._nodes.values())
        return trace

    def _start(self, at: datetime, event: RunStarted) -> None:
        self._trace.planned = event.tasks
        if event.resumed:
            # Files are told again, those that are there as unchanged; so are nodes.
            self._trace.inputs.clear()
            self._lose_nodes(at)

    def _row(self, task: str) -> TaskRow:
        row = self._tasks.get(task)
        if row is None:
            row = self._tasks[task] = TaskRow(id=task)
        return row

    def _add_task(self, at: datetime, event: TaskAdded) -> None:
        row = self._row(event.task)
        row.item = event.item
        if row.added is None:
            row.added = at
        if row.state is TaskState.PLANNED:
            row.state = TaskState.QUEUED

    def _attempt(self, row: TaskRow, number: int) -> Attempt:
        for attempt in reversed(row.attempts):
            if attempt.number == number:
                return attempt
        attempt = Attempt(number=number)
        row.attempts.append(attempt)
        if len(row.attempts) > 1 and row.attempts[-2].number > number:
            row.attempts.sort(key=lambda each: each.number)
        row.times_begun = max(row.times_begun, number)
        return attempt

    def _start_attempt(self, event: TaskStarted) -> None:
        row = self._row(event.task)
        attempt = self._attempt(row, event.attempt)
        attempt.node = event.node or attempt.node
        attempt.started = event.at or attempt.started
        if not row.state.is_over:
            row.state = TaskState.RUNNING

    def _end_attempt(self, event: TaskRetried) -> None:
        row = self._row(event.task)
        attempt = self._attempt(row, event.attempt)
        attempt.node = event.node or attempt.node
        attempt.started = event.started or attempt.started
        attempt.ended = event.at
        attempt.exit_code, attempt.cause = event.exit_code, event.cause
        attempt.message = event.message
        row.retries = event.retries
        row.state = TaskState.RETRYING
        self._modified.pop(row.id, None)

    def _finish(self, event: TaskFinished) -> None:
        row = self._row(event.task)
        row.item = event.item or row.item
        row.exit_code, row.cause, row.message = event.exit_code, event.cause, event.message
        row.stdout, row.stderr = event.stdout, event.stderr
        row.stderr_tail = event.stderr_tail
        row.retries = event.retries
        if event.skipped:
            row.state = TaskState.SKIPPED
        elif event.succeeded:
            row.state = TaskState.SUCCEEDED
        elif event.cause in _NEVER_RAN:
            row.state = TaskState.NEVER_RAN
        else:
            row.state = TaskState.FAILED
        if event.skipped or (event.node is None and event.started is None):
            return
        attempt = self._attempt(row, event.attempts)
        attempt.node = event.node or attempt.node
        attempt.started = event.started or attempt.started
        attempt.ended = event.ended
        attempt.exit_code, attempt.cause = event.exit_code, event.cause
        attempt.message = event.message
        row.uploading_since = self._uploading(row.id, attempt)

    def _uploading(self, task: str, attempt: Attempt) -> datetime | None:
        """When the command was over at the latest, by the storage's clock."""
        modified = self._modified.pop(task, None)
        if modified is None or attempt.started is None or attempt.ended is None:
            return None
        since = modified + _WHOLE
        return since if attempt.started < since < attempt.ended else None

    def _bring(self, event: OutputDownloaded) -> None:
        row = self._row(event.task)
        files = self._trace.outputs.setdefault(event.role, Files())
        for known in row.outputs:
            if known.blob == event.blob and known.role == event.role:
                # A run that was resumed brings home again what it had not told of as a whole.
                change = event.bytes - known.bytes
                files.bytes += change
                row.output_bytes += change
                known.bytes = event.bytes
                return
        files.count += 1
        files.bytes += event.bytes
        row.output_files += 1
        row.output_bytes += event.bytes
        if len(row.outputs) < FILES_KEPT:
            row.outputs.append(OutputFile(role=event.role, blob=event.blob, bytes=event.bytes))
        if event.modified is not None:
            known_since = self._modified.get(row.id)
            if known_since is None or event.modified < known_since:
                self._modified[row.id] = event.modified

    def _change_node(self, at: datetime, event: NodeChanged) -> None:
        node = self._nodes.get(event.node)
        if node is None:
            node = self._nodes[event.node] = NodeRow(id=event.node)
        if event.dedicated is not None:
            node.dedicated = event.dedicated
        if node.states and node.states[-1].until is None:
            node.states[-1].until = at
        if event.state != GONE:
            since = at
            if not node.states and event.allocated is not None:
                since = min(at, event.allocated)
            node.states.append(NodeInterval(state=event.state, since=since))

    def _lose_nodes(self, at: datetime) -> None:
        """Nobody sees them any more."""
        for node in self._nodes.values():
            if node.states and node.states[-1].until is None:
                node.states[-1].until = at
