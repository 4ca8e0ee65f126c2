"""The trace of a run: a row a task with its attempts, and how the nodes stood.

It holds a row for each task of a run, and so is for looking at one; it must not know where that
comes from, nor what is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


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


def seconds_between(began: datetime | None, ended: datetime | None) -> float | None:
    """None where one is not known; never less than 0, since clocks differ."""
    if began is None or ended is None:
        return None
    return max(0.0, (ended - began).total_seconds())
