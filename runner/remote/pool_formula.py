"""The formula that gives the pool of one run its nodes, and takes them when nothing waits for them.

It must not know the run: it holds also where whoever made the pool is gone.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from runner.run.pools import GRACE, IDLE
from runner.spec.model.pool import FixedNodes

EVALUATION_INTERVAL = timedelta(minutes=5)
"""How often the service evaluates it: its shortest interval (REST: Pool - Enable Auto Scale)."""


def pool_formula(
    size: FixedNodes, *, created: datetime, grace: timedelta = GRACE, idle: timedelta = IDLE
) -> str:
    """All nodes for a time after `created` and while tasks are pending or lately were; else none.

    `$PendingTasks` are those that run or could (Microsoft Learn, "Read-only service-defined
    variables"): of tasks that wait for others, one of the others is among them. Where the service
    lacks half of its samples, as at the pool's creation, tasks may be pending. The size is all or
    nothing: how many nodes the last tasks need depends on their slots and on what follows them.
    """
    until = (created + grace).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'isNew = time() < time("{until}");\n'
        f"lately = {idle // timedelta(minutes=1)} * TimeInterval_Minute;\n"
        "measured = $PendingTasks.GetSamplePercent(lately) >= 50;\n"
        "pending = measured ? max($PendingTasks.GetSample(lately)) : 1;\n"
        "keeps = isNew || (pending > 0);\n"
        f"$TargetDedicatedNodes = keeps ? {size.dedicated} : 0;\n"
        f"$TargetLowPriorityNodes = keeps ? {size.spot} : 0;\n"
        "$NodeDeallocationOption = taskcompletion;"
    )
