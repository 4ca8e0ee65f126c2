"""Events of runs that never were, and what a view makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from runner.cli.live.display import Gauges
from runner.cli.live.frame import lay_out, running_shown
from runner.cli.live.signs import UNICODE, Signs
from runner.cli.live.view import Viewer
from runner.report.fold import Report
from runner.run.events import (
    Event,
    JobCreated,
    NodeChanged,
    PoolChanged,
    RunStarted,
    TaskAdded,
    TaskFinished,
    TaskStarted,
)
from tests.fakes.ends import end_of
from tests.fakes.services import NOW

RUN = "demo-20260102t030405z-abcd"


def started(*, tasks: int, files: int = 0, size: int = 0) -> RunStarted:
    """A run of so many tasks and files of so many bytes in all."""
    return RunStarted(workload="demo", target="local", tasks=tasks, files=files, bytes=size)


def job() -> JobCreated:
    """The job and its pool."""
    return JobCreated(job=RUN, pool="pool-1")


def pool(nodes: int, *, target: int | None = None, errors: tuple[str, ...] = ()) -> PoolChanged:
    """A pool of so many dedicated nodes."""
    return PoolChanged(
        pool="pool-1",
        allocation="steady" if target is None else "resizing",
        dedicated=nodes,
        spot=0,
        target_dedicated=nodes if target is None else target,
        target_spot=0,
        errors=errors,
    )


def node(name: str, state: str) -> NodeChanged:
    """A node in a state."""
    return NodeChanged(node=name, state=state, previous=None)


def added(number: int) -> TaskAdded:
    """A task that the service has taken."""
    return TaskAdded(task=f"{number:05}", item=f"{number}.txt")


def begun(number: int, where: str | None = "node-1") -> TaskStarted:
    """A task that runs."""
    return TaskStarted(task=f"{number:05}", node=where, at=NOW)


def finished(
    number: int, *, succeeded: bool = True, item: str | None = None, tail: str | None = None
) -> TaskFinished:
    """A task that has ended, with exit code 3 where it failed."""
    return end_of(
        f"{number:05}",
        item=f"{number}.txt" if item is None else item,
        node="node-1",
        succeeded=succeeded,
        exit_code=0 if succeeded else 3,
        started=NOW,
        ended=NOW,
        cause=None if succeeded else "FailureExitCode",
        stderr_tail=tail,
    )


def shown(
    events: Iterable[Event],
    *,
    width: int = 80,
    height: int = 24,
    slots: int | None = 1,
    seconds: float = 0.0,
    gauges: Gauges | None = None,
    items: dict[str, str] | None = None,
    signs: Signs = UNICODE,
) -> list[str]:
    """The lines of the view, so long after all that happened at one moment."""
    viewer = Viewer(RUN, slots=slots, item=lambda task: (items or {}).get(task, ""))
    report = Report()
    for event in events:
        report.add(event, NOW)
        viewer.add(event, NOW, report)
    if gauges is not None:
        viewer.watch(gauges)
    viewer.look(NOW)
    moment = NOW + timedelta(seconds=seconds)
    view = viewer.look(moment, running=running_shown(width, height))
    rows = lay_out(view, width=width, height=height, signs=signs)
    return ["".join(text for text, _ in row).rstrip() for row in rows]
