"""Reads all of a run that its page shows from the run's directory; no service is asked.

What is a secret is taken out of values here, before anything is made of them: of a page that is
made already a word could not be taken without its script being another than its policy lets be.
It must not know how the page looks, nor where it goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from runner.cli.folding import spend_until
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
from runner.run.records.redaction import redacted
from runner.run.records.standing import find_standing

# Their commands are read from the plan, and shown with what they wrote.
_MOST_SCRIPTS = 500
_T = TypeVar("_T")


def find_view(directory: Path, world: World) -> PageView:
    """All that a run's directory tells, as it is now.

    Raises `UsageError` where the directory has no record, or something in it cannot be read.
    """
    record = read_record(directory)
    driver = find_driver(directory)
    plan = _clean(read_plan_head(directory), world)
    report = Report()
    unknown = Counter[str]()
    events = _read_clean(directory, unknown, world)
    trace = read_trace(_folded(events, report), steps=_steps(plan))
    tell_unknown(unknown, world)
    made = world.clock.now()
    spend_until(report, trace.seen if driver is None else made)
    failed = [row.id for row in trace.tasks if row.state is TaskState.FAILED]
    return PageView(
        record=_clean(record, world),
        standing=find_standing(directory, record, driver=driver),
        report=report,
        trace=trace,
        lanes=tuple(find_lanes(trace, slots=_slots(plan))),
        cost=report.spending.cost(),
        plan=plan,
        spec=_clean(_read_spec(directory / SPEC), world),
        scripts=_clean(read_scripts(directory, failed[:_MOST_SCRIPTS]), world),
        again=_clean(calling_of(record, world).again, world),
        made=made,
    )


def find_trace(directory: Path, world: World) -> Trace:
    """The trace alone; raises as `find_view`."""
    plan = _clean(read_plan_head(directory), world)
    unknown = Counter[str]()
    trace = read_trace(_read_clean(directory, unknown, world), steps=_steps(plan))
    tell_unknown(unknown, world)
    find_lanes(trace, slots=_slots(plan))
    return trace


def _folded(
    events: Iterable[tuple[datetime, Event]], report: Report
) -> Iterator[tuple[datetime, Event]]:
    """The events, each folded into the report on its way: they are read once."""
    for at, event in events:
        report.add(event, at)
        yield at, event


def _read_clean(
    directory: Path, unknown: Counter[str], world: World
) -> Iterator[tuple[datetime, Event]]:
    for at, event in read_events(directory, unknown=unknown):
        yield at, _clean(event, world)


def _clean(value: _T, world: World) -> _T:
    return redacted(value, world.redaction, also_names=True)


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
