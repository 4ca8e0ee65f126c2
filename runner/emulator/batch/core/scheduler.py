"""Which task goes to which node next.

It must not know how a task is started: it looks and decides, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from runner.emulator.batch.core.ids import Key, PoolId, key_of
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.nodetable import NodeTable
from runner.emulator.batch.core.pool import Pool, PoolState
from runner.emulator.batch.core.store import Store
from runner.emulator.batch.core.task import Task


def next_placement(store: Store, pool_id: PoolId) -> tuple[Task, tuple[Node, ...]] | None:
    """The next task to start on a pool and the nodes for it, its primary's first; None when nothing
    fits.

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
    for job in waiting_jobs(store, pool_id):
        barred = store.job_nodes.barred(job.id)
        # Otherwise such a task waits for ever ("Use multi-instance tasks", prerequisites).
        tasks = store.tasks(job.id)
        together = tasks.any_of_several and pool.inter_node and pool.slots_per_node == 1
        free_nodes = nodes.count_free(barred) if together else 0
        task = tasks.next_ready(nodes.most_free_slots(barred), free_nodes)
        if task is not None:
            if _is_for_dedicated(job, task):
                # Others of the job wait for it: it is there to add them.
                barred = {*barred, *(key_of(node.id) for node in nodes if not node.dedicated)}
            chosen = _choose(nodes, task, pool, barred)
            if chosen:
                return task, chosen
    return None


def _is_for_dedicated(job: Job, task: Task) -> bool:
    manager = job.rules.manager
    return manager is not None and manager.dedicated_only and key_of(manager.id) == key_of(task.id)


def _choose(nodes: NodeTable, task: Task, pool: Pool, barred: Collection[Key]) -> tuple[Node, ...]:
    """The node that the task would rather have, if it can; and more for its subtasks."""
    wanted = None if task.affinity is None else nodes.get(key_of(task.affinity))
    first = wanted if wanted is not None and _fits(wanted, task, barred) else None
    if first is None:
        first = nodes.with_room(task.slots, pool.fill, barred)
    if first is None or task.instances <= 1:
        return () if first is None else (first,)
    others = (node for node in nodes.free(barred) if node.id != first.id)
    return (first, *islice(others, task.instances - 1))


def _fits(node: Node, task: Task, barred: Collection[Key]) -> bool:
    room = node.takes_tasks and node.slots - node.used_slots >= task.slots
    return room and key_of(node.id) not in barred


def waiting_jobs(store: Store, pool_id: PoolId) -> list[Job]:
    """The jobs of which a task could start, the most important one first."""
    waiting = []
    for job in store.active_jobs(pool_id):
        tasks = store.tasks(job.id)
        limit = job.rules.max_parallel_tasks
        if tasks.any_ready and (limit < 0 or tasks.counts().running < limit):
            waiting.append(job)
    return sorted(waiting, key=_rank)


def _rank(job: Job) -> tuple[int, float]:
    return -job.rules.priority, job.created.timestamp()
