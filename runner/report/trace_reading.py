"""Reads the trace of a run from its events, in one pass over them.

It must not know what is shown of the trace, nor where the events are kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from runner.report.trace import (
    Attempt,
    Files,
    NodeInterval,
    NodeRow,
    StepRange,
    TaskRow,
    TaskState,
    Trace,
)
from runner.report.trace_outputs import TraceOutputs
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

# Storage cuts times to whole seconds: the file was there at the end of that second.
_WHOLE = timedelta(seconds=1)
_NEVER_RAN = frozenset({DEPENDENCY_FAILED, HALTED})


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


class _Reader:
    """A trace on its way."""

    def __init__(self) -> None:
        self._trace = Trace()
        self._outputs = TraceOutputs(self._trace.outputs)
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
            self._outputs.begin_again()
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
        _close(attempt, event, ended=event.at)
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
        _close(attempt, event, ended=event.ended)
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
        self._outputs.add(row, event)
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


def _close(attempt: Attempt, event: TaskRetried | TaskFinished, *, ended: datetime | None) -> None:
    """How the attempt went; what the event does not tell stays as it was known."""
    attempt.node = event.node or attempt.node
    attempt.started = event.started or attempt.started
    attempt.ended = ended
    attempt.exit_code, attempt.cause = event.exit_code, event.cause
    attempt.message = event.message
