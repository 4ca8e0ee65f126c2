"""Which events of a run are wanted, by their number, their time and their type.

It must not know where their lines come from, nor where they go.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, get_args

from runner.errors import UsageError
from runner.frozen import dataclass
from runner.json_text import read_json
from runner.run.events import Event
from runner.run.records.reading import check_version, read_time
from runner.spec.duration import parse_duration
from runner.spec.suggestion import suggest

# As the journal writes it, an event of this version begins with these bytes.
_OURS = b'{"v":1,'
_OTHER = re.compile(rb'\n(?!\{"v":1,)(?=.)')


@dataclass(frozen=True, slots=True, kw_only=True)
class EventChoice:
    """`first` counts all events of the run from 1; without `types` all are wanted."""

    first: int = 1
    since: datetime | None = None
    types: frozenset[str] = frozenset()

    @property
    def is_all(self) -> bool:
        """Whether no event is left out."""
        return self.first == 1 and self.since is None and not self.types


def choose_events(arguments: argparse.Namespace, *, now: datetime) -> EventChoice:
    """What the command line asks for; `UsageError` where that makes no sense."""
    known = [kind.type for kind in get_args(Event)]
    for each in arguments.types:
        if each not in known:
            raise UsageError(
                f"there are no events `{each}`", hint=suggest(each, known, label="types")
            )
    if arguments.first < 1:
        raise UsageError(f"`--from {arguments.first}`: events are counted from 1")
    return EventChoice(
        first=arguments.first,
        since=None if arguments.since is None else _moment(arguments.since, now),
        types=frozenset(arguments.types),
    )


def chosen_lines(pieces: Iterable[bytes], choice: EventChoice) -> Iterator[bytes]:
    """Of pieces of whole lines what is wanted, with nothing held back.

    Raises `LaterEventsError` where the events are of a version that this release does not know.
    """
    number = 0
    for piece in pieces:
        if choice.is_all:
            _check_versions(piece)
            yield piece
            continue
        wanted = []
        for line in piece.splitlines(keepends=True):
            number += 1
            if _is_wanted(line, number, choice):
                wanted.append(line)
        if wanted:
            yield b"".join(wanted)


def _check_versions(piece: bytes) -> None:
    if not piece.startswith(_OURS) or _OTHER.search(piece):
        for line in piece.splitlines():
            _read(line)


def _is_wanted(line: bytes, number: int, choice: EventChoice) -> bool:
    if number < choice.first:
        return False
    value = _read(line)
    if choice.types and value.get("type") not in choice.types:
        return False
    try:
        return choice.since is None or read_time(value["t"]) >= choice.since
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"line {number} of the run's events has no time") from error


def _read(line: bytes) -> dict[str, Any]:
    try:
        value: dict[str, Any] = read_json(line)
        check_version(value)
    except (ValueError, AttributeError) as error:
        raise UsageError(
            "a line of the run's events is none", hint="`batch-run status` says which"
        ) from error
    return value


def _moment(text: str, now: datetime) -> datetime:
    """A time, or so long ago."""
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    except OverflowError as error:
        raise UsageError(f"`--since {text}`: before all time") from error
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        if moment.utcoffset() is None:
            raise ValueError("no zone")  # noqa: TRY301 - as one that cannot be read
    except ValueError as error:
        raise UsageError(
            f"`--since {text}`: not a time",
            hint="a time such as `2026-01-31T12:00:00Z`, or how long ago: `90s`, `30m`, `2h`",
        ) from error
    return moment
