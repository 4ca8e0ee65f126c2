"""Reads the events of a run back from its directory, as the values that they were.

It must not know what is made of them; whoever wrote them may have died in the middle of a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from runner.errors import UsageError, describe_os_error
from runner.json_text import read_json
from runner.plan.prices.node_price import NodePrice
from runner.run.events import VERSION, Event, LeftBehind

EVENTS = "events.jsonl"
_TAIL_BYTES = 64 * 1024
_Read = Callable[[Any], object]


class LaterEventsError(UsageError):
    """The events are of a version that this one cannot read: what it took them for may be wrong."""


def read_events(
    directory: Path, *, unknown: Counter[str] | None = None
) -> Iterator[tuple[datetime, Event]]:
    """All events of a run in order, each with its time; none where nothing was written yet.

    A last line that is not whole is left out, and so are types of events that a later release
    added, which are counted in `unknown`. Raises `UsageError` where the file cannot be read,
    another line is damaged, or the events are of a later version.
    """
    path = directory / EVENTS
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.endswith(b"\n"):
                    return
                found = event_from_line(line, path, number, unknown=unknown)
                if found is not None:
                    yield found
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error


def unknown_events_note(unknown: Mapping[str, int]) -> str | None:
    """What to say where events were passed over, by their types."""
    if not unknown:
        return None
    count = sum(unknown.values())
    types = ", ".join(f"`{kind}`" for kind in sorted(unknown))
    return (
        f"{count} event{'' if count == 1 else 's'} of a later release passed over, of types that"
        f" this one does not know: {types}"
    )


def check_version(value: Mapping[str, Any]) -> None:
    """Raises `LaterEventsError` for an event of a later version, `ValueError` for one of none."""
    version = value.get("v", VERSION)
    if not isinstance(version, int) or version < VERSION:
        raise ValueError(f"not a version of events: {version}")
    if version > VERSION:
        raise LaterEventsError(
            f"the events of the run are of version {version}, and this release of batch-run reads"
            f" version {VERSION}",
            hint="a later release has written them: use that one",
        )


def event_from_json(value: Mapping[str, Any]) -> Event | None:
    """The event of one JSON object; None for a type that this release does not know.

    Raises `LaterEventsError` for a later version, and `ValueError`, `TypeError` or `KeyError` for
    an event that is not as this version writes it.
    """
    kind = _kinds().get(value["type"])
    check_version(value)
    if kind is None:
        return None
    readers = _readers()[kind.type]
    given = {name: read(value[name]) for name, read in readers.items() if name in value}
    event: Event = kind(**given)
    return event


def read_time(text: str) -> datetime:
    """A moment as events write it: RFC 3339 in UTC."""
    # `fromisoformat` takes no `Z` before Python 3.11, and knows what else is malformed.
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.utcoffset() != timedelta():
        raise ValueError(f"not in UTC: {text}")
    return moment.astimezone(timezone.utc)


def cut_torn_end(directory: Path) -> None:
    """Takes away what follows the last whole line, which a client that died has left.

    After a crash of the machine blocks of the file may be zeros: such lines go as well.
    """
    path = directory / EVENTS
    try:
        with path.open("r+b") as stream:
            size = stream.seek(0, 2)
            end = _whole_length(stream.read, stream.seek, size)
            if end < size:
                stream.truncate(end)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"cannot mend `{path}`: {describe_os_error(error)}") from error


def _whole_length(read: Callable[[int], bytes], seek: Callable[[int], int], size: int) -> int:
    """How many bytes at the beginning are whole lines of JSON, seen from the end."""
    end = size
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        seek(start)
        piece = read(end - start)
        last = piece.rfind(b"\n")
        if last < 0:
            end = start
            continue
        before = piece.rfind(b"\n", 0, last)
        if before < 0 and start > 0:
            line_start = _line_start(read, seek, start)
        else:
            line_start = start + before + 1
        seek(line_start)
        if _is_object(read(start + last - line_start)):
            return start + last + 1
        end = line_start
    return 0


def _line_start(read: Callable[[int], bytes], seek: Callable[[int], int], position: int) -> int:
    """Where the line begins that the position is in."""
    while position > 0:
        start = max(0, position - _TAIL_BYTES)
        seek(start)
        found = read(position - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(read_json(line), dict)
    except ValueError:
        return False


def event_from_line(
    line: bytes, path: Path, number: int, *, unknown: Counter[str] | None = None
) -> tuple[datetime, Event] | None:
    """The event of one line of a journal; None for a type that this release does not know.

    Such a type is counted in `unknown`. Raises `UsageError`, with the line's number, where it is
    no event, and `LaterEventsError` for one of a later version.
    """
    try:
        value = read_json(line)
        event = event_from_json(value)
        if event is None and unknown is not None:
            unknown[value["type"]] += 1
        return None if event is None else (read_time(value["t"]), event)
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"`{path}`, line {number}: not an event of a run",
            hint="something else has changed the file; the services know the run as well:"
            " `batch-run resume --from-service RUN`",
        ) from error


@cache
def _kinds() -> Mapping[str, type[Any]]:
    return {kind.type: kind for kind in get_args(Event)}


@cache
def _readers() -> Mapping[str, Mapping[str, _Read]]:
    """How each field of each kind of event is read from JSON; not all of them need a word."""
    found: dict[str, Mapping[str, _Read]] = {}
    for name, kind in _kinds().items():
        hints = get_type_hints(kind)
        found[name] = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    return found


def _reader(hint: Any) -> _Read:
    kinds = get_args(hint)
    if hint is datetime or datetime in kinds:
        return _read_moment
    if hint == tuple[LeftBehind, ...]:
        return _read_left
    if NodePrice in kinds:
        return _read_price
    if hint == tuple[str, ...]:
        return tuple
    return _as_it_is


def _read_moment(value: Any) -> object:
    return None if value is None else read_time(value)


def _read_left(value: Any) -> object:
    return tuple(LeftBehind(**_known(LeftBehind, each)) for each in value)


def _read_price(value: Any) -> object:
    return None if value is None else NodePrice(**_known(NodePrice, value))


def _known(kind: type[Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """Without what a later release has added."""
    names = {field.name for field in fields(kind)}
    return {name: each for name, each in value.items() if name in names}


def _as_it_is(value: Any) -> object:
    return value
