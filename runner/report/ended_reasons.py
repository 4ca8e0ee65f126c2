"""Why a task has ended as it has, and what came of each of its attempts.

All is made of facts that are given; it must not know where they were found.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from runner.report.as_text import describe_failure, format_seconds
from runner.report.explanation import Facts, Kind, Reason, State
from runner.run import events
from runner.run.advice import advise
from runner.run.events import (
    TaskFinished,
    TaskRetried,
    format_moment,
)
from runner.run.tasks.signatures import EXIT_CODE

_CAUSES = {
    "exit_code": "ended with an exit code",
    "resource_download": "lacked a file that it needs",
    "output_upload": "could not send its outputs",
    "timeout": "was cut off at its time limit",
    "preemption": "lost its spot node",
    "requeue": "lost its node",
}

# As bash gives them.
_EXIT_CODES = {
    127: "install it with `pool.packages` or in the start task",
    137: "it is nearly always memory: use a larger `pool.vm_size`, or fewer"
    " `pool.task_slots_per_node`",
}


def ended_state(end: TaskFinished) -> State:
    """How it stands."""
    if end.succeeded:
        return State.SKIPPED if end.skipped else State.SUCCEEDED
    return (
        State.NEVER_RAN if end.cause in {events.DEPENDENCY_FAILED, events.HALTED} else State.FAILED
    )


def why_ended(facts: Facts, end: TaskFinished) -> Iterator[Reason]:
    """The one reason, and what to do."""
    named, task = facts.named, facts.task
    again = f"`batch-run resume{named}`"
    if end.skipped:
        why = facts.planned[1] if facts.planned is not None else "an earlier run has done it"
        yield Reason(
            kind=Kind.ENDED,
            words=f"it was skipped: {why}",
            advice="`batch-run run SPEC --force` runs it all the same",
        )
        return
    if end.succeeded:
        yield Reason(kind=Kind.ENDED, words=f"it succeeded{_place(end)}", evidence=_times(end))
        return
    match end.cause:
        case events.DEPENDENCY_FAILED:
            words, advice = f"it never ran: {end.message}", _cause_first(facts)
        case events.HALTED:
            words, advice = f"it never ran: {end.message}", "mend the cause, and run again"
        case events.JOB_ENDED:
            words, advice = f"it was ended with its job: {end.message}", again
        case events.TRANSFER_FAILED:
            words = f"it ended, and what it left is not home: {end.message}"
            advice = f"{again} brings it home, and does not run it again"
        case events.OUTPUT_MISSING:
            words = f"it left something out: {end.message}"
            advice = f"`batch-run logs {task}{named}` shows what it did instead"
        case _:
            words = f"it failed: {describe_failure(end)}"
            hint = _of_exit_code(end) or (advise(end.cause) if end.cause else None)
            shows = f"`batch-run logs {task}{named}` shows all that it printed"
            advice = f"{hint}; {shows}" if hint else shows
    tail = tuple((end.stderr_tail or "").splitlines())
    yield Reason(kind=Kind.ENDED, words=words, evidence=(*_times(end), *tail), advice=advice)


def of_attempts(facts: Facts) -> Iterator[Reason]:
    """The attempts that were followed by others, the first one first."""
    for attempt in facts.attempts:
        yield Reason(kind=Kind.ATTEMPT, words=_attempt(attempt), evidence=_message(attempt))


def _of_exit_code(end: TaskFinished) -> str | None:
    """What to do, where the command ended by itself with a code that nearly always means one thing.

    A task that the service has ended, as at its time limit, has such a code as well.
    """
    if end.exit_code is None or end.cause not in {None, EXIT_CODE}:
        return None
    return _EXIT_CODES.get(end.exit_code)


def _cause_first(facts: Facts) -> str | None:
    if not facts.needed:
        return None
    return f"`batch-run explain {facts.needed[-1].task}{facts.named}` says why that one failed"


def _place(end: TaskFinished) -> str:
    node = f" on node {end.node}" if end.node else ""
    return f"{node}, after {end.attempts} attempts" if end.attempts > 1 else node


def _times(end: TaskFinished) -> tuple[str, ...]:
    if end.started is None or end.ended is None:
        return ()
    return (_span(end.started, end.ended),)


def _span(started: datetime, ended: datetime) -> str:
    took = format_seconds(max(0.0, (ended - started).total_seconds()))
    return f"from {format_moment(started)} to {format_moment(ended)}, {took}"


def _attempt(attempt: TaskRetried) -> str:
    cause = _CAUSES.get(attempt.cause or "", "ended, and nobody saw why")
    if attempt.exit_code:
        cause = f"ended with exit code {attempt.exit_code}"
    node = f" on node {attempt.node}" if attempt.node else ""
    if attempt.started is not None and attempt.at is not None:
        return f"attempt {attempt.attempt} {cause}{node}, {_span(attempt.started, attempt.at)}"
    when = f" at {format_moment(attempt.at)}" if attempt.at is not None else ""
    return f"attempt {attempt.attempt} {cause}{node}{when}"


def _message(attempt: TaskRetried) -> tuple[str, ...]:
    return (attempt.message,) if attempt.message and not attempt.exit_code else ()
