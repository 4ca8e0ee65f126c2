"""The end of a run: what goes and what is left, by how it ended, and the exit code.

It must not know how the run came to its end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from datetime import datetime

from runner.errors import (
    BatchRunError,
    ExitCode,
    InterruptedRunError,
    ServiceError,
    ServiceTroubleError,
    StoppedWaitingError,
    most_severe,
)
from runner.frozen import dataclass
from runner.plan.model import Plan
from runner.run.events import CleanupFinished
from runner.run.pools.judging import PoolUnusableError, StartTaskFailedError
from runner.run.pools.making import Lease
from runner.run.pools.watching import PreparationFailedError
from runner.run.records.journal import Journal
from runner.run.records.past import CAN_GO_ON, note_cleaning
from runner.run.removal.cleanup import Cleanup, Ending, Keep
from runner.run.removal.leaving import leave_for_later
from runner.run.services import Batch, Blobs
from runner.run.start import describe_schedule
from runner.run.submit import Submission
from runner.run.tasks.halting import HaltedError
from runner.run.work import DetachedError, JobDisabledError, UnfinishedError

_ENDS = (
    HaltedError,
    InterruptedRunError,
    PoolUnusableError,
    PreparationFailedError,
    StartTaskFailedError,
    UnfinishedError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a run stands when it ends. `error` is why it could not go on."""

    error: BatchRunError | None
    submission: Submission
    pool_id: str | None
    lease: Lease | None
    succeeded: int
    failed: int
    has_ends: bool
    """Whether any task has come to its end."""
    not_home: Collection[BatchRunError]
    """Why results could not be brought home; all tasks have ended."""
    scheduling: bool
    """A job schedule was asked for; `scheduled` says that it is there."""
    scheduled: bool
    interrupted: bool
    made: Collection[str]
    """Names of what this client has made itself."""
    may_go_on: bool
    """It was taken up again, and an error, if any, is no end of it: it may have results that no
    client has seen."""


def conclude(
    plan: Plan,
    standing: Standing,
    *,
    batch: Batch,
    blobs: Blobs,
    journal: Journal,
    keep: frozenset[Keep],
    outlives_client: bool,
    now: Callable[[], datetime],
    is_ours: Callable[[], bool],
    tell: Callable[[str], None],
    begin: Callable[[str], None],
) -> CleanupFinished:
    """Takes away what the run has made, or leaves it where somebody has a use for it.

    `is_ours` is asked before each thing goes, and may raise `ServiceError`; `tell` takes a line,
    and `begin` each step as it begins.
    """
    error = standing.error
    cleanup = Cleanup(
        plan,
        standing.submission,
        batch=batch,
        blobs=blobs,
        keep=keep,
        may_keep=outlives_client,
        made=standing.made,
        lease=standing.lease,
        now=now,
        is_ours=is_ours,
        tell=tell,
        begin=begin,
    )
    schedule = plan.workload.job.schedule
    if schedule is not None and _may_be_scheduled(standing):
        why = describe_schedule(standing.submission.job_id, schedule)
        if not standing.scheduled:
            why = f"no answer came, so it may exist: {why}"
        return cleanup.leave_schedule(why=why, certain=standing.scheduled)
    if _is_for_later(standing, outlives_client=outlives_client):
        _end_nodes(standing, keep)
        return leave_for_later(
            standing.submission,
            standing.pool_id,
            outlives_client=outlives_client,
            is_scheduled=schedule is not None,
        )
    if isinstance(error, StoppedWaitingError):
        is_disabled = isinstance(error, JobDisabledError)
        why = "the job is disabled" if is_disabled else "the work goes on"
        return cleanup.leave(pool_id=standing.pool_id, why=why)
    note_cleaning(journal.directory)
    return cleanup.clean_up(pool_id=standing.pool_id, ending=_ending(standing))


def exit_code(standing: Standing, cleanup: CleanupFinished) -> ExitCode:
    """The most severe of what holds."""
    error = standing.error
    return most_severe(
        ExitCode.INTERRUPTED if standing.interrupted else ExitCode.SUCCESS,
        ExitCode.SUCCESS if error is None else error.exit_code,
        ExitCode.TASKS_FAILED if standing.failed else ExitCode.SUCCESS,
        ExitCode.SUCCESS if all(each.kept for each in cleanup.left) else ExitCode.LEFT_BEHIND,
    )


def is_end(error: BatchRunError) -> bool:
    """Whether it is how the run ends: nobody who took it up again would get any further.

    Everything else that keeps a client from going on is that client's own trouble.
    """
    return isinstance(error, _ENDS)


def _end_nodes(standing: Standing, keep: frozenset[Keep]) -> None:
    """Nodes of a kept pool that this client has asked for have an end, where a service answers."""
    lease, error = standing.lease, standing.error
    if lease is None or not lease.is_open or Keep.POOL in keep:
        return
    if error is not None and not error.is_resumable:
        with contextlib.suppress(ServiceError):  # what is left names the pool all the same
            lease.close(lease.last)


def _is_for_later(standing: Standing, *, outlives_client: bool) -> bool:
    """Whether what was made is best left to whoever takes the run up again."""
    error = standing.error
    if error is None or isinstance(error, DetachedError):
        return False
    if isinstance(error, StoppedWaitingError):
        return not outlives_client
    # What did not come home is there to be had, but whoever interrupts a run wants nothing left.
    is_missed = bool(standing.not_home) and not isinstance(error, InterruptedRunError)
    return error.is_resumable or is_missed or standing.may_go_on


def _may_be_scheduled(standing: Standing) -> bool:
    lost = standing.scheduling and isinstance(standing.error, ServiceTroubleError)
    return standing.scheduled or lost


def _ending(standing: Standing) -> Ending:
    if isinstance(standing.error, InterruptedRunError):
        return Ending.NOTHING_DONE
    if standing.error is None and not standing.failed:
        return Ending.SUCCEEDED
    if not standing.has_ends:
        return Ending.NOTHING_DONE
    may_go_on = standing.error is not None and standing.error.exit_code in CAN_GO_ON
    return Ending.CUT_SHORT if may_go_on else Ending.FAILED_WITH_RESULTS
