"""Takes away what was decided to go of one run, as far as that is still so when its turn comes.

Hours may lie between the two, in which runs begin and are taken up. It must not know who asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from runner.errors import ServiceError
from runner.plan.model import LOGS, RunId, container_name
from runner.run.events import LeftBehind
from runner.run.holding import Hold, TakenOverError
from runner.run.records.record_blob import RECORD_BLOB
from runner.run.removal.taking import left_behind, remove_traces
from runner.run.removal.tidying import Tidying, decide, why_driven_elsewhere, why_in_use
from runner.run.removal.traces import Trace, by_run, list_traces
from runner.run.services import Batch, Blobs


def sweep(
    run: RunId,
    going: Iterable[Trace],
    tidying: Tidying,
    *,
    is_home: bool,
    holder: str,
    batch: Batch,
    blobs: Blobs,
    begin: Callable[[], None],
) -> tuple[LeftBehind, ...]:
    """What stays of what was to go, and why; what is gone by now is nobody's concern.

    `is_home` and `holder` are those of `decide`; `begin` is called before the first thing goes.
    """
    going = by_run(going).get(run, ())
    try:
        with _held(run, holder, blobs) as hold:
            left, goes = _decide_again(
                run, going, tidying, is_home=is_home, holder=holder, batch=batch, blobs=blobs
            )
            if not goes:
                return left
            begin()

            def why_not(trace: Trace) -> str | None:
                if not hold.is_still_ours():
                    return why_driven_elsewhere(run)
                return why_in_use(trace, batch)

            return (*left, *remove_traces(goes, batch=batch, blobs=blobs, why_not=why_not)[1])
    except TakenOverError:
        return tuple(left_behind(trace, why_driven_elsewhere(run)) for trace in going)
    except ServiceError as error:
        return tuple(left_behind(trace, error.message) for trace in going)


def _decide_again(
    run: RunId,
    going: tuple[Trace, ...],
    tidying: Tidying,
    *,
    is_home: bool,
    holder: str,
    batch: Batch,
    blobs: Blobs,
) -> tuple[tuple[LeftBehind, ...], tuple[Trace, ...]]:
    """What of it stays by now, and what goes, in order; what was not shown is not touched."""
    meant = {(trace.kind, trace.name) for trace in going}
    listed = list_traces(batch, blobs, run)
    decisions = [
        each
        for each in decide(
            run, listed, tidying, is_home=is_home, holder=holder, batch=batch, blobs=blobs
        )
        if (each.trace.kind, each.trace.name) in meant
    ]
    left = tuple(
        left_behind(each.trace, each.stays_because)
        for each in decisions
        if each.stays_because is not None
    )
    now = {(each.trace.kind, each.trace.name) for each in decisions if each.stays_because is None}
    # By the record that is in it the run is held: it goes last.
    logs = container_name(run, LOGS)
    order = sorted(going, key=lambda trace: trace.name == logs)
    return left, tuple(trace for trace in order if (trace.kind, trace.name) in now)


@contextmanager
def _held(run: RunId, holder: str, blobs: Blobs) -> Iterator[Hold]:
    """Nobody takes the run up within it; raises `TakenOverError` where somebody has."""
    hold = Hold(blobs, container_name(run, LOGS), RECORD_BLOB, holder=holder)

    def refuse(_: object) -> None:
        raise TakenOverError("a client on another machine drives the run")

    hold.claim(refuse, refuse)
    try:
        yield hold
    finally:
        hold.end(releases=True)
