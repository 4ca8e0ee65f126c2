"""Takes away what runs have left, one thing after the other, and says by listing what is left.

It must not know why a thing is to go; whoever calls has decided that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from typing_extensions import assert_never

from runner.errors import ServiceError
from runner.run.events import LeftBehind
from runner.run.removal.traces import Kind, Trace
from runner.run.services import Batch, Blobs

STILL_LISTED = "the service still lists it"


def remove_trace(trace: Trace, *, batch: Batch, blobs: Blobs) -> None:
    """Returns once it is gone, also where something else took it away; raises `ServiceError`."""
    match trace.kind:
        case Kind.SCHEDULE:
            batch.delete_schedule(trace.name)
        case Kind.JOB:
            batch.delete_job(trace.name)
        case Kind.POOL:
            batch.delete_pool(trace.name)
        case Kind.CONTAINER:
            blobs.delete_container(trace.name)
        case _:
            assert_never(trace.kind)


def remove_traces(
    traces: Iterable[Trace],
    *,
    batch: Batch,
    blobs: Blobs,
    why_not: Callable[[Trace], str | None] | None = None,
) -> tuple[tuple[Trace, ...], tuple[LeftBehind, ...]]:
    """Those that went, and why the others did not; one that stays keeps no other.

    `why_not` is asked right before each of them goes, and may raise `ServiceError`.
    """
    gone: list[Trace] = []
    left: list[LeftBehind] = []
    for trace in traces:
        try:
            why = None if why_not is None else why_not(trace)
            if why is None:
                remove_trace(trace, batch=batch, blobs=blobs)
        except ServiceError as error:
            why = error.message
        if why is None:
            gone.append(trace)
        else:
            left.append(left_behind(trace, why))
    return tuple(gone), tuple(left)


def left_behind(trace: Trace, why: str, *, kept: bool = False) -> LeftBehind:
    """A thing that is still there, as a run tells of it."""
    return LeftBehind(kind=trace.kind.value, name=trace.name, why=why, kept=kept)
