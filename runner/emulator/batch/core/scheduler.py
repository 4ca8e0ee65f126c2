"""Which task goes to which node next.

It must not know how a task is started: it looks and decides, and changes nothing.
"""

from __future__ import annotations

from runner.emulator.batch.core.ids import PoolId, key_of
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.pool import PoolState
from runner.emulator.batch.core.store import Store
from runner.emulator.batch.core.task import Task


def next_placement(store: Store, pool_id: PoolId) -> tuple[Task, Node] | None:
    """The next task to start on a pool and the node for it; None when nothing fits.

    Jobs go by priority, then by age; the tasks of a job in the order in which they were added, a
    task that needs more slots than any node has free letting smaller ones pass. A node whose
    preparation for a job failed gets none of that job's tasks.
    """
    pool = store.pools.get(key_of(pool_id))
    if pool is None or pool.state is not PoolState.ACTIVE:
        return None
    nodes = store.nodes(pool_id)
    if nodes.most_free_slots() == 0:
        return None
    for job in sorted(_waiting_jobs(store, pool_id), key=_rank):
        barred = store.job_nodes.barred(job.id)
        # Otherwise such a task waits for ever ("Use multi-instance tasks", prerequisites).
        tasks = store.tasks(job.id)
        together = tasks.any_of_several and pool.inter_node and pool.slots_per_node == 1
        free_nodes = nodes.count_free(barred) if together else 0
        task = tasks.next_ready(nodes.most_free_slots(barred), free_nodes)
        if task is not None:
            node = nodes.with_room(task.slots, pool.fill, barred)
            if node is not None:
                return task, node
    return None


def _waiting_jobs(store: Store, pool_id: PoolId) -> list[Job]:
    waiting = []
    for job in store.active_jobs(pool_id):
        tasks = store.tasks(job.id)
        limit = job.rules.max_parallel_tasks
        if tasks.any_ready and (limit < 0 or tasks.counts().running < limit):
            waiting.append(job)
    return waiting


def _rank(job: Job) -> tuple[int, float]:
    return -job.rules.priority, job.created.timestamp()
