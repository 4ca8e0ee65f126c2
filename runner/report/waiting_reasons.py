"""Why a task waits, or what it does now: of all that could hold it the first that does.

All is made of facts that are given; it must not know where they were found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from runner.report.as_text import format_seconds, plural
from runner.report.explanation import Facts, Kind, Needed, Reason, Service
from runner.run.advice import SPOT_IS_GONE, advise
from runner.run.events import format_moment
from runner.run.records.standing import Standing
from runner.run.services import JobState, NodeStatus, PoolStatus, TaskState

_STARTING = frozenset({"creating", "starting", "rebooting", "reimaging", "waitingforstarttask"})
_READY = frozenset({"idle", "running"})
_FAILED = "starttaskfailed"
# What is told of the others, as `preempted` or `leavingpool`, is not for the user to mend.
_BROKEN = frozenset({"unusable", "offline"})
_NAMES_SHOWN = 3
_CHAIN_SHOWN = 5
_AT_WORK = frozenset({TaskState.PREPARING, TaskState.RUNNING, TaskState.COMPLETED})


def is_at_work(facts: Facts) -> bool:
    """Whether it runs, or has ended and is not home: the service knows it better."""
    if facts.rests:
        return False
    service = facts.service
    if service is not None and service.job is not None and service.job.state is JobState.GONE:
        return False
    task = None if service is None else service.task
    return facts.is_running if task is None else task.state in _AT_WORK


def why_at_work(facts: Facts) -> Iterator[Reason]:
    """What it does."""
    task = None if facts.service is None else facts.service.task
    node = facts.node if task is None else task.node_id or facts.node
    started = facts.started if task is None else task.started or facts.started
    on = f" on node {node}" if node else ""
    follow = f"`batch-run logs {facts.task}{facts.named} --follow` shows what it prints"
    if task is not None and task.state is TaskState.COMPLETED:
        code = "" if task.exit_code is None else f", with exit code {task.exit_code}"
        driven = facts.standing is Standing.DRIVEN
        yield Reason(
            kind=Kind.COMING_HOME,
            words=f"it has ended{on}{code}; what it left is not home yet",
            advice=None if driven else f"`batch-run attach{facts.named}` brings it home",
        )
        return
    if task is not None and task.state is TaskState.PREPARING:
        yield Reason(
            kind=Kind.RUNS, words=f"its files are brought to its node{on}, before it begins"
        )
        return
    seconds = None if started is None else (facts.now - started).total_seconds()
    since = "" if started is None else f" since {format_moment(started)}"
    lasted = "" if seconds is None else f", for {format_seconds(max(0.0, seconds))} now"
    yield Reason(kind=Kind.RUNS, words=f"it runs{on}{since}{lasted}", advice=follow)


def why_waiting(facts: Facts) -> Iterator[Reason]:
    """The reasons why it has not begun, the first that holds it first."""
    report = facts.report
    if facts.rests:
        yield _rests(facts)
        return
    if facts.standing not in {Standing.DRIVEN, Standing.DETACHED}:
        yield _not_driven(facts)
    if not report.has_begun:
        yield Reason(
            kind=Kind.NOT_BEGUN,
            words="the run has not begun: the services have not answered, or its inputs are read",
            advice=f"`batch-run status{facts.named}` says how the run stands",
        )
        return
    found = [*_before_the_service(facts), *_in_the_service(facts)]
    if not found:
        found = [
            Reason(
                kind=Kind.ABOUT_TO_START,
                words="nothing is known that holds it: a node should take it at any moment",
            )
        ]
    yield from found


def why_over(facts: Facts) -> Iterator[Reason]:
    """Why nothing more comes of it."""
    error = facts.report.error
    what = "had not ended" if facts.is_running else "never ran"
    yield Reason(
        kind=Kind.RUN_OVER,
        words=f"the run is over, and the task {what}: {error or facts.standing.value}",
        advice="`batch-run run SPEC --only failed` runs what did not succeed",
    )


def _rests(facts: Facts) -> Reason:
    words = "the local services of the run do not run"
    if facts.standing is Standing.DETACHED:
        words += ": it may have ended, and what it left waits in the run's directory"
    command = "attach" if facts.standing is Standing.DETACHED else "resume"
    return Reason(
        kind=Kind.NOT_DRIVEN,
        words=words,
        advice=f"`batch-run {command}{facts.named}` brings home what is done, and goes on with the"
        " rest",
    )


def _not_driven(facts: Facts) -> Reason:
    return Reason(
        kind=Kind.NOT_DRIVEN,
        words=f"nobody drives the run ({facts.standing.value}), so that nothing more is added to"
        " it, tried again or brought home",
        advice=f"`batch-run resume{facts.named}` goes on with it",
    )


def _before_the_service(facts: Facts) -> Iterator[Reason]:
    inputs = facts.inputs
    if not facts.is_added and inputs is not None and inputs.count:
        more = inputs.count - len(inputs.first)
        names = (*inputs.first, f"and {more:,} more") if more > 0 else inputs.first
        report = facts.report
        yield Reason(
            kind=Kind.INPUTS,
            words=f"it is not added yet: {plural(inputs.count, 'input file')} of its own"
            f" {'is' if inputs.count == 1 else 'are'} not up"
            f" ({report.files_there:,} of {report.files:,} of the run are)",
            evidence=names,
        )
    elif not facts.is_added and facts.service is not None and facts.service.task is not None:
        pass  # added just now, and not told yet
    elif not facts.is_added:
        yield Reason(
            kind=Kind.NOT_ADDED,
            words="it is not added yet: tasks are added in order, as their files are up, and those"
            " of a canary before all others",
        )
    if facts.needed:
        yield _dependency(facts)
    yield from _retry(facts)


def _dependency(facts: Facts) -> Reason:
    chain = facts.needed
    last = chain[-1]
    shown = tuple(map(_named, chain))
    if len(chain) > _CHAIN_SHOWN:
        between = len(chain) - _CHAIN_SHOWN
        shown = (*shown[: _CHAIN_SHOWN - 1], f"... {between:,} between ...", shown[-1])
    return Reason(
        kind=Kind.DEPENDENCY,
        words=f"it waits for task {last.task}, which {last.state}"
        if len(chain) == 1
        else f"it waits for task {chain[0].task}, and in the end for task {last.task}, which"
        f" {last.state}",
        evidence=shown if len(chain) > 1 else (),
        advice=f"`batch-run explain {last.task}{facts.named}` says what holds that one",
    )


def _named(needed: Needed) -> str:
    item = f" ({needed.item})" if needed.item else ""
    return f"task {needed.task}{item} {needed.state}"


def _retry(facts: Facts) -> Iterator[Reason]:
    if not facts.attempts or facts.attempts[-1].due is None:
        return
    due = facts.attempts[-1].due
    left = (due - facts.now).total_seconds()
    when = f"in {format_seconds(left)}" if left > 0 else "as soon as whoever drives the run looks"
    yield Reason(
        kind=Kind.RETRY_DUE,
        words=f"it is tried again {when}, at {format_moment(due)}: `retries.backoff` asks for it",
    )


def _in_the_service(facts: Facts) -> Iterator[Reason]:
    service = facts.service or Service()
    yield from _job(facts, service)
    nodes = _nodes(facts, service)
    ready = sum(nodes[state] for state in _READY)
    yield from _resize(facts, service, sum(nodes.values()))
    if not ready:
        yield from _starting(facts, service, nodes)
    yield from _lost(facts, service, nodes, ready)
    if ready and not facts.needed and facts.is_added:
        yield from _slots(facts, service, ready)


def _job(facts: Facts, service: Service) -> Iterator[Reason]:
    job = service.job
    if job is None or job.state is JobState.ACTIVE:
        if job is not None and job.problem is not None:
            yield Reason(
                kind=Kind.JOB,
                words=f"the service cannot make the job's pool: {job.problem}",
                advice=_advice(job.problem),
            )
        return
    why = f" ({job.terminate_reason})" if job.terminate_reason else ""
    is_disabled = job.state in {JobState.DISABLED, JobState.DISABLING}
    what = "enables it, once nobody drives the run" if is_disabled else "makes it anew"
    advice = f"`batch-run resume{facts.named}` {what}"
    yield Reason(
        kind=Kind.JOB, words=f"the job is {job.state.value}{why}: it takes no task", advice=advice
    )


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
            advice=_advice(error) or (SPOT_IS_GONE if has_spot else None),
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
            advice=f"mend it; `batch-run logs --start-task{facts.named}` shows all that it printed",
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
        advice=f"mend it; `batch-run logs --start-task{facts.named}` shows all that it printed",
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


def _advice(said: str) -> str | None:
    """What to do about a code, a colon and the service's words."""
    return advise(said.partition(":")[0])
