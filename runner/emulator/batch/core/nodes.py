"""The transitions of nodes: made, started, given their start task, leaving.

It must not know how many nodes a pool should have (`pools`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from typing_extensions import assert_never

from runner.emulator.batch.core.actions import Kill, PrepareNode, RemoveNodeFiles, RunStartTask
from runner.emulator.batch.core.agenda import NodeDue
from runner.emulator.batch.core.ids import NodeId, RunId, key_of
from runner.emulator.batch.core.node import Node, NodeRun, NodeState, SchedulingState
from runner.emulator.batch.core.pool import Deallocation, Pool
from runner.emulator.batch.core.runs import end_task, may_retry, requeue_task, with_exit_failure
from runner.emulator.batch.core.state import Run, State
from runner.emulator.batch.node.launch import Outcome


def make_node(state: State, now: datetime, pool: Pool, number: int, *, dedicated: bool) -> None:
    """Adds a node to a pool; it becomes ready by itself."""
    kind = "d" if dedicated else "p"
    node = Node(
        pool=pool.id,
        id=NodeId(f"tvmps_{state.names.node()}_{kind}"),
        number=number,
        dedicated=dedicated,
        state=NodeState.CREATING,
        state_time=now,
        allocated=now,
        booted=None,
        scheduling=SchedulingState.ENABLED,
        slots=pool.slots_per_node,
        start=None,
        occupied=(),
        recent=(),
        total_run=0,
        total_succeeded=0,
    )
    state.store.put(node)
    state.agenda.add(now + state.pace.creating, NodeDue(pool=pool.id, node=node.id))


def look_at_node(state: State, now: datetime, node: Node) -> None:
    """Moves a node on whose transient state is over; leaves any other alone."""
    match node.state:
        case NodeState.CREATING:
            if now >= node.state_time + state.pace.creating:
                state.store.put(replace(node, state=NodeState.STARTING, state_time=now))
                due = NodeDue(pool=node.pool, node=node.id)
                state.agenda.add(now + state.pace.starting, due)
        case NodeState.STARTING:
            if now >= node.state_time + state.pace.starting:
                _boot(state, now, node)
        case NodeState.LEAVING_POOL:
            _leave_when_empty(state, now, node)
        case _:
            pass


def _boot(state: State, now: datetime, node: Node) -> None:
    state.actions.append(PrepareNode(pool=node.pool, node=node.id))
    rule = state.store.pool(node.pool).start_task
    node = replace(node, booted=now, state_time=now)
    if rule is None:
        state.store.put(replace(node, state=NodeState.IDLE))
    else:
        waits = rule.wait_for_success
        start = NodeState.WAITING_FOR_START_TASK if waits else NodeState.IDLE
        _run_start_task(state, replace(node, state=start, start=NodeRun(started=now)))
    state.offer_work(node.pool)


def _run_start_task(state: State, node: Node) -> None:
    assert node.start is not None
    run = state.open_run(Run(pool=node.pool, node=node.id, job=None, task=None))
    state.store.put(replace(node, start=replace(node.start, run=run)))
    state.actions.append(RunStartTask(run=run, pool=node.pool, node=node.id))


def end_start_task(state: State, now: datetime, identifier: RunId, outcome: Outcome | None) -> None:
    """Takes note that a start task is over; `outcome` is None where it was killed."""
    run = state.close_run(identifier)
    node = None if run is None else state.store.nodes(run.pool).get(key_of(run.node))
    if node is None or node.start is None or node.start.run != identifier:
        return
    rule = state.store.pool(node.pool).start_task
    if outcome is None or rule is None:
        state.store.put(replace(node, start=replace(node.start, run=None)))
        look_at_node(state, now, state.store.node(node.pool, node.id))
        return
    outcome = with_exit_failure(outcome)
    start = node.start
    leaving = node.state is NodeState.LEAVING_POOL
    if not leaving and may_retry(rule.max_retry_count, start.retry_count, outcome):
        retry = replace(start, retry_count=start.retry_count + 1, last_retry=now)
        _run_start_task(state, replace(node, start=retry))
        return
    ended = replace(
        start,
        started=outcome.started,
        ended=outcome.ended,
        exit_code=outcome.exit_code,
        failure=outcome.failure,
        run=None,
    )
    node = replace(node, start=ended)
    if node.state is NodeState.WAITING_FOR_START_TASK:
        failed = outcome.failure is not None
        to = NodeState.START_TASK_FAILED if failed else NodeState.IDLE
        node = replace(node, state=to, state_time=now)
    state.store.put(node)
    look_at_node(state, now, node)
    state.offer_work(node.pool)


def leave_pool(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has a node leave; its tasks are dealt with as the option says."""
    if node.state is NodeState.LEAVING_POOL:
        return
    state.store.put(replace(node, state=NodeState.LEAVING_POOL, state_time=now))
    state.agenda.add(now + state.pace.leaving, NodeDue(pool=node.pool, node=node.id))
    if node.start is not None and node.start.run is not None:
        state.actions.append(Kill(run=node.start.run))
    for record in state.store.job_nodes.of_node(node.id):
        state.actions.extend(Kill(run=run) for run in record.runs)
    for occupation in node.occupied:
        task = state.store.tasks(occupation.job).get(key_of(occupation.task))
        if task is None or task.run != occupation.run:
            continue
        match option:
            case Deallocation.REQUEUE:
                requeue_task(state, now, task)
            case Deallocation.TERMINATE:
                end_task(state, now, task)
            case Deallocation.TASK_COMPLETION | Deallocation.RETAINED_DATA:
                pass
            case _:
                assert_never(option)


def _leave_when_empty(state: State, now: datetime, node: Node) -> None:
    starting = node.start is not None and node.start.run is not None
    records = state.store.job_nodes.of_node(node.id)
    busy = starting or any(record.runs for record in records)
    if node.occupied or busy or now < node.state_time + state.pace.leaving:
        return
    state.store.delete(node)
    for record in records:
        state.store.put(replace(record, left=True))
        state.touch_job(record.job)
    state.actions.append(RemoveNodeFiles(node=node.id))
    state.touch_pool(node.pool)
