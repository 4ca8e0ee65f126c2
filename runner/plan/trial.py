"""Makes of a workload one that tries it: a node, little time, and nothing that stays.

It must not know how the trial is run: it is a run as any other. Which task it tries, `--only` says.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from runner.spec.model.halt import Halt
from runner.spec.model.pool import Autoscale, ExistingPool, FixedNodes, NewPool, Pool
from runner.spec.model.step import Print
from runner.spec.model.workload import (
    Container,
    Delete,
    IfNotEmpty,
    Job,
    OwnContainer,
    Workload,
)

GRACE = timedelta(minutes=15)
"""How much longer than the job we wait, and how much longer nodes may cost than it lasts at most:
a pool goes with its job, and the service takes some minutes for that."""


def reduce_to_trial(workload: Workload, within: timedelta) -> Workload:
    """The workload with one node, a job that lasts so long at most, and containers of its own.

    Nothing of the user's is written to: what the spec names, but what exists for reading, is made
    for the run and goes with it.
    """
    nodes = max((step.instances.count for step in workload.steps[:1] if step.instances), default=1)
    return replace(
        workload,
        pool=_reduce_pool(workload.pool, nodes),
        limits=replace(workload.limits, duration=within, wait=within + GRACE),
        containers=tuple(map(_reduce_container, workload.containers)),
        job=_reduce_job(workload.job),
        steps=tuple(replace(step, print=Print.NONE) for step in workload.steps),
        halt=Halt(),
    )


def _reduce_pool(pool: Pool, nodes: int) -> Pool:
    """So many dedicated nodes, or spot ones where the spec has none but these."""
    if isinstance(pool, ExistingPool):
        return pool
    return replace(pool, size=_reduce_size(pool, nodes), keep=None, node_retries=0)


def _reduce_size(pool: NewPool, nodes: int) -> FixedNodes:
    size = pool.size
    if isinstance(size, Autoscale) or size.dedicated or size.fallback is not None:
        return FixedNodes(dedicated=nodes, spot=0)
    return FixedNodes(dedicated=0, spot=nodes)


def _reduce_container(container: Container) -> Container:
    if not isinstance(container, OwnContainer):
        return container
    return replace(container, name=None, if_not_empty=IfNotEmpty.KEEP, delete=Delete.AFTER_RUN)


def _reduce_job(job: Job) -> Job:
    """The job at once, and once."""
    return replace(job, schedule=None)
