"""Why a task is where it is: an ordered list of reasons, each with its evidence and what to do.

All is made of facts that are given; it must not know where they were found.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.report.ended_reasons import ended_state, of_attempts, why_ended
from runner.report.explanation import Explanation, Facts, Kind, Reason, State
from runner.report.waiting_reasons import is_at_work, why_at_work, why_over, why_waiting


def explain(facts: Facts) -> Explanation:
    """Why the task is where it is."""
    reasons: Iterator[Reason]
    if facts.end is not None:
        state, reasons = ended_state(facts.end), why_ended(facts, facts.end)
    elif facts.planned is not None and facts.planned[0] == "leave":
        state, reasons = State.LEFT_OUT, iter((_left_out(facts.planned[1]),))
    elif facts.is_over:
        # It was at work when the run ended, as far as anybody saw, or had not begun.
        state = State.NOT_FINISHED if facts.is_running else State.NEVER_RAN
        reasons = why_over(facts)
    elif is_at_work(facts):
        state, reasons = State.RUNNING, why_at_work(facts)
    else:
        state, reasons = State.WAITING, why_waiting(facts)
    told = list(reasons)
    if facts.unasked is not None and facts.end is None:
        told.append(Reason(kind=Kind.UNASKED, words=f"more could not be asked: {facts.unasked}"))
    return Explanation(
        run=facts.run,
        task=facts.task,
        step=facts.step,
        item=facts.item,
        state=state,
        reasons=(*told, *of_attempts(facts)),
    )


def _left_out(why: str) -> Reason:
    return Reason(
        kind=Kind.NOT_ASKED_FOR,
        words=f"the run leaves it out: {why}",
        advice="run the spec without `--only`, or name the task there",
    )
