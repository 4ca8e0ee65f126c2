"""The transitions of nodes: made, started, given their start task, taken from work, leaving.

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
from runner.emulator.batch.core.refusal import Reason, RefusedError
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
            if _is_empty(state, now, node):
                _leave(state, node)
        case NodeState.REBOOTING:
            if _is_empty(state, now, node):
                _restart(state, now, node)
        case _:
            pass


def _boot(state: State, now: datetime, node: Node) -> None:
    state.actions.append(PrepareNode(pool=node.pool, node=node.id))
    rule = state.store.pool(node.pool).start_task
    node = replace(node, booted=now, state_time=now)
    if rule is None:
        state.store.put(replace(node, state=node.ready_state))
    else:
        waits = rule.wait_for_success
        start = NodeState.WAITING_FOR_START_TASK if waits else node.ready_state
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
    if not node.closing and may_retry(rule.max_retry_count, start.retry_count, outcome):
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
        to = NodeState.START_TASK_FAILED if failed else node.ready_state
        node = replace(node, state=to, state_time=now)
    state.store.put(node)
    look_at_node(state, now, node)
    state.offer_work(node.pool)


def leave_pool(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has a node leave; its tasks are dealt with as the option says."""
    if node.state is NodeState.LEAVING_POOL:
        return
    state.store.put(replace(node, state=NodeState.LEAVING_POOL, state_time=now))
    _clear(state, now, node, option)


def reboot_node(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has a node restart; its tasks are dealt with as the option says."""
    if node.state is NodeState.REBOOTING:
        raise RefusedError(Reason.NODE_BEING_REBOOTED)
    if node.state not in (NodeState.IDLE, NodeState.RUNNING):
        raise RefusedError(Reason.NODE_OPERATION_INVALID)
    state.store.put(replace(node, state=NodeState.REBOOTING, state_time=now))
    _clear(state, now, node, option)


def _clear(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has all that runs on a node end, tasks as the option says."""
    state.agenda.add(now + state.pace.leaving, NodeDue(pool=node.pool, node=node.id))
    if node.start is not None and node.start.run is not None:
        state.actions.append(Kill(run=node.start.run))
    for record in state.store.job_nodes.of_node(node.id):
        state.actions.extend(Kill(run=run) for run in record.runs)
    _end_tasks(state, now, node, option)


def _end_tasks(state: State, now: datetime, node: Node, option: Deallocation) -> None:
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


def _is_empty(state: State, now: datetime, node: Node) -> bool:
    starting = node.start is not None and node.start.run is not None
    busy = starting or any(record.runs for record in state.store.job_nodes.of_node(node.id))
    return not node.occupied and not busy and now >= node.state_time + state.pace.leaving


def _leave(state: State, node: Node) -> None:
    state.store.delete(node)
    for record in state.store.job_nodes.of_node(node.id):
        state.store.put(replace(record, left=True))
        state.touch_job(record.job)
    state.actions.append(RemoveNodeFiles(node=node.id))
    state.touch_pool(node.pool)


def _restart(state: State, now: datetime, node: Node) -> None:
    """Starts a node anew; what has to be prepared anew for jobs will be, before their next task.

    REST reference, `rerunOnNodeRebootAfterSuccess`: always where the preparation did not succeed.
    """
    for record in state.store.job_nodes.of_node(node.id):
        job = state.store.jobs.get(key_of(record.job))
        rule = None if job is None else job.rules.preparation
        again = rule is None or rule.rerun_after_reboot or record.preparation.failure is not None
        if again and record.release is None:
            state.store.job_nodes.forget(record)
    state.store.put(replace(node, state=NodeState.STARTING, state_time=now))
    due = NodeDue(pool=node.pool, node=node.id)
    state.agenda.add(now + state.pace.starting, due)


def disable_scheduling(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has a node get no more tasks; those that run are dealt with as the option says."""
    if node.scheduling is SchedulingState.DISABLED:
        raise RefusedError(Reason.NODE_SCHEDULING_UNCHANGED)
    if node.state not in (NodeState.IDLE, NodeState.RUNNING):
        raise RefusedError(Reason.NODE_OPERATION_INVALID)
    idle = node.state is NodeState.IDLE
    node = replace(
        node,
        scheduling=SchedulingState.DISABLED,
        state=NodeState.OFFLINE if idle else node.state,
        state_time=now if idle else node.state_time,
    )
    state.store.put(node)
    _end_tasks(state, now, node, option)


def enable_scheduling(state: State, now: datetime, node: Node) -> None:
    """Has a node get tasks again."""
    if node.scheduling is SchedulingState.ENABLED:
        raise RefusedError(Reason.NODE_SCHEDULING_UNCHANGED)
    offline = node.state is NodeState.OFFLINE
    state.store.put(
        replace(
            node,
            scheduling=SchedulingState.ENABLED,
            state=NodeState.IDLE if offline else node.state,
            state_time=now if offline else node.state_time,
        )
    )
    state.offer_work(node.pool)
