"""How a run stands, as its directory alone says; of its events only what is needed is read.

It must not know what is shown of it, and it asks no service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from runner.errors import ExitCode, UsageError, describe_os_error
from runner.frozen import dataclass
from runner.json_text import read_json
from runner.run.events import CleanupFinished, LeftBehind, RunFinished
from runner.run.records.driving import Driver, find_driver
from runner.run.records.reading import EVENTS, event_from_json, event_from_line
from runner.run.records.record import RunRecord, read_record
from runner.run.submit import SUBMISSION

_PIECE_BYTES = 1024 * 1024
_TAIL_BYTES = 64 * 1024
# Within a string every quote has a backslash before it, so that none of these is ever in one.
_TASK = re.compile(
    rb'"type":"(?:run\.started"[^\n]*?"tasks":(\d+)'
    rb'|task\.finished","task":"(\d+)"[^\n]*?"succeeded":(true|false))'
)


class Standing(Enum):
    """What a run is, at this moment."""

    DRIVEN = "running"
    """A process of this machine drives it."""
    DETACHED = "detached"
    """Its work goes on, or has ended, in the service; nobody looks."""
    ABANDONED = "abandoned"
    """Whoever drove it has died."""
    BROKEN_OFF = "broken off"
    """The service, or the machine, kept it from its end."""
    NOT_AWAITED = "not awaited"
    """It was waited for as long as the spec says, and the work goes on."""
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    """What it takes for granted was not there: it never began."""
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    LEFT_BEHIND = "left something"
    """All its tasks succeeded, and something could not be deleted."""

    @property
    def is_resumable(self) -> bool:
        """Whether `resume` has something to do."""
        return self in _RESUMABLE


_RESUMABLE = frozenset(
    {
        Standing.DETACHED,
        Standing.ABANDONED,
        Standing.BROKEN_OFF,
        Standing.NOT_AWAITED,
        Standing.INTERRUPTED,
        Standing.LEFT_BEHIND,
    }
)
_STANDINGS: Mapping[int, Standing] = {
    ExitCode.SUCCESS: Standing.SUCCEEDED,
    ExitCode.TASKS_FAILED: Standing.FAILED,
    ExitCode.USAGE: Standing.REFUSED,
    ExitCode.STOPPED_WAITING: Standing.NOT_AWAITED,
    ExitCode.LEFT_BEHIND: Standing.LEFT_BEHIND,
    ExitCode.INTERRUPTED: Standing.INTERRUPTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run in short; `end` is how it ended, None while it has not.

    `tasks` is None where not even their number is known.
    """

    run: str
    record: RunRecord
    standing: Standing
    driver: Driver | None
    end: RunFinished | None
    tasks: int | None
    succeeded: int
    failed: int
    rests: bool = False
    """Its services are of this machine and have ended, as whoever has asked found."""


def summarize(directory: Path) -> RunSummary:
    """A run's directory in short; `UsageError` where there is no record of the run in it."""
    record = read_record(directory)
    driver = find_driver(directory)
    last = last_event(directory)
    end = last if isinstance(last, RunFinished) and driver is None else None
    if end is not None:
        tasks: int | None = end.succeeded + end.failed + end.unfinished
        succeeded, failed = end.succeeded, end.failed
    else:
        tasks, succeeded, failed = _count_tasks(directory)
    return RunSummary(
        run=directory.name,
        record=record,
        standing=_standing(directory, record, driver, last),
        driver=driver,
        end=end,
        tasks=tasks,
        succeeded=succeeded,
        failed=failed,
    )


def find_standing(directory: Path, record: RunRecord, *, driver: Driver | None) -> Standing:
    """How a run stands that `driver` drives, or nobody does."""
    return _standing(directory, record, driver, last_event(directory))


def _standing(directory: Path, record: RunRecord, driver: Driver | None, last: object) -> Standing:
    if driver is not None:
        return Standing.DRIVEN
    match last:
        case RunFinished(exit_code=ExitCode.USAGE) if (directory / SUBMISSION).exists():
            return Standing.BROKEN_OFF
        case RunFinished():
            return _STANDINGS.get(last.exit_code, Standing.BROKEN_OFF)
        case CleanupFinished() if record.detached:
            return Standing.DETACHED
        case _:
            return Standing.ABANDONED


def last_event(directory: Path) -> RunFinished | CleanupFinished | None:
    """The last whole event, where it is of an end; only the file's own end is read."""
    path = directory / EVENTS
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _TAIL_BYTES))
            tail = stream.read()
            whole = tail.rpartition(b"\n")[0]
            line = whole.rpartition(b"\n")[2]
            if whole and len(whole) == len(line) and size > _TAIL_BYTES:
                # What is left behind may be told at length.
                stream.seek(0)
                line = stream.read().rpartition(b"\n")[0].rpartition(b"\n")[2]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error
    try:
        value: Mapping[str, Any] = read_json(line)
        if value["type"] not in {RunFinished.type, CleanupFinished.type}:
            return None
        event = event_from_json(value)
    except (ValueError, TypeError, KeyError):
        return None
    return event if isinstance(event, RunFinished | CleanupFinished) else None


def what_is_left(directory: Path) -> tuple[LeftBehind, ...]:
    """What the last cleanup told to be left though it should have gone."""
    found: tuple[LeftBehind, ...] = ()
    path = directory / EVENTS
    marker = f'"type":"{CleanupFinished.type}"'.encode()
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if marker in line and line.endswith(b"\n"):
                    told = event_from_line(line, path, number)
                    if told is not None and isinstance(told[1], CleanupFinished):
                        found = told[1].left
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error
    return tuple(each for each in found if not each.kept)


def _count_tasks(directory: Path) -> tuple[int | None, int, int]:
    """All tasks, and those that succeeded and failed; of a task that ended twice the last counts.

    A million lines take about a second: they are searched for the few words that matter.
    """
    tasks: int | None = None
    ends: dict[bytes, bool] = {}
    rest = b""
    path = directory / EVENTS
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                lines, newline, rest = (rest + piece).rpartition(b"\n")
                if not newline:
                    continue
                for match in _TASK.finditer(lines):
                    total, task, good = match.groups()
                    if total is not None:
                        tasks = int(total)
                    else:
                        ends[task] = good == b"true"
    except FileNotFoundError:
        return None, 0, 0
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error
    succeeded = sum(ends.values())
    return tasks, succeeded, len(ends) - succeeded
