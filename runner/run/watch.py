"""Looks at the services until every task has ended, and says what changed as events.

It changes nothing there, and knows nothing of outputs or of cleanup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from runner.errors import BatchRunError, ExitCode, ServiceError
from runner.plan.model import TaskId
from runner.run.clock import Clock
from runner.run.events import NodeChanged, PoolChanged, StartTaskFailed, TaskRetried, TaskStarted
from runner.run.journal import Journal
from runner.run.pools import Lease
from runner.run.services import (
    Batch,
    JobState,
    JobStatus,
    NodeCommandKind,
    NodeCommandStatus,
    NodeStatus,
    PoolStatus,
    TaskState,
    TaskStatus,
)

# A look every twentieth of the time that has passed adds at most 5 % to any run.
_LOOKS_PER_RUN = 20
_SHORTEST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 10.0
# The pool is looked at more rarely once tasks run: nothing waits for it any more.
_POOL_PAUSES = 10
# Transition times of different nodes reach the list late; changes of this span are read again.
_OVERLAP = timedelta(seconds=2)
# And every so often all are, whatever their times say.
_WHOLE_LOOK_SECONDS = 60.0
_LOG_TAIL_BYTES = 4_000


# The failure of a process by its exit code alone.
EXIT_CODE_FAILURE = "FailureExitCode"


class PoolUnusableError(ServiceError):
    """The service cannot give the job any node."""


class StartTaskFailedError(BatchRunError):
    """The user's start task failed on every node, so that no task can run."""

    exit_code = ExitCode.TASKS_FAILED


class PreparationFailedError(BatchRunError):
    """The job's preparation failed on every node, so that no task can run."""

    exit_code = ExitCode.TASKS_FAILED


