"""Reads all of a run that its page shows from the run's directory; no service is asked.

It must not know how the page looks, nor where it goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.cli.following_up import calling_of
from runner.cli.unknown_events import tell_unknown
from runner.cli.world import World
from runner.errors import UsageError, describe_os_error
from runner.report.fold import Report
from runner.report.lanes import find_lanes
from runner.report.page.view import PageView
from runner.report.trace import StepRange, TaskState, Trace
from runner.report.trace_reading import read_trace
from runner.run.events import Event
from runner.run.records.driving import find_driver
from runner.run.records.plan_file import read_plan_head, read_scripts
from runner.run.records.reading import read_events
from runner.run.records.record import read_record
from runner.run.records.record_blob import SPEC
from runner.run.records.standing import find_standing

# Their commands are read from the plan, and shown with what they wrote.
_MOST_SCRIPTS = 500


def find_view(directory: Path, world: World) -> PageView:
    """All that a run's directory tells, as it is now.

    Raises `UsageError` where the directory has no record, or something in it cannot be read.
    """
    record = read_record(directory)
    driver = find_driver(directory)
    plan = read_plan_head(directory)
    report = Report()
    unknown = Counter[str]()
    trace = read_trace(_folded(directory, report, unknown), steps=_steps(plan))
    tell_unknown(unknown, world)
    made = world.clock.now()
    failed = [row.id for row in trace.tasks if row.state is TaskState.FAILED]
    return PageView(
        record=record,
        standing=find_standing(directory, record, driver=driver),
        report=report,
        trace=trace,
        lanes=tuple(find_lanes(trace, slots=_slots(plan))),
        cost=report.spending.cost(None if driver is None else made),
        plan=plan,
        spec=_read_spec(directory / SPEC),
        scripts=read_scripts(directory, failed[:_MOST_SCRIPTS]),
        again=calling_of(record, world).again,
        made=made,
    )


def find_trace(directory: Path, world: World) -> Trace:
    """The trace alone; raises as `find_view`."""
    plan = read_plan_head(directory)
    unknown = Counter[str]()
    trace = read_trace(read_events(directory, unknown=unknown), steps=_steps(plan))
    tell_unknown(unknown, world)
    find_lanes(trace, slots=_slots(plan))
    return trace


def _folded(
    directory: Path, report: Report, unknown: Counter[str]
) -> Iterator[tuple[datetime, Event]]:
    """The events, each folded into the report on its way: they are read once."""
    for at, event in read_events(directory, unknown=unknown):
        report.add(event, at)
        yield at, event


def _steps(plan: Mapping[str, Any] | None) -> tuple[StepRange, ...]:
    steps = [] if plan is None else plan.get("steps", [])
    found = (StepRange(name=each["name"], first=each["first"]) for each in steps if each["first"])
    return tuple(sorted(found, key=lambda step: step.first))


def _slots(plan: Mapping[str, Any] | None) -> int:
    pool = (plan or {}).get("pool") or {}
    slots = pool.get("task_slots_per_node")
    return slots if isinstance(slots, int) else 1


def _read_spec(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="backslashreplace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error
