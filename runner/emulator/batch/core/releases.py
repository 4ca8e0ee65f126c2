"""The transitions of job release: at a job's end, on every node that was prepared for it.

It must not know why the job ends.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from runner.emulator.batch.core.actions import RunRelease
from runner.emulator.batch.core.ids import RunId, key_of
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.jobnode import JobNode
from runner.emulator.batch.core.node import NodeRun
from runner.emulator.batch.core.preparation import ended_run
from runner.emulator.batch.core.runs import with_exit_failure
from runner.emulator.batch.core.state import Run, State
from runner.emulator.batch.node.launch import Outcome


def release_nodes(state: State, now: datetime, job: Job) -> bool:
    """Starts the releases that have not been; whether all are over.

    To be called when nothing else of the job runs any more. One that fails is not tried again,
    and holds up nothing (REST reference, JobReleaseTask).
    """
    if job.rules.release is not None:
        for record in state.store.job_nodes.of_job(job.id):
            if record.release is None and not record.left:
                _run_release(state, now, record)
    return not state.has_runs(job.id)


def _run_release(state: State, now: datetime, record: JobNode) -> None:
    node = state.store.nodes(record.pool).get(key_of(record.node))
    if node is None or node.closing:
        return
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
