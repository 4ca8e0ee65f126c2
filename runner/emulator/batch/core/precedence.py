"""Has tasks of jobs that allow it give way to those of jobs with a higher priority.

It must not know which task takes the room (`scheduler`). Source: REST reference,
`allowTaskPreemption`.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.ids import PoolId, key_of
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.node import Node, Occupation
from runner.emulator.batch.core.runs import requeue_task
from runner.emulator.batch.core.scheduler import waiting_jobs
from runner.emulator.batch.core.state import State
from runner.emulator.batch.core.task import Task


def make_room(state: State, now: datetime, pool: PoolId) -> None:
    """Queues tasks again that hold what a task of a more important job waits for.

    To be called when nothing more can be placed. Room is made for one task at a time, on one node;
    what has made room ends before more is made.
    """
    giving = [job for job in state.store.active_jobs(pool) if job.rules.preemptible]
    if not giving:
        return
    lowest = min(job.rules.priority for job in giving)
    for job in waiting_jobs(state.store, pool):
        if job.rules.priority <= lowest:
            return
        slots = state.store.pool(pool).slots_per_node
        task = state.store.tasks(job.id).next_ready(slots, 0)
        if task is not None:
            _make_room_for(state, now, pool, job, task)
            return


def _make_room_for(state: State, now: datetime, pool: PoolId, job: Job, task: Task) -> None:
    barred = state.store.job_nodes.barred(job.id)
    best: tuple[int, list[Task]] | None = None
    for node in state.store.nodes(pool):
        if not node.takes_tasks or key_of(node.id) in barred:
            continue
        free = node.slots - node.used_slots
        leaving, giving = _sort(state, node, job)
        if free + leaving >= task.slots:
            return
        victims: list[Task] = []
        for victim in giving:
            if free + leaving < task.slots:
                victims.append(victim)
                leaving += victim.slots
        if free + leaving >= task.slots and (best is None or len(victims) < best[0]):
            best = (len(victims), victims)
    for victim in () if best is None else best[1]:
        requeue_task(state, now, victim)


def _sort(state: State, node: Node, job: Job) -> tuple[int, list[Task]]:
    """The slots of what ends on a node already, and the tasks there that may give way.

    Those of the least important jobs come first, and of them the one that started last.
    """
    leaving = 0
    giving: list[tuple[int, float, Task]] = []
    for occupation in node.occupied:
        task = _task_of(state, occupation)
        if task is None:
            leaving += occupation.slots
            continue
        owner = state.store.job(task.job)
        if owner.rules.preemptible and owner.rules.priority < job.rules.priority:
            giving.append((owner.rules.priority, -task.state_time.timestamp(), task))
    giving.sort(key=lambda entry: entry[:2])
    return leaving, [entry[2] for entry in giving]


def _task_of(state: State, occupation: Occupation) -> Task | None:
    """The task of an execution; None where it is being ended."""
    task = state.store.tasks(occupation.job).get(key_of(occupation.task))
    return task if task is not None and task.is_run_by(occupation.run) else None
