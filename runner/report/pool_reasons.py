"""Why the pool has no place for a task: no nodes, nodes that start or are lost, or full ones.

All is made of facts that are given; it must not know where they were found, nor what else holds
the task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from runner.report.as_text import format_seconds, plural
from runner.report.explanation import Facts, Kind, Reason, Service
from runner.run.advice import SPOT_IS_GONE, advise
from runner.run.events import format_moment
from runner.run.services import NodeStatus, PoolStatus

_STARTING = frozenset({"creating", "starting", "rebooting", "reimaging", "waitingforstarttask"})
_READY = frozenset({"idle", "running"})
_FAILED = "starttaskfailed"
# What is told of the others, as `preempted` or `leavingpool`, is not for the user to mend.
_BROKEN = frozenset({"unusable", "offline"})
_NAMES_SHOWN = 3


def why_no_place(facts: Facts, service: Service) -> Iterator[Reason]:
    """The reasons that the pool gives, what matters most first."""
    nodes = _nodes(facts, service)
    ready = sum(nodes[state] for state in _READY)
    yield from _resize(facts, service, sum(nodes.values()))
    if not ready:
        yield from _starting(facts, service, nodes)
    yield from _lost(facts, service, nodes, ready)
    if ready and not facts.needed and facts.is_added and facts.retry_due is None:
        yield from _slots(facts, service, ready)


def advise_on(said: str) -> str | None:
    """What to do about a code, a colon and the service's words."""
    return advise(said.partition(":")[0])


def advise_on_start_task(facts: Facts) -> str:
    """What to do about a start task, or a job's preparation, that failed."""
    return f"mend it; `batch-run logs --start-task{facts.named}` shows all that it printed"


def _resize(facts: Facts, service: Service, nodes: int) -> Iterator[Reason]:
    """The pool lacks nodes: it is resized, or the service has given up."""
    pool, seen = service.pool, facts.report.pool_change
    if pool is not None:
        errors, allocation = pool.resize_errors, pool.allocation_state
        wanted, spot = pool.target_dedicated_nodes + pool.target_spot_nodes, pool.target_spot_nodes
    elif seen is not None:
        errors, allocation = seen.errors, seen.allocation
        wanted, spot = seen.target_dedicated + seen.target_spot, seen.target_spot
    else:
        if not nodes and facts.report.job is not None:
            yield Reason(kind=Kind.NO_NODE, words="no node yet: nothing was seen of the pool")
        return
    yield from _pool_trouble(pool, errors, nodes, wanted, has_spot=spot > 0)
    if not nodes and not errors:
        since = "" if facts.pool_since is None else f" since {format_moment(facts.pool_since)}"
        yield Reason(
            kind=Kind.NO_NODE,
            words=f"no node yet: the pool is {allocation}{since}, with 0 of"
            f" {plural(wanted, 'node')}",
        )


def _pool_trouble(
    pool: PoolStatus | None, errors: tuple[str, ...], nodes: int, wanted: int, *, has_spot: bool
) -> Iterator[Reason]:
    for error in errors:
        yield Reason(
            kind=Kind.RESIZE_FAILED,
            words=f"the pool has {nodes:,} of {plural(wanted, 'node')}: {error}",
            advice=advise_on(error) or (SPOT_IS_GONE if has_spot else None),
        )
    if pool is not None and pool.formula_error is not None:
        yield Reason(
            kind=Kind.RESIZE_FAILED,
            words=f"the pool's formula fails, and its size stays as it is: {pool.formula_error}",
            advice="mend `pool.autoscale.formula`",
        )


def _starting(facts: Facts, service: Service, nodes: Counter[str]) -> Iterator[Reason]:
    starting = {state: count for state, count in nodes.items() if state in _STARTING}
    if not starting:
        return
    evidence = []
    for node in _in_states(facts, service, _STARTING)[:_NAMES_SHOWN]:
        since = facts.node_since.get(node.id)
        told = "" if since is None else f" since {format_moment(since)}"
        evidence.append(f"node {node.id}: {node.state}{told}")
        evidence += [f"    {line}" for line in service.start_logs.get(node.id, ())]
    listed = ", ".join(f"{count:,} {state}" for state, count in sorted(starting.items()))
    waits = starting.get("waitingforstarttask", 0)
    words = f"no node takes tasks yet: {listed}"
    if waits and facts.has_start_task:
        words += "; the start task runs there first"
    yield Reason(
        kind=Kind.NODES_START,
        words=words,
        evidence=tuple(evidence),
        advice=f"`batch-run logs --start-task{facts.named}` shows all of it" if waits else None,
    )