class JobEndedError(Exception):
    """The job has ended although tasks have not; `reason` is the service's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Watch:
    """What is known of one job so far, and the next look at it."""

    def __init__(
        self,
        *,
        job_id: str,
        pool_id: str,
        batch: Batch,
        journal: Journal,
        clock: Clock,
        is_ours: Callable[[TaskId], bool],
        foreign_pool: bool = False,
        has_preparation: bool = False,
        lease: Lease | None = None,
    ) -> None:
        """A `foreign_pool` is the user's own: its start tasks and size are none of our business.

        Tasks that are not `is_ours` are none either: somebody has added them to the job.
        `lease` is of a pool that outlasts the run.
        """
        self._foreign_pool = foreign_pool
        self._has_preparation = has_preparation
        self._lease = lease
        self._job_id = job_id
        self._pool_id = pool_id
        self._batch = batch
        self._journal = journal
        self._clock = clock
        self._is_ours = is_ours
        self._began = clock.monotonic()
        self._tasks: dict[TaskId, tuple[TaskState, int]] = {}
        self._latest: datetime | None = None
        self._next_whole_look = self._began + _WHOLE_LOOK_SECONDS
        self._next_pool_look = self._began
        self._pool: PoolChanged | None = None
        self._nodes: dict[str, str] = {}
        self._failed_start_tasks: set[str] = set()
        self._failed_preparations: set[str] = set()
        self._first_tail: str | None = None
        self._job_ended = False
        self.job_state = JobState.ACTIVE
        """As it was at the last look at the job."""

    @property
    def pause_seconds(self) -> float:
        """How long to wait before the next look: short at first, longer as the run is long."""
        passed = self._clock.monotonic() - self._began
        return min(max(passed / _LOOKS_PER_RUN, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)

    def look_at_job(self) -> None:
        """Has the next look include the job, whose state is in doubt."""
        self._next_pool_look = self._clock.monotonic()

    def look(self) -> tuple[TaskStatus, ...]:
        """Tasks that have ended since the last look; everything else seen goes to the journal.

        Raises `PoolUnusableError` or `StartTaskFailedError` where no node can ever run a task, and
        `JobEndedError` where the job is over and tasks are left that will not run.
        """
        now = self._clock.monotonic()
        if now >= self._next_pool_look or not self._tasks:
            self._next_pool_look = now + _POOL_PAUSES * self.pause_seconds
            self._look_at_pool()
        return self._look_at_tasks(now)

    def _look_at_tasks(self, now: float) -> tuple[TaskStatus, ...]:
        since = None if self._latest is None else self._latest - _OVERLAP
        if self._job_ended or now >= self._next_whole_look:
            since = None
            self._next_whole_look = now + _WHOLE_LOOK_SECONDS
        ended = tuple(
            status
            for status in self._batch.task_changes(self._job_id, since)
            if self._is_ours(status.id) and self._note(status)
        )
        if self._job_ended and not ended:
            job = self._batch.job_status(self._job_id)
            raise JobEndedError(job.terminate_reason or "the job was deleted")
        return ended

    def _note(self, status: TaskStatus) -> bool:
        """Keeps what is new of a task; true when it has just ended."""
        if self._latest is None or status.changed > self._latest:
            self._latest = status.changed
        before, retries = self._tasks.get(status.id, (TaskState.ACTIVE, 0))
        self._tasks[status.id] = (status.state, status.retry_count)
        if before is TaskState.COMPLETED:
            return False
        if status.retry_count > retries:
            self._journal.record(TaskRetried(task=status.id, retries=status.retry_count))
        if before is TaskState.ACTIVE and status.started is not None:
            self._journal.record(
                TaskStarted(task=status.id, node=status.node_id, at=status.started)
            )
        return status.state is TaskState.COMPLETED

    def _look_at_pool(self) -> None:
        job = self._batch.job_status(self._job_id)
        self._judge_job(job)
        if self._job_ended:
            return
        pool = self._batch.pool_status(self._pool_id)
        if self._lease is not None:
            self._lease.guard(pool)
        if pool is None and (self._foreign_pool or self._lease is not None):
            raise PoolUnusableError(f"pool `{self._pool_id}` is gone")
        if pool is not None:
            self._note_pool(_pool_changed(self._pool_id, pool))
        nodes = self._batch.node_statuses(self._pool_id)
        for node in nodes:
            self._note_node(node)
        if pool is not None and pool.allocation_state == "steady":
            if not self._foreign_pool:
                self._judge_pool(pool, nodes)
            if self._has_preparation and nodes:
                self._judge_preparation(nodes)

    def _note_pool(self, change: PoolChanged) -> None:
        if change != self._pool:
            self._pool = change
            self._journal.record(change)

    def _note_node(self, node: NodeStatus) -> None:
        previous = self._nodes.get(node.id)
        if previous != node.state:
            self._nodes[node.id] = node.state
            self._journal.record(NodeChanged(node=node.id, state=node.state, previous=previous))
        if self._foreign_pool:
            return
        failed = node.state == "starttaskfailed" or node.start_task_failure is not None
        if failed and node.id not in self._failed_start_tasks:
            # Also where tasks do not wait for it: they may lack what it should have brought.
            self._failed_start_tasks.add(node.id)
            log = self._batch.read_start_task_log(self._pool_id, node.id, _LOG_TAIL_BYTES)
            self._tell_failure(
                StartTaskFailed(
                    node=node.id,
                    exit_code=node.start_task_exit_code,
                    message=node.start_task_failure,
                    stderr_tail=log.decode("utf-8", "replace"),
                )
            )

    def _tell_failure(self, failed: StartTaskFailed) -> None:
        if self._first_tail is None:
            self._first_tail = failed.stderr_tail.strip()
        self._journal.record(failed)

    def _judge_job(self, job: JobStatus) -> None:
        if job.problem is not None:
            raise PoolUnusableError(f"the service cannot make the job's pool: {job.problem}")
        self.job_state = job.state
        self._job_ended = job.state in (JobState.COMPLETED, JobState.DELETING, JobState.GONE)

    def _judge_pool(self, pool: PoolStatus, nodes: tuple[NodeStatus, ...]) -> None:
        if not nodes and pool.resize_errors:
            raise PoolUnusableError(
                f"the pool has no nodes: {'; '.join(pool.resize_errors)}",
                hint="ask for fewer nodes, another VM size, or more quota",
            )
        if nodes and all(node.state == "starttaskfailed" for node in nodes):
            cause = _common(map(_start_task_cause, nodes))
            raise StartTaskFailedError(
                f"the start task failed on every node ({cause})",
                hint=self._hint(),
            )

    def _judge_preparation(self, nodes: tuple[NodeStatus, ...]) -> None:
        """A node whose preparation failed takes no task; the service looks for another for ever."""
        failed = {
            status.node_id: status
            for status in self._batch.node_commands(self._job_id)
            if status.kind is NodeCommandKind.PREPARATION and status.succeeded is False
        }
        for node in failed.keys() - self._failed_preparations:
            self._failed_preparations.add(node)
            self._tell_preparation(failed[node])
        if not all(node.id in failed for node in nodes):
            return
        cause = _common(_preparation_cause(failed[node.id]) for node in nodes)
        raise PreparationFailedError(
            f"the job preparation failed on every node ({cause})",
            hint=self._hint(),
        )

    def _hint(self) -> str:
        """Of failures the first is shown whole."""
        where = "is above" if self._first_tail else "is empty"
        return f"its standard error {where}; try the command by hand on a node"

    def _tell_preparation(self, status: NodeCommandStatus) -> None:
        log = b""
        if status.directory is not None:
            path = f"{status.directory}/stderr.txt"
            log = self._batch.read_node_log(self._pool_id, status.node_id, path, _LOG_TAIL_BYTES)
        self._tell_failure(
            StartTaskFailed(
                node=status.node_id,
                exit_code=status.exit_code,
                message=None if status.failure is None else status.failure.message,
                stderr_tail=log.decode("utf-8", "replace"),
                command="job preparation",
            )
        )


def _common(causes: Iterable[str]) -> str:
    """The one cause that all have."""
    different = set(causes)
    return different.pop() if len(different) == 1 else "for various reasons"


def _start_task_cause(node: NodeStatus) -> str:
    """The exit code, or where no process ended by itself, the service's words."""
    if node.start_task_exit_code is not None:
        return f"exit code {node.start_task_exit_code}"
    return node.start_task_failure or "no reason is given"


def _preparation_cause(status: NodeCommandStatus) -> str:
    """The exit code, or where the command did not end by itself, the service's words."""
    failure = status.failure
    if status.exit_code and (failure is None or failure.code == EXIT_CODE_FAILURE):
        return f"exit code {status.exit_code}"
    return "no reason is given" if failure is None else f"{failure.code}: {failure.message}"


def _pool_changed(pool_id: str, pool: PoolStatus) -> PoolChanged:
    return PoolChanged(
        pool=pool_id,
        allocation=pool.allocation_state,
        dedicated=pool.dedicated_nodes,
        spot=pool.spot_nodes,
        target_dedicated=pool.target_dedicated_nodes,
        target_spot=pool.target_spot_nodes,
        errors=pool.resize_errors,
    )
