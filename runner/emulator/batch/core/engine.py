"""Lets time pass: what is due happens, what was touched is looked at, nodes get work.

It must not know processes, HTTP or the clock: it is given the moment and hands out actions.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.actions import Action
from runner.emulator.batch.core.agenda import (
    Due,
    JobDue,
    NodeDue,
    PoolDue,
    SampleDue,
    ScaleDue,
    ScheduleDue,
    TaskDue,
    WorkDue,
)
from runner.emulator.batch.core.ids import PoolId, key_of
from runner.emulator.batch.core.jobprogress import look_at_job, react_to_exit
from runner.emulator.batch.core.nodes import look_at_node
from runner.emulator.batch.core.pools import look_at_pool
from runner.emulator.batch.core.precedence import make_room
from runner.emulator.batch.core.preparation import place_task
from runner.emulator.batch.core.runs import clean_up_task
from runner.emulator.batch.core.scaling import scale_pool, take_sample
from runner.emulator.batch.core.scheduler import next_placement
from runner.emulator.batch.core.schedules import look_at_schedule
from runner.emulator.batch.core.state import State
from runner.emulator.never import unforeseen


def advance(state: State, now: datetime) -> tuple[Action, ...]:
    """Brings the state up to a moment; gives what is to be done outside, in order.

    Call it after every transition and whenever `state.agenda.next_moment()` has come.
    """
    while (due := state.agenda.pop(now)) is not None:
        _meet(state, now, due)
    while (
        state.ended_tasks
        or state.touched_jobs
        or state.touched_schedules
        or state.touched_pools
        or state.offered_pools
    ):
        _follow_up(state, now)
    actions = tuple(state.actions)
    state.actions.clear()
    return actions


def _meet(state: State, now: datetime, due: Due) -> None:
    match due:
        case PoolDue():
            state.touch_pool(due.pool)
        case NodeDue():
            node = state.store.nodes(due.pool).get(key_of(due.node))
            if node is not None:
                look_at_node(state, now, node)
        case JobDue():
            state.touch_job(due.job)
        case TaskDue():
            clean_up_task(state, now, due.job, due.task)
        case SampleDue():
            take_sample(state, now, due)
        case ScaleDue():
            scale_pool(state, now, due)
        case WorkDue():
            _give_work(state, now, due.pool)
        case ScheduleDue():
            state.touch_schedule(due.schedule)
        case _:
            raise unforeseen(due)


def _follow_up(state: State, now: datetime) -> None:
    ended = tuple(state.ended_tasks)
    state.ended_tasks.clear()
    for job_id, task_id in ended:
        react_to_exit(state, now, job_id, task_id)
    jobs = tuple(state.touched_jobs)
    state.touched_jobs.clear()
    for job_id in jobs:
        job = state.store.jobs.get(key_of(job_id))
        if job is not None:
            look_at_job(state, now, job)
    schedules = tuple(state.touched_schedules)
    state.touched_schedules.clear()
    for schedule_id in schedules:
        schedule = state.store.schedules.get(key_of(schedule_id))
        if schedule is not None:
            look_at_schedule(state, now, schedule)
    pools = tuple(state.touched_pools)
    state.touched_pools.clear()
    for pool_id in pools:
        pool = state.store.pools.get(key_of(pool_id))
        if pool is not None:
            look_at_pool(state, now, pool)
    offered = tuple(state.offered_pools)
    state.offered_pools.clear()
    for pool_id in offered:
        if state.pace.scheduling:
            state.agenda.add(now + state.pace.scheduling, WorkDue(pool=pool_id))
        else:
            _give_work(state, now, pool_id)


def _give_work(state: State, now: datetime, pool_id: PoolId) -> None:
    while (placement := next_placement(state.store, pool_id)) is not None:
        place_task(state, now, *placement)
    make_room(state, now, pool_id)
