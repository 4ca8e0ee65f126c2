"""Whether a run that is taken up again was being ended when it was left, so that it only ends.

It must not know how a run is ended, nor what is done about it.
"""

from __future__ import annotations

from runner.errors import BatchRunError
from runner.plan.model import Plan
from runner.run.records.past import Past
from runner.run.services import Batch, JobState
from runner.run.tasks.halting import halted
from runner.run.work import UnfinishedError

_GONE = frozenset({JobState.GONE, JobState.DELETING})


def find_end(plan: Plan, past: Past, batch: Batch) -> BatchRunError | None:
    """What it ends with; None where it goes on, as it does as long as it has a job.

    That job ends by itself; one made anew would run what an undisturbed run never would have.
    """
    ender, reason = past.ender, past.tally.reason
    if past.submission is None or (ender is None and reason is None):
        return None
    if batch.job_status(past.submission.job_id).state not in _GONE:
        return None
    total = len(plan.tasks)
    left = total - len(past.settled)
    if reason is not None or ender is None:
        return halted(past.tally, left=left)
    word = "succeeded" if ender.succeeded else "failed"
    return UnfinishedError(
        f"{ender.name} {word} and ended the job, as the spec asks: {left} of {total} tasks never"
        " ran"
    )
