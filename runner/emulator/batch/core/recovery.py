"""Goes on after the emulator has ended in whatever way: all that follows from the records alone.

To what was under way it is as if the power of every node had failed. It must not know where the
records were kept.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.actions import RemoveTaskFiles
from runner.emulator.batch.core.agenda import (
    JobDue,
    NodeDue,
    PoolDue,
    SampleDue,
    ScaleDue,
    ScheduleDue,
    TaskDue,
)
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.jobnode import JobNode
from runner.emulator.batch.core.node import Node, NodeState
from runner.emulator.batch.core.nodes import restart_node
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.preparation import ended_run
from runner.emulator.batch.core.runs import requeue_task
from runner.emulator.batch.core.schedule import JobSchedule
from runner.emulator.batch.core.state import State
from runner.emulator.batch.core.task import Task, TaskState
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import replace


def recover(state: State, now: datetime) -> None:
    """Ends what ran, starts the nodes anew, and notes all that is due; for `engine.advance`.

    To be called once, on records that were just read: their runs are of another process.
    """
    state.resume_stamps(_last_stamp(state))
    for job in state.store.jobs:
        for record in state.store.job_nodes.of_job(job.id):
            _end_job_runs(state, now, record)
        for task in state.store.tasks(job.id):
            _recover_task(state, now, task)
        _watch_job(state, job)
    for pool in state.store.pools:
        for node in state.store.nodes(pool.id):
            _recover_node(state, now, node)
        _watch_pool(state, now, pool)
    for schedule in state.store.schedules:
        _watch_schedule(state, schedule)


def _last_stamp(state: State) -> datetime | None:
    """The latest moment from which an ETag was made: none may come twice."""
    stamps = [job.modified for job in state.store.jobs]
    stamps += [pool.modified for pool in state.store.pools]
    stamps += [schedule.modified for schedule in state.store.schedules]
    stamps += [task.modified for job in state.store.jobs for task in state.store.tasks(job.id)]
    return max(stamps, default=None)


def latest_moment(state: State) -> datetime | None:
    """The latest moment of which any record tells that it had come."""
    store = state.store
    moments = [job.state_time for job in store.jobs]
    for pool in store.pools:
        moments += (pool.state_time, pool.allocation_time)
        moments += [node.state_time for node in store.nodes(pool.id)]
    moments += [schedule.state_time for schedule in store.schedules]
    moments += [task.state_time for job in store.jobs for task in store.tasks(job.id)]
    stamp = _last_stamp(state)
    return max(moments if stamp is None else [*moments, stamp], default=None)


def _recover_task(state: State, now: datetime, task: Task) -> None:
    match task.state:
        case TaskState.PREPARING | TaskState.RUNNING:
            for place in task.places:
                state.actions.append(RemoveTaskFiles(node=place.node, job=task.job, task=task.id))
            requeue_task(state, now, task)
        case TaskState.COMPLETED:
            if task.retention is not None and task.ended is not None and not task.cleaned_up:
                due = TaskDue(job=task.job, task=task.id)
                state.agenda.add_retention(task.ended, task.retention, due)
        case TaskState.ACTIVE:
            pass
        case _:
            raise unforeseen(task.state)


def _end_job_runs(state: State, now: datetime, record: JobNode) -> None:
    """A preparation or release that ran has failed; what that means is decided with the node."""
    if record.preparation.run is not None:
        record = replace(record, preparation=ended_run(record.preparation, now, None))
        state.store.put(record)
    if record.release is not None and record.release.run is not None:
        state.store.put(replace(record, release=ended_run(record.release, now, None)))


def _recover_node(state: State, now: datetime, node: Node) -> None:
    start = node.start
    if start is not None and start.run is not None:
        start = replace(start, run=None)
    node = replace(node, occupied=(), start=start)
    state.store.put(node)
    due = NodeDue(pool=node.pool, node=node.id)
    match node.state:
        case (
            NodeState.IDLE
            | NodeState.RUNNING
            | NodeState.OFFLINE
            | NodeState.WAITING_FOR_START_TASK
            | NodeState.START_TASK_FAILED
            | NodeState.REBOOTING
            | NodeState.UPGRADING_OS
        ):
            restart_node(state, now, node)
        case NodeState.CREATING:
            state.agenda.add(node.state_time + state.pace.creating, due)
        case NodeState.STARTING:
            state.agenda.add(node.state_time + state.pace.starting, due)
        case NodeState.LEAVING_POOL | NodeState.REIMAGING | NodeState.DEALLOCATING:
            state.agenda.add(node.state_time + state.pace.leaving, due)
        case NodeState.PREEMPTED:
            state.agenda.add(node.until or now, due)
        case NodeState.UNUSABLE | NodeState.UNKNOWN | NodeState.DEALLOCATED:
            pass
        case _:
            raise unforeseen(node.state)


def _watch_pool(state: State, now: datetime, pool: Pool) -> None:
    pace = state.pace
    state.agenda.add(now, SampleDue(pool=pool.id, created=pool.created))
    if pool.autoscale is not None:
        run, rule = pool.autoscale.run, pool.autoscale.rule
        moment = now if run is None else run.moment + rule.interval
        state.agenda.add(moment, ScaleDue(pool=pool.id, since=pool.autoscale.since))
    for moment in (
        pool.allocation_time + max(pace.allocating, pace.stopping),
        pool.state_time + pace.deleting,
    ):
        state.agenda.add(moment, PoolDue(pool=pool.id))
    state.offer_work(pool.id)


def _watch_job(state: State, job: Job) -> None:
    state.agenda.add(job.state_time + state.pace.job_changing, JobDue(job=job.id))
    if job.rules.max_wall_clock_time is not None:
        state.agenda.add(job.started + job.rules.max_wall_clock_time, JobDue(job=job.id))


def _watch_schedule(state: State, schedule: JobSchedule) -> None:
    due = ScheduleDue(schedule=schedule.id)
    state.touch_schedule(schedule.id)
    state.agenda.add(schedule.state_time + state.pace.job_changing, due)
    for moment in (schedule.next_due, schedule.recurrence.not_after):
        if moment is not None:
            state.agenda.add(moment, due)
