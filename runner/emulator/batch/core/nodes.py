"""The transitions of nodes: made, started, given their start task, taken from work, leaving.

It must not know how many nodes a pool should have (`pools`).
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.actions import PrepareNode, RemoveNodeFiles, RunStartTask
from runner.emulator.batch.core.agenda import NodeDue
from runner.emulator.batch.core.clearing import clear_node, end_tasks, is_clear
from runner.emulator.batch.core.ids import NodeId, RunId, key_of
from runner.emulator.batch.core.job import JobState
from runner.emulator.batch.core.node import Node, NodeRun, NodeState, SchedulingState
from runner.emulator.batch.core.pool import Deallocation, Pool
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.releases import lost_release
from runner.emulator.batch.core.runs import may_retry, with_exit_failure
from runner.emulator.batch.core.state import Run, State
from runner.emulator.batch.node.launch import Outcome
from runner.emulator.storage.record import replace


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
        machine_since=now,
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
    state.logs.note(node.id, now, f"node {number} of pool {pool.id} is allocated")
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
        case _:
            if node.closing and is_clear(state, now, node):
                _move_on(state, now, node)


def _move_on(state: State, now: datetime, node: Node) -> None:
    """What follows once nothing runs on a node any more."""
    match node.state:
        case NodeState.LEAVING_POOL:
            _leave(state, now, node)
        case NodeState.REBOOTING:
            restart_node(state, now, node)
        case NodeState.REIMAGING:
            begin_start(state, now, _lose_files(state, node))
        case NodeState.DEALLOCATING:
            node = give_back(state, now, _lose_files(state, node))
            node = replace(node, option=None, start=None)
            state.store.put(replace(node, state=NodeState.DEALLOCATED, state_time=now))
        case NodeState.PREEMPTED:
            if node.until is not None and now >= node.until:
                _create_again(state, now, _lose_files(state, node))
        case _:
            pass


def _boot(state: State, now: datetime, node: Node) -> None:
    state.actions.append(PrepareNode(pool=node.pool, node=node.id))
    state.logs.note(node.id, now, "node has booted")
    rule = state.store.pool(node.pool).start_task
    node = replace(node, booted=now, state_time=now)
    # A node that recovered may still hold the slots of what is being killed.
    ready = NodeState.RUNNING if node.occupied else node.ready_state
    if rule is None:
        state.store.put(replace(node, state=ready))
    else:
        waits = rule.wait_for_success
        start = NodeState.WAITING_FOR_START_TASK if waits else ready
        _run_start_task(state, replace(node, state=start, start=NodeRun(started=now)))
    _tell_jobs(state, node)
    state.offer_work(node.pool)


def _tell_jobs(state: State, node: Node) -> None:
    """Has the jobs looked at that may wait for a node, to be released there."""
    for record in state.store.job_nodes.of_node(node.id):
        state.touch_job(record.job)


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
    _note_start(state, now, node, outcome)
    node = replace(node, start=ended)
    if node.state is NodeState.WAITING_FOR_START_TASK:
        failed = outcome.failure is not None
        to = NodeState.START_TASK_FAILED if failed else node.ready_state
        node = replace(node, state=to, state_time=now)
    state.store.put(node)
    look_at_node(state, now, node)
    _tell_jobs(state, node)
    state.offer_work(node.pool)


def _note_start(state: State, now: datetime, node: Node, outcome: Outcome) -> None:
    if outcome.failure is None:
        state.logs.note(node.id, now, "start task has succeeded")
    else:
        state.logs.warn(node.id, now, f"start task has failed: {outcome.failure.code}")


def leave_pool(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has a node leave; its tasks are dealt with as the option says."""
    if node.state is not NodeState.LEAVING_POOL:
        clear_node(state, now, node, NodeState.LEAVING_POOL, option)


def _leave(state: State, now: datetime, node: Node) -> None:
    give_back(state, now, node)
    state.store.delete(node)
    for record in state.store.job_nodes.of_node(node.id):
        state.store.put(replace(lost_release(state, now, record), left=True))
        state.touch_job(record.job)
    state.actions.append(RemoveNodeFiles(node=node.id))
    state.logs.forget(node.id)
    state.touch_pool(node.pool)


def give_back(state: State, now: datetime, node: Node) -> Node:
    """Books the time for which a node had its machine, which it has no more."""
    if node.machine_since is not None:
        pool = state.store.pool(node.pool)
        state.usage.book(pool.id, pool.vm_size, node.machine_since, now)
    return replace(node, machine_since=None)


def _lose_files(state: State, node: Node) -> Node:
    """What is left of a node whose disk is made anew: jobs prepare it again before their tasks."""
    _tell_jobs(state, node)
    for record in state.store.job_nodes.of_node(node.id):
        if record.release is None:
            state.store.delete(record)
    state.actions.append(RemoveNodeFiles(node=node.id))
    return replace(node, users=(), retained_until=None)


def restart_node(state: State, now: datetime, node: Node) -> None:
    """Has a node boot that nothing runs on any more, with its files."""
    _forget_preparations(state, node)
    begin_start(state, now, node)


def _forget_preparations(state: State, node: Node) -> None:
    """What has to be prepared anew for jobs after a restart will be, before their next task.

    REST reference, `rerunOnNodeRebootAfterSuccess`: always where the preparation did not succeed.
    A job that ends has no next task, and is still to be released.
    """
    for record in state.store.job_nodes.of_node(node.id):
        job = state.store.jobs.get(key_of(record.job))
        if job is not None and job.state in (JobState.TERMINATING, JobState.DELETING):
            continue
        rule = None if job is None else job.rules.preparation
        again = rule is None or rule.rerun_after_reboot or record.preparation.failure is not None
        if again and record.release is None:
            state.store.delete(record)


def begin_start(state: State, now: datetime, node: Node) -> None:
    """Has a node that nothing runs on boot, and run its start task."""
    state.store.put(
        replace(
            node,
            state=NodeState.STARTING,
            state_time=now,
            machine_since=node.machine_since or now,
            option=None,
            until=None,
        )
    )
    state.agenda.add(now + state.pace.starting, NodeDue(pool=node.pool, node=node.id))


def _create_again(state: State, now: datetime, node: Node) -> None:
    """A preempted node comes back as a new machine with its old name and time of allocation."""
    state.store.put(
        replace(
            node,
            state=NodeState.CREATING,
            state_time=now,
            machine_since=now,
            booted=None,
            start=None,
            option=None,
            until=None,
        )
    )
    state.agenda.add(now + state.pace.creating, NodeDue(pool=node.pool, node=node.id))


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
    end_tasks(state, now, node, option)


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