def _lost(facts: Facts, service: Service, nodes: Counter[str], ready: int) -> Iterator[Reason]:
    failures = facts.report.start_task_failures
    total = sum(nodes.values())
    failed = nodes[_FAILED]
    if failed and failures:
        first = failures[0]
        code = first.message if first.exit_code is None else f"exit code {first.exit_code}"
        yield Reason(
            kind=Kind.START_TASK_FAILED,
            words=f"the {first.command} failed on {failed:,} of {plural(total, 'node')} ({code})",
            evidence=tuple(first.stderr_tail.splitlines()),
            advice=advise_on_start_task(facts),
        )
    elif failed:
        yield _start_task_failed(facts, service, failed, total)
    lost = {
        state: count
        for state, count in nodes.items()
        if count and state not in _STARTING | _READY | {_FAILED}
    }
    if lost and not ready:
        listed = ", ".join(f"{count:,} {state}" for state, count in sorted(lost.items()))
        said = [
            f"node {node.id}: {error}"
            for node in service.nodes
            for error in node.errors[:1]
            if node.state in lost
        ]
        yield Reason(
            kind=Kind.NODES_LOST,
            words=f"no node takes tasks: {listed} of {plural(total, 'node')}",
            evidence=tuple(said[:_NAMES_SHOWN]),
            advice="look at the image, the VM size, and the rules of a subnet of your own"
            if _BROKEN & lost.keys()
            else None,
        )


def _start_task_failed(facts: Facts, service: Service, failed: int, total: int) -> Reason:
    """As the service tells it, before whoever drives the run has seen it."""
    nodes = _in_states(facts, service, frozenset({_FAILED}))
    codes = [node.start_task_exit_code for node in nodes]
    code = "" if not codes or codes[0] is None else f" (exit code {codes[0]})"
    return Reason(
        kind=Kind.START_TASK_FAILED,
        words=f"the start task failed on {failed:,} of {plural(total, 'node')}{code}",
        evidence=tuple(f"node {node.id}" for node in nodes[:_NAMES_SHOWN]),
        advice=advise_on_start_task(facts),
    )


def _slots(facts: Facts, service: Service, ready: int) -> Iterator[Reason]:
    counts = service.counts
    active = None if counts is None else counts.active
    before = facts.before if active is None else min(facts.before, max(0, active - 1))
    running = len(_busy(facts)) if counts is None else counts.running
    places = "" if facts.slots is None else f" with {plural(facts.slots, 'slot')} each"
    if facts.slots is not None and running < ready * facts.slots and not before:
        return
    evidence = []
    rate = None if facts.pace is None else facts.pace.rate()
    if rate:
        seconds = (before + 1) / rate
        evidence.append(f"at the present rate it starts in about {format_seconds(seconds)}")
    if active is not None:
        evidence.append(f"the service has {active:,} waiting and {running:,} running in all")
    yield Reason(
        kind=Kind.SLOTS_FULL,
        words=f"all places are taken: {plural(ready, 'node')}{places};"
        f" {f'about {before:,} wait before it' if before else 'it is next'}",
        evidence=tuple(evidence),
        advice="with more nodes (`pool.nodes`) or slots (`pool.task_slots_per_node`) more run at a"
        " time",
    )


def _busy(facts: Facts) -> list[str]:
    return [node for node, state in facts.report.nodes.items() if state == "running"]


def _nodes(facts: Facts, service: Service) -> Counter[str]:
    """How many nodes are in which state: as the service says, or as was seen last."""
    if service.pool is not None:
        return Counter(node.state for node in service.nodes)
    return Counter(facts.report.nodes.values())


def _in_states(facts: Facts, service: Service, states: frozenset[str]) -> list[NodeStatus]:
    if service.pool is not None:
        return [node for node in service.nodes if node.state in states]
    return [
        NodeStatus(id=node, state=state, start_task_exit_code=None, start_task_failure=None)
        for node, state in facts.report.nodes.items()
        if state in states
    ]
