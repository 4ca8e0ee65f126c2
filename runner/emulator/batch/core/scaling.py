"""The transitions of automatic scaling: samples taken, formulas evaluated, targets set.

It must not know the language of formulas (`autoscale` does), nor nodes.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.autoscale.evaluation import Evaluation, Targets
from runner.emulator.batch.autoscale.samples import PERIOD, History, Sample
from runner.emulator.batch.core.agenda import SampleDue, ScaleDue
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import PoolId, key_of
from runner.emulator.batch.core.node import NodeState
from runner.emulator.batch.core.pool import (
    AllocationState,
    AutoScale,
    AutoScaleRule,
    AutoScaleRun,
    Deallocation,
    Pool,
    PoolState,
)
from runner.emulator.batch.core.pools import begin_resize
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.state import State
from runner.emulator.storage.record import replace

_UNUSABLE = frozenset(
    {
        NodeState.PREEMPTED,
        NodeState.UNUSABLE,
        NodeState.UNKNOWN,
        NodeState.START_TASK_FAILED,
        NodeState.DEALLOCATING,
        NodeState.DEALLOCATED,
    }
)
NOT_ENABLED = ("Reason", "Automatic scaling is not enabled on the pool")


def take_sample(state: State, now: datetime, due: SampleDue) -> None:
    """Adds a sample to the history of a pool, and has the next one taken."""
    pool = state.store.pools.get(key_of(due.pool))
    if pool is None or pool.created != due.created:
        return
    history = state.histories.setdefault(key_of(pool.id), History())
    history.add(Sample(moment=now, values=_measure(state, pool)))
    state.agenda.add(now + PERIOD, due)


def _measure(state: State, pool: Pool) -> dict[str, float]:
    # Of a count by state: this is done every 30 seconds, also for pools of thousands of nodes.
    tally = state.store.nodes(pool.id).tally()
    nodes = sum(tally.values())
    dedicated = sum(count for (_, is_dedicated), count in tally.items() if is_dedicated)
    unusable = sum(count for (node, _), count in tally.items() if node in _UNUSABLE)
    preempted = sum(count for (node, _), count in tally.items() if node is NodeState.PREEMPTED)
    active = running = succeeded = failed = 0
    for job in state.store.jobs:
        if key_of(job.pool) == key_of(pool.id):
            tasks = state.store.tasks(job.id)
            counts = tasks.counts()
            # Tasks that wait for others do not count ("Read-only service-defined variables").
            active += tasks.ready
            running += counts.running
            succeeded += counts.succeeded
            failed += counts.failed
    return {
        "$ActiveTasks": float(active),
        "$RunningTasks": float(running),
        "$PendingTasks": float(active + running),
        "$SucceededTasks": float(succeeded),
        "$FailedTasks": float(failed),
        "$TaskSlotsPerNode": float(pool.slots_per_node),
        "$UsableNodeCount": float(nodes - unusable),
        "$SampleNodeCount": float(nodes),
        "$CurrentDedicatedNodes": float(dedicated),
        "$CurrentLowPriorityNodes": float(nodes - dedicated),
        "$PreemptedNodeCount": float(preempted),
        # A pool without nodes has nobody who would measure.
        **(state.machine if nodes else {}),
    }


def scale_pool(state: State, now: datetime, due: ScaleDue) -> None:
    """Evaluates a pool's formula, sets its targets, and has that done again at the interval."""
    pool = state.store.pools.get(key_of(due.pool))
    if pool is None or pool.state is not PoolState.ACTIVE or pool.autoscale is None:
        return
    if pool.autoscale.since != due.since:
        return
    state.agenda.add(now + pool.autoscale.rule.interval, due)
    evaluation = _evaluate(state, now, pool, pool.autoscale.rule.formula)
    run = AutoScaleRun(moment=now, evaluation=evaluation)
    pool = replace(pool, autoscale=replace(pool.autoscale, run=run))
    state.store.put(pool)
    targets = evaluation.targets
    changed = (pool.target_dedicated, pool.target_spot) != (targets.dedicated, targets.spot)
    if evaluation.fault is None and changed:
        begin_resize(
            state,
            now,
            replace(
                pool,
                target_dedicated=targets.dedicated,
                target_spot=targets.spot,
                deallocation=Deallocation(targets.option),
            ),
        )


def _evaluate(state: State, now: datetime, pool: Pool, formula: str) -> Evaluation:
    # Imported here: it takes a while, and few pools have a formula.
    from runner.emulator.batch.autoscale.evaluate import evaluate
    from runner.emulator.batch.autoscale.functions import Outside

    return evaluate(
        formula,
        state.histories.get(key_of(pool.id), History()),
        Targets(
            dedicated=pool.target_dedicated,
            spot=pool.target_spot,
            option=Deallocation.REQUEUE.value,
        ),
        Outside(now=now, random=state.names.random),
    )


def try_formula(state: State, now: datetime, identifier: PoolId, formula: str) -> AutoScaleRun:
    """What a formula would come to on a pool; nothing is changed."""
    pool = state.store.pool(identifier)
    if pool.autoscale is None:
        raise RefusedError(Reason.OPERATION_INVALID_NOW, NOT_ENABLED)
    return AutoScaleRun(moment=now, evaluation=_evaluate(state, now, pool, formula))


def enable_auto_scale(
    state: State, now: datetime, identifier: PoolId, document: Document, rule: AutoScaleRule
) -> Pool:
    """Has a formula set the targets of a pool, from now on; also in place of another formula."""
    pool = state.store.pool(identifier)
    if pool.state is PoolState.DELETING:
        raise RefusedError(Reason.POOL_BEING_DELETED)
    last = pool.auto_scale_enabled
    if last is not None and now < last + state.limits.between_enabling_auto_scale:
        raise RefusedError(Reason.AUTO_SCALE_ENABLED_TOO_OFTEN)
    if pool.autoscale is None and pool.allocation is not AllocationState.STEADY:
        raise RefusedError(Reason.POOL_BEING_RESIZED)
    pool = replace(
        pool,
        modified=state.stamp(now),
        document=document,
        autoscale=AutoScale(rule=rule, since=now),
        auto_scale_enabled=now,
    )
    state.store.put(pool)
    state.agenda.add(now, ScaleDue(pool=pool.id, since=now))
    return pool


def disable_auto_scale(state: State, now: datetime, identifier: PoolId, document: Document) -> Pool:
    """Leaves a pool's targets as they are, from now on."""
    pool = state.store.pool(identifier)
    if pool.state is PoolState.DELETING:
        raise RefusedError(Reason.POOL_BEING_DELETED)
    if pool.autoscale is None:
        raise RefusedError(Reason.OPERATION_INVALID_NOW, NOT_ENABLED)
    # On record: the pool then looks once more whether it has the nodes that it should have.
    return begin_resize(
        state,
        now,
        replace(pool, modified=state.stamp(now), document=document, autoscale=None),
    )
