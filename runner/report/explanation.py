"""Why a task is where it is, as values: the facts that are known of it, and the reasons.

It must not know where facts are found, nor what follows from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import Enum

from runner.frozen import dataclass
from runner.report.fold import Report
from runner.report.pace import Pace
from runner.run.events import TaskFinished, TaskRetried
from runner.run.records.standing import Standing
from runner.run.services import (
    JobStatus,
    NodeStatus,
    PoolStatus,
    TaskCounts,
    TaskState,
    TaskStatus,
)


class State(Enum):
    """How the task stands, in words."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"
    NEVER_RAN = "never ran"
    NOT_FINISHED = "not finished"
    LEFT_OUT = "left out"


class Kind(Enum):
    """What kind of reason it is; programs may go by these."""

    NOT_BEGUN = "run not begun"
    NOT_DRIVEN = "nobody drives the run"
    RUN_OVER = "run over"
    NOT_ASKED_FOR = "not asked for"
    INPUTS = "inputs go up"
    NOT_ADDED = "not added"
    DEPENDENCY = "dependency"
    JOB = "job"
    RESIZE_FAILED = "resize failed"
    NO_NODE = "no node yet"
    NODES_START = "nodes start"
    START_TASK_FAILED = "start task failed"
    NODES_LOST = "nodes lost"
    SLOTS_FULL = "slots full"
    RETRY_DUE = "retry due"
    ABOUT_TO_START = "about to start"
    RUNS = "runs"
    COMING_HOME = "coming home"
    ENDED = "ended"
    ATTEMPT = "attempt"
    UNASKED = "service not asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason in a line, what shows it, and what to do about it where there is anything."""

    kind: Kind
    words: str
    evidence: tuple[str, ...] = ()
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A task that has to end first, and how it stands."""

    task: str
    item: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files that a task needs and that are not up; the first of them by name."""

    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the service says now; what it was not asked, or cannot say, is None or empty."""

    job: JobStatus | None = None
    task: TaskStatus | None = None
    counts: TaskCounts | None = None
    pool: PoolStatus | None = None
    nodes: tuple[NodeStatus, ...] = ()
    start_logs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The last lines that the start task of a node has printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one task and of its run."""

    run: str
    task: str
    step: str
    item: str
    standing: Standing
    report: Report
    now: datetime
    named: str = ""
    """How commands name the run: a space and its id, or nothing where they mean it anyway."""
    is_added: bool = False
    is_running: bool = False
    started: datetime | None = None
    """When its present attempt began, as far as the events tell; `node` is where."""
    node: str | None = None
    attempts: tuple[TaskRetried, ...] = ()
    end: TaskFinished | None = None
    planned: tuple[str, str] | None = None
    """What the run meant to do with it, and why: `run`, `skip` or `leave`."""
    needed: tuple[Needed, ...] = ()
    """The tasks that it waits for, each because of the next: the last one waits for none."""
    inputs: Inputs | None = None
    before: int = 0
    """Tasks before it that wait for nothing but a place on a node."""
    slots: int | None = None
    """How many tasks a node takes at a time."""
    has_start_task: bool = False
    pool_since: datetime | None = None
    """Since when the pool is as it was seen last."""
    node_since: Mapping[str, datetime] = field(default_factory=dict)
    pace: Pace | None = None
    service: Service | None = None
    rests: bool = False
    """The services of the run are of this machine, and do not run."""
    unasked: str | None = None
    """Why the service, which would know more, was not asked."""

    @property
    def retry_due(self) -> datetime | None:
        """When whoever drives the run has it tried again; None once it was, or where it is not."""
        task = None if self.service is None else self.service.task
        if not self.attempts or self.started is not None:
            return None
        if task is not None and task.state is not TaskState.COMPLETED:
            return None
        return self.attempts[-1].due

    @property
    def is_over(self) -> bool:
        """Whether nothing goes on with the run any more."""
        return self.standing is not Standing.DRIVEN and not self.standing.is_resumable


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How one task stands, and why; what matters most comes first."""

    run: str
    task: str
    step: str
    item: str
    state: State
    reasons: tuple[Reason, ...]
