"""The transitions of job preparation: once on a node, before the first task of the job there.

It must not know which node a task should take (`scheduler`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from runner.emulator.batch.core.actions import Kill, RunPreparation
from runner.emulator.batch.core.ids import RunId, key_of
from runner.emulator.batch.core.job import Job, JobState, PreparationRule
from runner.emulator.batch.core.jobnode import JobNode
from runner.emulator.batch.core.node import Node, NodeRun
from runner.emulator.batch.core.runs import (
    ENDED_BY_REQUEST,
    may_retry,
    return_task,
    run_waiting_task,
    start_task,
    with_exit_failure,
)
from runner.emulator.batch.core.state import Run, State
from runner.emulator.batch.core.task import Task, TaskState
from runner.emulator.batch.node.launch import Outcome
from runner.emulator.storage.record import replace

_HELD_UP = frozenset({JobState.DISABLING, JobState.DISABLED, JobState.ENABLING})


def place_task(state: State, now: datetime, task: Task, nodes: Sequence[Node]) -> None:
    """Gives a waiting task to nodes, which are prepared for its job first where that asks for it.

    Without `waitForSuccess` the task starts beside the preparation.
    """
    job = state.store.job(task.job)
    rule = job.rules.preparation
    waits = False
    if rule is not None:
        for node in nodes:
            record = state.store.job_nodes.get(job.id, node.id)
            if record is None:
                record = _run_preparation(state, job, node, rule, NodeRun(started=now))
            waits = waits or (rule.wait_for_success and record.preparation.run is not None)
    start_task(state, now, task, nodes, waits=waits)


def _run_preparation(
    state: State, job: Job, node: Node, rule: PreparationRule, attempt: NodeRun
) -> JobNode:
    run = state.open_run(Run(pool=node.pool, node=node.id, job=job.id, task=None))
    record = JobNode(
        job=job.id,
        pool=node.pool,
        node=node.id,
        waits=rule.wait_for_success,
        preparation=replace(attempt, run=run),
    )
    state.store.put(record)
    state.actions.append(RunPreparation(run=run, job=job.id, pool=node.pool, node=node.id))
    return record


def end_preparation(
    state: State, now: datetime, identifier: RunId, outcome: Outcome | None
) -> None:
    """Takes note that a preparation is over; `outcome` is None where it was killed."""
    run = state.close_run(identifier)
    if run is None or run.job is None:
        return
    state.touch_job(run.job)
    state.offer_work(run.pool)
    state.touch_pool(run.pool)
    record = state.store.job_nodes.get(run.job, run.node)
    job = state.store.jobs.get(key_of(run.job))
    node = state.store.nodes(run.pool).get(key_of(run.node))
    if record is None or job is None or record.preparation.run != identifier:
        return
    rule, attempt = job.rules.preparation, record.preparation
    if outcome is not None:
        outcome = with_exit_failure(outcome)
        goes_on = job.state is JobState.ACTIVE and _stays(node)
        retried = rule is not None and may_retry(rule.max_retry_count, attempt.retry_count, outcome)
        if goes_on and retried and rule is not None and node is not None:
            again = replace(attempt, retry_count=attempt.retry_count + 1, last_retry=now)
            _run_preparation(state, job, node, rule, again)
            return
        if retried and _stays(node) and job.state in _HELD_UP:
            # Its next attempt is with the next task that comes here, once the job is enabled.
            state.store.delete(record)
            _give_back(state, now, job, node)
            return
    state.store.put(replace(record, preparation=ended_run(attempt, now, outcome)))
    if outcome is None or outcome.failure is not None:
        _give_back(state, now, job, node)
    elif node is not None:
        for task in tuple(_waiting_tasks(state, job, node)):
            if _is_prepared(state, task):
                run_waiting_task(state, now, task)


def _give_back(state: State, now: datetime, job: Job, node: Node | None) -> None:
    """Puts the tasks back that wait for a node to be prepared."""
    for task in () if node is None else tuple(_waiting_tasks(state, job, node)):
        return_task(state, now, task)


def ended_run(attempt: NodeRun, now: datetime, outcome: Outcome | None) -> NodeRun:
    """What is known of a run once it is over; one that was killed has failed."""
    if outcome is None:
        return replace(attempt, run=None, ended=now, failure=ENDED_BY_REQUEST)
    return replace(
        attempt,
        run=None,
        started=outcome.started,
        ended=outcome.ended,
        exit_code=outcome.exit_code,
        failure=outcome.failure,
    )


def _stays(node: Node | None) -> bool:
    return node is not None and not node.closing


def _waiting_tasks(state: State, job: Job, node: Node) -> Iterator[Task]:
    for occupation in node.occupied:
        if occupation.run in state.waiting_runs and key_of(occupation.job) == key_of(job.id):
            task = state.store.tasks(job.id).get(key_of(occupation.task))
            waits = task is not None and task.state is TaskState.PREPARING
            if task is not None and waits and task.is_run_by(occupation.run):
                yield task


def _is_prepared(state: State, task: Task) -> bool:
    """Whether all nodes of a task are prepared for its job."""
    records = (state.store.job_nodes.get(task.job, place.node) for place in task.places)
    return all(record is None or record.preparation.run is None for record in records)


def kill_preparations(state: State, job: Job) -> None:
    """Has the preparations of a job that ends be killed."""
    for record in state.store.job_nodes.of_job(job.id):
        if record.preparation.run is not None:
            state.actions.append(Kill(run=record.preparation.run))
