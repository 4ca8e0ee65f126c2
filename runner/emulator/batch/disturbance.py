"""Has the faults that rules ask for happen to nodes, start tasks, resizes and tasks to be added.

It must not know when a rule strikes (`faults.choose`), nor what a mishap does (`core.mishaps`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from runner.emulator.batch.core import mishaps
from runner.emulator.batch.core.ids import JobId, Key, NodeId, PoolId, TaskId, key_of
from runner.emulator.batch.core.node import Node, NodeError, NodeState
from runner.emulator.batch.core.pool import AllocationState, PoolState, ResizeError
from runner.emulator.batch.core.state import State
from runner.emulator.faults.choose import ActiveRule, Faults
from runner.emulator.faults.rules import Loss, NodeLoss, TaskError, Transfer

_RESIZE_MESSAGES = {
    "AccountCoreQuotaReached": "The account has reached its quota of compute nodes",
    "AllocationFailed": mishaps.ALLOCATION_FAILED.message,
    "AllocationTimedout": (
        "Desired number of compute nodes could not be allocated within the resize timeout"
    ),
}
_BROKEN = NodeError(
    code="NodeUnusable", message="The emulator was told to have this node become unusable"
)
# A node that nobody could have used yet is not what a rule is about.
_UP = frozenset(
    {
        NodeState.IDLE,
        NodeState.RUNNING,
        NodeState.OFFLINE,
        NodeState.WAITING_FOR_START_TASK,
        NodeState.START_TASK_FAILED,
    }
)


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A loss of nodes that is yet to come: when, and after how many more tasks."""

    active: ActiveRule
    effect: NodeLoss
    due: datetime
    tasks: int


class Disturbance:
    """The faults of one Batch account; call `disturb` after the core was let run, and again it."""

    def __init__(self, faults: Faults, *, account: str) -> None:
        self._faults = faults
        self._account = account
        self._losses: list[_Pending] = []
        self._known: dict[int, ActiveRule] = {}
        self._resizes: dict[Key, datetime] = {}
        self._disturbed: datetime | None = None

    @property
    def idle(self) -> bool:
        """Whether no rule is about tasks or nodes."""
        return not self._faults.strikes_batch

    def next_moment(self) -> datetime | None:
        """When nodes are lost next, if that has a time."""
        last = self._disturbed
        # What is overdue waits for nodes, and comes with what makes these.
        moments = [
            pending.due
            for pending in self._losses
            if pending.tasks <= 0 and (last is None or pending.due > last)
        ]
        return min(moments, default=None)

    def task_error(self, job: JobId, task: str) -> TaskError | None:
        """Why a task of a collection is not added, if a rule has it so."""
        if self.idle:
            return None
        return self._faults.of_task({"account": self._account, "job": job, "task": task})

    def transfer_failures(self, job: JobId, task: TaskId) -> dict[Transfer, str]:
        """Which transfers of a task fail that is about to run, each with its code."""
        if self.idle:
            return {}
        return self._faults.of_transfers({"account": self._account, "job": job, "task": task})

    def start_task_exit_code(self, pool: PoolId, node: NodeId) -> int | None:
        """With what a start task ends in place of running, if a rule has it so."""
        if self.idle:
            return None
        failure = self._faults.of_start_task(self._subject(pool, node))
        return None if failure is None else failure.exit_code

    def note_end_of_task(self, pool: PoolId) -> None:
        """Counts a task that ended on a pool."""
        for pending in self._losses:
            if pending.active.rule.scope.covers(self._subject(pool)):
                pending.tasks -= 1

    def disturb(self, state: State, now: datetime) -> None:
        """Has happen what is due by now."""
        if self.idle:
            self._losses.clear()
            self._known.clear()
            return
        self._disturbed = now
        self._learn(now)
        self._fail_resizes(state, now)
        for pending in tuple(self._losses):
            if now >= pending.due and pending.tasks <= 0:
                self._lose(state, now, pending)

    def _learn(self, now: datetime) -> None:
        """Takes note of rules that came and went; time counts from when a rule came."""
        in_force = {id(active): active for active in self._faults}
        if in_force.keys() == self._known.keys():
            return
        self._losses = [loss for loss in self._losses if id(loss.active) in in_force]
        for identity, active in in_force.items():
            effect = active.rule.effect
            if identity not in self._known and isinstance(effect, NodeLoss):
                due = now + effect.delay
                self._losses.append(
                    _Pending(active=active, effect=effect, due=due, tasks=effect.tasks)
                )
        self._known = in_force

    def _fail_resizes(self, state: State, now: datetime) -> None:
        for pool in state.store.pools:
            if pool.allocation is not AllocationState.RESIZING or pool.state is PoolState.DELETING:
                continue
            if self._resizes.get(key_of(pool.id)) == pool.allocation_time:
                continue
            self._resizes[key_of(pool.id)] = pool.allocation_time
            struck = self._faults.of_resize(self._subject(pool.id))
            if struck is not None:
                message = _RESIZE_MESSAGES.get(struck.code, f"The resize failed: {struck.code}")
                error = ResizeError(code=struck.code, message=message)
                mishaps.fail_resize(state, now, pool.id, error)

    def _lose(self, state: State, now: datetime, pending: _Pending) -> None:
        effect, active = pending.effect, pending.active
        candidates = list(self._candidates(state, pending))
        if not candidates:
            # It stays due, for the first nodes that come.
            return
        if self._faults.of_node_loss(active) is None:
            self._losses.remove(pending)
            return
        wanted = effect.nodes
        if wanted is None:
            wanted = math.ceil((effect.share or 0.0) * len(candidates))
        for node in self._faults.shuffled(active, candidates)[:wanted]:
            match effect.loss:
                case Loss.PREEMPTED:
                    mishaps.preempt_node(state, now, node.pool, node.id)
                case Loss.UNUSABLE:
                    mishaps.make_unusable(state, now, node.pool, node.id, errors=(_BROKEN,))
        if effect.interval is None:
            self._losses.remove(pending)
        else:
            pending.due, pending.tasks = now + effect.interval, effect.tasks

    def _candidates(self, state: State, pending: _Pending) -> Iterator[Node]:
        """The nodes that may be lost, in the order of pools' names and of nodes' making."""
        scope = pending.active.rule.scope
        for pool in state.store.pools:
            nodes = sorted(state.store.nodes(pool.id), key=lambda node: node.number)
            for node in nodes:
                spared = node.dedicated and pending.effect.loss is Loss.PREEMPTED
                up = node.state in _UP and not spared
                if up and scope.covers(self._subject(pool.id, node.id)):
                    yield node

    def _subject(self, pool: PoolId, node: NodeId | None = None) -> dict[str, str]:
        subject = {"account": self._account, "pool": pool}
        return subject if node is None else {**subject, "node": node}


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of the moments that there are."""
    return min((moment for moment in moments if moment is not None), default=None)
