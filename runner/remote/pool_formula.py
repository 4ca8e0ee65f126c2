"""The formula that gives the pool of one run its nodes, and takes them when nothing waits for them.

It must not know the run: it holds also where whoever made the pool is gone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.run.events import format_moment
from runner.run.pools.making import GRACE, IDLE
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
    until = format_moment(created + grace)
    dedicated = str(size.dedicated)
    lacking = ""
    if size.fallback is not None and size.fallback.wait is not None:
        lacking = _lacking(size.fallback.wait, created)
        dedicated = f"(lacksSpot ? {size.dedicated + size.fallback.dedicated} : {dedicated})"
    return (
        f'isNew = time() < time("{until}");\n'
        f"lately = {idle // timedelta(minutes=1)} * TimeInterval_Minute;\n"
        "measured = $PendingTasks.GetSamplePercent(lately) >= 50;\n"
        "pending = measured ? avg($PendingTasks.GetSample(lately)) : 1;\n"
        "keeps = isNew || (pending > 0);\n"
        f"{lacking}"
        f"$TargetDedicatedNodes = keeps ? {dedicated} : 0;\n"
        f"$TargetLowPriorityNodes = keeps ? {size.spot} : 0;\n"
        "$NodeDeallocationOption = taskcompletion;"
    )


def _lacking(wait: timedelta, created: datetime) -> str:
    """Statements that set `lacksSpot`: there was no spot node for a time, seen in its samples."""
    return (
        f"patience = {-(-wait // timedelta(minutes=1))} * TimeInterval_Minute;\n"
        "sampled = $CurrentLowPriorityNodes.GetSamplePercent(patience) >= 50;\n"
        "most = sampled ? max($CurrentLowPriorityNodes.GetSample(patience)) : 1;\n"
        f'lacksSpot = (time() > time("{format_moment(created + wait)}")) && (most < 1);\n'
    )
