"""Why a task waits, or what it does now: of all that could hold it the first that does.

All is made of facts that are given; it must not know where they were found.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.report.as_text import format_seconds, plural
from runner.report.explanation import Facts, Kind, Needed, Reason, Service
from runner.report.pool_reasons import advise_on, advise_on_start_task, why_no_place
from runner.run.events import format_moment
from runner.run.records.standing import Standing
from runner.run.services import JobState, TaskState

_CHAIN_SHOWN = 5
_AT_WORK = frozenset({TaskState.PREPARING, TaskState.RUNNING, TaskState.COMPLETED})


def is_at_work(facts: Facts) -> bool:
    """Whether it runs, or has ended and is not home: the service knows it better."""
    if facts.rests or facts.retry_due is not None:
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
    failures = () if facts.report.started else facts.report.start_task_failures
    again = "`batch-run run SPEC --only failed` runs what did not succeed"
    yield Reason(
        kind=Kind.RUN_OVER,
        words=f"the run is over, and the task {what}: {error or facts.standing.value}",
        evidence=tuple(failures[0].stderr_tail.splitlines()) if failures else (),
        advice=advise_on_start_task(facts) if failures else again,
    )


def _rests(facts: Facts) -> Reason:
    words = "the local services of the run do not run"
    if facts.standing is Standing.INTERRUPTED:
        words = "the run was interrupted: its local services have ended"
    if facts.standing is Standing.DETACHED:
        words += ": it may have ended, and what it left waits in the run's directory"
    command = "attach" if facts.standing is Standing.DETACHED else "resume"
    return Reason(
        kind=Kind.NOT_DRIVEN,
        words=words,
        advice=f"`batch-run {command}{facts.named}` brings home what is done, and goes on with the"
        " rest",
        evidence=_end_of_run(facts),
    )


def _end_of_run(facts: Facts) -> tuple[str, ...]:
    """What a run that was broken off has ended with, which may be what holds the task."""
    error = facts.report.error
    is_told = facts.standing is Standing.BROKEN_OFF and error is not None
    return (f"the run ended with: {error}",) if is_told else ()


def _not_driven(facts: Facts) -> Reason:
    return Reason(
        kind=Kind.NOT_DRIVEN,
        words=f"nobody drives the run ({facts.standing.value}), so that nothing more is added to"
        " it, tried again or brought home",
        evidence=_end_of_run(facts),
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
    due = facts.retry_due
    if due is None:
        return
    left = (due - facts.now).total_seconds()
    when = f"in {format_seconds(left)}" if left > 0 else "as soon as whoever drives the run looks"
    yield Reason(
        kind=Kind.RETRY_DUE,
        words=f"it is tried again {when}, at {format_moment(due)}: `retries.backoff` asks for it",
    )


def _in_the_service(facts: Facts) -> Iterator[Reason]:
    service = facts.service or Service()
    yield from _job(facts, service)
    yield from why_no_place(facts, service)


def _job(facts: Facts, service: Service) -> Iterator[Reason]:
    job = service.job
    if job is None or job.state is JobState.ACTIVE:
        if job is not None and job.problem is not None:
            yield Reason(
                kind=Kind.JOB,
                words=f"the service cannot make the job's pool: {job.problem}",
                advice=advise_on(job.problem),
            )
        return
    why = f" ({job.terminate_reason})" if job.terminate_reason else ""
    is_disabled = job.state in {JobState.DISABLED, JobState.DISABLING}
    what = "enables it, once nobody drives the run" if is_disabled else "makes it anew"
    advice = f"`batch-run resume{facts.named}` {what}"
    yield Reason(
        kind=Kind.JOB, words=f"the job is {job.state.value}{why}: it takes no task", advice=advice
    )
