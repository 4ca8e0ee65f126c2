"""All records, and the one place through which they change.

It must not know what a change means, nor how a record that is kept on disk lies there.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TypeAlias

from runner.emulator.batch.core.exits import exit_action
from runner.emulator.batch.core.ids import JobId, Key, NodeId, PoolId, ScheduleId, TaskId, key_of
from runner.emulator.batch.core.job import Job, JobState
from runner.emulator.batch.core.jobnode import JobNode, JobNodes
from runner.emulator.batch.core.node import Node, differs_little
from runner.emulator.batch.core.nodetable import NodeTable
from runner.emulator.batch.core.ordered import OrderedTable
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.schedule import JobSchedule
from runner.emulator.batch.core.task import SatisfiedTask, Task, TaskState
from runner.emulator.batch.core.tasktable import TaskTable
from runner.emulator.never import unforeseen
from runner.emulator.storage.journal import Journal

Record: TypeAlias = Pool | Node | Job | Task | JobNode | JobSchedule


class Store:
    """Records in memory, and where there is a journal on disk; the tables are for reading."""

    def __init__(self) -> None:
        self._journal: Journal | None = None
        self.revision = 0
        """Another after every change: who has seen all of one needs to look again only then."""
        self.pools: OrderedTable[Pool] = OrderedTable()
        self.jobs: OrderedTable[Job] = OrderedTable()
        self.schedules: OrderedTable[JobSchedule] = OrderedTable()
        self.job_nodes = JobNodes()
        self._nodes: defaultdict[Key, NodeTable] = defaultdict(NodeTable)
        self._tasks: defaultdict[Key, TaskTable] = defaultdict(TaskTable)
        self._active_jobs: defaultdict[Key, dict[Key, None]] = defaultdict(dict)

    def keep(self, journal: Journal) -> None:
        """From now on every change goes to the journal too."""
        self._journal = journal

    def put(self, record: Record) -> None:
        """Stores a record, new or changed."""
        before: Record | None
        self.revision += 1
        match record:
            case Pool():
                before = self.pools.put(key_of(record.id), record)
            case Node():
                before = self._put_node(record)
            case Job():
                before = self._put_job(record)
            case Task():
                before = self._put_task(record)
            case JobNode():
                before = self.job_nodes.put(record)
            case JobSchedule():
                before = self.schedules.put(key_of(record.id), record)
            case _:
                raise unforeseen(record)
        if self._journal is None:
            return
        if isinstance(record, Node) and isinstance(before, Node) and differs_little(before, record):
            self._journal.put_lazily(record)
        else:
            self._journal.put(record, before)

    def delete(self, record: Record) -> None:
        """Removes a record; a pool without nodes, a job with its tasks and what it did to nodes."""
        self.revision += 1
        match record:
            case Pool():
                self.pools.delete(key_of(record.id))
                self._nodes.pop(key_of(record.id), None)
            case Node():
                self._nodes[key_of(record.pool)].delete(key_of(record.id))
            case Job():
                self.jobs.delete(key_of(record.id))
                self._tasks.pop(key_of(record.id), None)
                self.job_nodes.forget_job(record.id)
                self._active_jobs[key_of(record.pool)].pop(key_of(record.id), None)
                if self._journal is not None:
                    for of in (Task, SatisfiedTask, JobNode):
                        self._journal.delete_owner(of, key_of(record.id))
            case Task():
                self._note_satisfied(self._tasks[key_of(record.job)].delete(key_of(record.id)))
            case JobNode():
                self.job_nodes.forget(record)
            case JobSchedule():
                self.schedules.delete(key_of(record.id))
            case _:
                raise unforeseen(record)
        if self._journal is not None:
            self._journal.delete(record)

    def _put_node(self, node: Node) -> Node | None:
        table = self._nodes[key_of(node.pool)]
        before = table.get(key_of(node.id))
        table.put(node)
        return before

    def _put_task(self, task: Task) -> Task | None:
        table = self._tasks[key_of(task.job)]
        before = table.get(key_of(task.id))
        table.put(task)
        if before is not None and task.state is not TaskState.COMPLETED:
            self._note_satisfied(before)
        return before

    def _note_satisfied(self, task: Task | None) -> None:
        """Others go on that waited for a task, though it is deleted, or run again."""
        if self._journal is None or task is None or task.state is not TaskState.COMPLETED:
            return
        job = self.jobs.get(key_of(task.job))
        waited_for = job is not None and job.rules.uses_dependencies
        if waited_for and exit_action(task).satisfies_dependents:
            self._journal.put(SatisfiedTask(job=task.job, task=task.id))

    def _put_job(self, job: Job) -> Job | None:
        key = key_of(job.id)
        before = self.jobs.put(key, job)
        if before is not None and before.pool != job.pool:
            self._active_jobs[key_of(before.pool)].pop(key, None)
        if job.state is JobState.ACTIVE:
            self._active_jobs[key_of(job.pool)][key] = None
        else:
            self._active_jobs[key_of(job.pool)].pop(key, None)
        return before

    def pool(self, identifier: PoolId) -> Pool:
        """Raises `RefusedError` where there is none."""
        pool = self.pools.get(key_of(identifier))
        if pool is None:
            raise RefusedError(Reason.POOL_NOT_FOUND)
        return pool

    def node(self, pool: PoolId, identifier: NodeId) -> Node:
        """Raises `RefusedError` where there is none."""
        self.pool(pool)
        node = self.nodes(pool).get(key_of(identifier))
        if node is None:
            raise RefusedError(Reason.NODE_NOT_FOUND)
        return node

    def job(self, identifier: JobId) -> Job:
        """Raises `RefusedError` where there is none."""
        job = self.jobs.get(key_of(identifier))
        if job is None:
            raise RefusedError(Reason.JOB_NOT_FOUND)
        return job

    def schedule(self, identifier: ScheduleId) -> JobSchedule:
        """Raises `RefusedError` where there is none."""
        schedule = self.schedules.get(key_of(identifier))
        if schedule is None:
            raise RefusedError(Reason.SCHEDULE_NOT_FOUND)
        return schedule

    def task(self, job: JobId, identifier: TaskId) -> Task:
        """Raises `RefusedError` where there is none."""
        self.job(job)
        task = self.tasks(job).get(key_of(identifier))
        if task is None:
            raise RefusedError(Reason.TASK_NOT_FOUND)
        return task

    def nodes(self, pool: PoolId) -> NodeTable:
        """The nodes of a pool."""
        return self._nodes[key_of(pool)]

    def tasks(self, job: JobId) -> TaskTable:
        """The tasks of a job."""
        return self._tasks[key_of(job)]

    def active_jobs(self, pool: PoolId) -> tuple[Job, ...]:
        """The jobs whose tasks may run on the pool, in no order."""
        jobs = (self.jobs.get(key) for key in self._active_jobs[key_of(pool)])
        return tuple(job for job in jobs if job is not None)
