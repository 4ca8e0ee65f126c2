"""Looks at the job, its pool and the pool's nodes, and judges whether tasks can still run there.

It changes nothing there, and knows nothing of the tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from runner.errors import BatchRunError, ExitCode
from runner.run.clock import Clock
from runner.run.events import GONE, NodeChanged, PoolChanged, StartTaskFailed
from runner.run.pools.judging import PoolJudge, PoolUnusableError, common, unusable
from runner.run.pools.making import Lease
from runner.run.pools.node_logs import PREPARATION, START_TASK, NodeLogs
from runner.run.pools.tending import Tend
from runner.run.records.journal import Journal
from runner.run.services import (
    Batch,
    JobState,
    JobStatus,
    NodeCommandKind,
    NodeCommandStatus,
    NodeStatus,
    PoolStatus,
)

# The failure of a process by its exit code alone.
EXIT_CODE_FAILURE = "FailureExitCode"
_LOST_OTHERWISE = frozenset({"unusable", "rebooting", "reimaging", "leavingpool"})
"""States of nodes that have lost their tasks and were not taken (REST: BatchNodeState)."""


class PreparationFailedError(BatchRunError):
    """The job's preparation failed on every node, so that no task can run."""

    exit_code = ExitCode.TASKS_FAILED


class PoolWatch:
    """What is known of one job and its pool so far, and the next look at them."""

    def __init__(
        self,
        *,
        job_id: str,
        pool_id: str,
        batch: Batch,
        journal: Journal,
        foreign_pool: bool,
        has_preparation: bool,
        lease: Lease | None,
        clock: Clock,
        tell: Callable[[str], None],
        tend: Tend | None = None,
        has_start_task: bool = False,
    ) -> None:
        """A `foreign_pool` is the user's own: its start tasks and size are none of our business.

        `lease` is of a pool that outlasts the run; `tell` takes a line for people, and `tend` looks
        after the pool.
        """
        self._tend = tend
        self._clock = clock
        self._logs = NodeLogs(batch, journal, pool_id)
        self._judge = PoolJudge(tell=tell, hint=self._hint)
        self._job_id = job_id
        self._pool_id = pool_id
        self._batch = batch
        self._journal = journal
        self._foreign_pool = foreign_pool
        self._has_preparation = has_preparation
        self._has_start_task = has_start_task and not foreign_pool
        self._start_tasks_ended = False
        """Whether they had on all nodes that there were at the last look."""
        self._lease = lease
        self._pool: PoolChanged | None = None
        self._nodes: dict[str, str] = {}
        self._spot: dict[str, bool] = {}
        self._doubts_nodes = False
        self._failed_start_tasks: set[str] = set()
        self._failed_preparations: set[str] = set()
        self._first_tail: str | None = None
        self.job_ended = False
        """Whether the job was over at the last look."""
        self.job_state = JobState.ACTIVE
        """As it was at the last look."""

    def look(self) -> None:
        """Everything new goes to the journal.

        Raises `PoolUnusableError`, `StartTaskFailedError` or `PreparationFailedError` where no
        node can ever run a task.
        """
        job = self._batch.job_status(self._job_id)
        self._judge_job(job)
        if self.job_ended:
            return
        pool = self._batch.pool_status(self._pool_id)
        if self._lease is not None:
            self._lease.guard(pool)
        if pool is None and (self._foreign_pool or self._lease is not None):
            raise PoolUnusableError(f"pool `{self._pool_id}` is gone", code="PoolNotFound")
        if pool is not None:
            self._note_pool(_pool_changed(self._pool_id, pool))
        nodes = self._look_at_nodes()
        if pool is None:
            return
        is_changing = self._tend is not None and self._tend(pool, nodes)
        if not self._foreign_pool and not is_changing:
            self._judge.judge(pool, nodes, self._clock.monotonic())
        if self._has_preparation and nodes and pool.allocation_state == "steady":
            self._judge_preparation(nodes)

    def _look_at_nodes(self) -> tuple[NodeStatus, ...]:
        self._doubts_nodes = False
        nodes = self._batch.node_statuses(self._pool_id)
        for node in nodes:
            self._note_node(node)
        self._note_gone({node.id for node in nodes})
        self._start_tasks_ended = bool(nodes) and all(node.start_task_ended for node in nodes)
        return nodes

    def look_at_start_tasks(self) -> None:
        """Has those told that failed since the last look, where some were not over by then."""
        if self._has_start_task and not self._start_tasks_ended:
            self._look_at_nodes()

    def _note_pool(self, change: PoolChanged) -> None:
        if change != self._pool:
            self._pool = change
            self._journal.record(change)

    def doubt_nodes(self) -> None:
        """What is known of nodes is older than what is learnt of tasks from here on."""
        self._doubts_nodes = True

    def was_taken(self, node: str | None) -> bool | None:
        """Whether the service has taken a node back, of which a task was put into the queue again.

        It takes spot nodes alone, and one that shows another reason to have lost its tasks, as it
        does for a while, was not taken. Where the task's node was never seen, it may be any.
        """
        kinds = {self._spot[node]} if node in self._spot else set(self._spot.values())
        if kinds != {True}:
            return False if kinds == {False} else None
        if self._doubts_nodes:
            self._look_at_nodes()
        states = [self._nodes.get(node)] if node in self._spot else self._nodes.values()
        return _LOST_OTHERWISE.isdisjoint(states)

    def _note_node(self, node: NodeStatus) -> None:
        if node.is_dedicated is not None:
            self._spot[node.id] = not node.is_dedicated
        previous = self._nodes.get(node.id)
        if previous != node.state:
            self._nodes[node.id] = node.state
            self._journal.record(
                NodeChanged(
                    node=node.id,
                    state=node.state,
                    previous=previous,
                    dedicated=node.is_dedicated,
                    allocated=node.allocated,
                )
            )
        if self._foreign_pool:
            return
        failed = node.state == "starttaskfailed" or node.start_task_failure is not None
        if failed and node.id not in self._failed_start_tasks:
            # Also where tasks do not wait for it: they may lack what it should have brought.
            self._failed_start_tasks.add(node.id)
            self._tell_failure(
                StartTaskFailed(
                    node=node.id,
                    exit_code=node.start_task_exit_code,
                    message=node.start_task_failure,
                    stderr_tail=self._logs.keep(START_TASK, node.id, "startup"),
                )
            )

    def _note_gone(self, there: Collection[str]) -> None:
        """Nodes that the pool has no more cost nothing from here on."""
        for node in tuple(self._nodes):
            if node not in there:
                previous = self._nodes.pop(node)
                spot = self._spot.get(node)
                self._journal.record(
                    NodeChanged(
                        node=node,
                        state=GONE,
                        previous=previous,
                        dedicated=None if spot is None else not spot,
                    )
                )

    def _tell_failure(self, failed: StartTaskFailed) -> None:
        if self._first_tail is None:
            self._first_tail = failed.stderr_tail.strip()
        self._journal.record(failed)

    def _judge_job(self, job: JobStatus) -> None:
        if job.problem is not None:
            raise unusable(f"the service cannot make the job's pool: {job.problem}", job.problem)
        self.job_state = job.state
        self.job_ended = job.state in (JobState.COMPLETED, JobState.DELETING, JobState.GONE)

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
        cause = common(_preparation_cause(failed[node.id]) for node in nodes)
        raise PreparationFailedError(
            f"the job preparation failed on every node ({cause})",
            hint=self._hint(),
        )

    def _hint(self) -> str:
        """Of failures the first is shown whole."""
        where = "is above" if self._first_tail else "is empty"
        return f"its standard error {where}; try the command by hand on a node"

    def _tell_preparation(self, status: NodeCommandStatus) -> None:
        tail = ""
        if status.directory is not None:
            tail = self._logs.keep(PREPARATION, status.node_id, status.directory)
        self._tell_failure(
            StartTaskFailed(
                node=status.node_id,
                exit_code=status.exit_code,
                message=None if status.failure is None else status.failure.message,
                stderr_tail=tail,
                command="job preparation",
            )
        )


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
        vm_size=pool.vm_size,
    )
