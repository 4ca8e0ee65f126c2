"""The transitions of job release: at a job's end, on every node that was prepared for it.

It must not know why the job ends.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.actions import RunRelease
from runner.emulator.batch.core.ids import RunId, key_of
from runner.emulator.batch.core.job import Job, JobState
from runner.emulator.batch.core.jobnode import JobNode
from runner.emulator.batch.core.node import NodeRun, NodeState
from runner.emulator.batch.core.preparation import ended_run
from runner.emulator.batch.core.runs import with_exit_failure
from runner.emulator.batch.core.state import Run, State
from runner.emulator.batch.node.launch import Outcome
from runner.emulator.storage.record import replace

_READY = frozenset(
    {NodeState.IDLE, NodeState.RUNNING, NodeState.OFFLINE, NodeState.START_TASK_FAILED}
)
_LOST = frozenset(
    {NodeState.LEAVING_POOL, NodeState.PREEMPTED, NodeState.UNUSABLE, NodeState.UNKNOWN}
)


def release_nodes(state: State, now: datetime, job: Job) -> bool:
    """Starts the releases that have not been; whether all are over.

    To be called when nothing else of the job runs any more. One that fails is not tried again,
    and holds up nothing (REST reference, JobReleaseTask). A node that is about to be ready is
    waited for; on one that is lost the release has failed.
    """
    waits = False
    if job.rules.release is not None:
        for record in tuple(state.store.job_nodes.of_job(job.id)):
            if record.release is None and not record.left:
                waits = not _is_met(state, now, record) or waits
    return not waits and not state.has_runs(job.id)


def _is_met(state: State, now: datetime, record: JobNode) -> bool:
    """Runs the release on a node that can; whether the node need not be waited for."""
    node = state.store.nodes(record.pool).get(key_of(record.node))
    if node is None or node.state in _LOST:
        state.store.put(lost_release(state, now, record))
        return True
    if node.state not in _READY:
        return False
    _run_release(state, now, record)
    return True


def lost_release(state: State, now: datetime, record: JobNode) -> JobNode:
    """What is known of a node that is lost while its job ends: that its release has failed."""
    job = state.store.jobs.get(key_of(record.job))
    ending = job is not None and job.state in (JobState.TERMINATING, JobState.DELETING)
    if job is None or not ending or job.rules.release is None or record.release is not None:
        return record
    return replace(record, release=ended_run(NodeRun(started=now), now, None))


def _run_release(state: State, now: datetime, record: JobNode) -> None:
    run = state.open_run(Run(pool=record.pool, node=record.node, job=record.job, task=None))
    state.store.put(replace(record, release=NodeRun(started=now, run=run)))
    state.actions.append(RunRelease(run=run, job=record.job, pool=record.pool, node=record.node))


def end_release(state: State, now: datetime, identifier: RunId, outcome: Outcome | None) -> None:
    """Takes note that a release is over; `outcome` is None where it was killed."""
    run = state.close_run(identifier)
    if run is None or run.job is None:
        return
    state.touch_job(run.job)
    state.touch_pool(run.pool)
    record = state.store.job_nodes.get(run.job, run.node)
    if record is None or record.release is None or record.release.run != identifier:
        return
    ended = None if outcome is None else with_exit_failure(outcome)
    state.store.put(replace(record, release=ended_run(record.release, now, ended)))
