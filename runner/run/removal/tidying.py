"""Decides what of all that runs have left is to go, and what stays although it is ours.

It must not know how a thing is taken away, nor who asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum

from runner.frozen import dataclass
from runner.plan.model import LOGS, SECRETS, RunId, container_name
from runner.run.events import format_moment
from runner.run.records.record_blob import RECORD_BLOB
from runner.run.removal.traces import Kind, Trace
from runner.run.services import Batch, BlobMissingError, Blobs

# A run makes its containers first; its job, and what says that it is driven, come later.
_BEGINNING = timedelta(hours=1)
# Results that nobody has come for in so long, nobody will.
_FORGOTTEN = timedelta(days=14)
# REST: Lease Blob, 15 to 60 seconds.
_HELD_SECONDS = 60


class Scope(Enum):
    """Whose things are meant."""

    LAST = "last"
    """Those of the last run, which nobody has named."""
    NAMED = "named"
    """Those of one run by its name: also what still works."""
    ALL = "all"
    """Those of every run in the accounts, whoever began it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to become of one thing: it goes, or stays for a reason."""

    trace: Trace
    stays_because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidying:
    """What decides: `takes_kept` is whether what was kept on purpose goes as well."""

    scope: Scope
    takes_kept: bool
    now: datetime


def decide(
    run: RunId,
    traces: Iterable[Trace],
    tidying: Tidying,
    *,
    is_home: bool,
    holder: str,
    batch: Batch,
    blobs: Blobs,
) -> tuple[Decision, ...]:
    """What is to become of all that one run has; raises `ServiceError`.

    `is_home` is whether all that its tasks have left is known to have been brought home. `holder`
    is the GUID by which the services know whoever drives the run from here: a run that may go,
    nobody else takes up for a minute, or until `release` was called.
    """
    traces = tuple(traces)
    reason = _why_at_work(run, traces, tidying, is_home=is_home)
    if reason is None:
        reason = _why_all_stays(run, traces, tidying, holder, blobs)
    if reason is not None:
        return tuple(Decision(trace=trace, stays_because=reason) for trace in traces)
    return tuple(
        Decision(trace=trace, stays_because=_why_it_stays(trace, tidying, batch))
        for trace in traces
    )


def why_driven_elsewhere(run: RunId) -> str:
    """Why nothing of a run goes that another client holds."""
    return (
        "a client on another machine drives the run, or has died within the last minute;"
        f" `batch-run cancel {run}` ends it"
    )


def why_in_use(trace: Trace, batch: Batch) -> str | None:
    """Which job of another run is in a pool that is kept for others; raises `ServiceError`."""
    if not trace.for_others:
        return None
    # The run's own job goes before the pool does.
    others = (job for job in batch.jobs_in(trace.name) if job != trace.run)
    return next((f"job {job} is in it" for job in others), None)


def release(run: RunId, holder: str, blobs: Blobs) -> None:
    """Lets others at what is still there of a run; raises `ServiceError`."""
    blobs.release_blob(container_name(run, LOGS), RECORD_BLOB, holder)


def _why_at_work(
    run: RunId, traces: tuple[Trace, ...], tidying: Tidying, *, is_home: bool
) -> str | None:
    """Why a run that nobody has named still matters to whoever began it."""
    if tidying.scope is Scope.NAMED:
        return None
    active = next((trace for trace in traces if trace.is_active), None)
    if active is not None:
        return f"the {active.kind.value} is {active.state}; `batch-run clean {run}` ends it"
    if not is_home and any(_waits_for_somebody(trace, tidying.now) for trace in traces):
        return (
            "the job has ended, and its results may not be home;"
            f" `batch-run clean {run}` takes them all the same"
        )
    return None


def _waits_for_somebody(trace: Trace, now: datetime) -> bool:
    """Whoever brings results home takes the job away: one that is left may be a detached run's."""
    if trace.kind is not Kind.JOB or trace.kept_because is not None:
        return False
    return trace.made is None or now - trace.made < _FORGOTTEN


def _why_all_stays(
    run: RunId, traces: tuple[Trace, ...], tidying: Tidying, holder: str, blobs: Blobs
) -> str | None:
    is_held = _hold(run, traces, holder, blobs)
    if is_held is False:
        return why_driven_elsewhere(run)
    # Where nothing says yet whether a client drives it, its age has to do.
    is_young = is_held is None and _may_just_begin(traces, tidying.now)
    if is_young and tidying.scope is Scope.ALL:
        return f"the run may just begin; `batch-run clean {run}` takes it all the same"
    return None


def _hold(run: RunId, traces: Iterable[Trace], holder: str, blobs: Blobs) -> bool | None:
    """Whether we hold the run, False where another does; None where there is nothing to hold."""
    logs = container_name(run, LOGS)
    if all(trace.name != logs for trace in traces):
        return None
    try:
        return blobs.hold_blob(logs, RECORD_BLOB, holder, _HELD_SECONDS)
    except BlobMissingError:
        return None


def _may_just_begin(traces: tuple[Trace, ...], now: datetime) -> bool:
    if any(trace.kind is not Kind.CONTAINER for trace in traces):
        return False
    return any(trace.made is not None and now - trace.made < _BEGINNING for trace in traces)


def _why_it_stays(trace: Trace, tidying: Tidying, batch: Batch) -> str | None:
    # Whatever it says of itself: nobody keeps secrets on purpose.
    is_secret = trace.kind is Kind.CONTAINER and trace.name == container_name(trace.run, SECRETS)
    if trace.kept_because is not None and not tidying.takes_kept and not is_secret:
        return f"{trace.kept_because}; `--kept` takes it too"
    if not trace.for_others:
        return None
    made = "" if trace.made is None else f" since {format_moment(trace.made)}"
    if tidying.scope is Scope.LAST:
        return f"kept for the next run{made}; `batch-run clean {trace.run}` takes it"
    return why_in_use(trace, batch)
