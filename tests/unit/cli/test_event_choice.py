"""Events chosen by number, time and type; those of a later version are refused."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from typing import Any

import pytest

from runner.cli.event_choice import EventChoice, choose_events, chosen_lines
from runner.errors import UsageError
from runner.run.records.reading import LaterEventsError

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=timezone.utc)
LINES = [
    b'{"v":1,"t":"2026-01-02T10:00:00.000000Z","run":"r","type":"run.started"}\n',
    b'{"v":1,"t":"2026-01-02T11:00:00.000000Z","run":"r","type":"task.added"}\n',
    b'{"v":1,"t":"2026-01-02T11:59:00.000000Z","run":"r","type":"task.paused"}\n',
    b'{"v":1,"t":"2026-01-02T11:59:30.000000Z","run":"r","type":"task.added"}\n',
]


def choose(*, first: int = 1, since: str | None = None, types: tuple[str, ...] = ()) -> EventChoice:
    return choose_events(argparse.Namespace(first=first, since=since, types=types), now=NOW)


def chosen(choice: EventChoice, lines: list[bytes] = LINES) -> list[int]:
    """Numbers of the lines, which come in two pieces."""
    pieces = [piece for piece in (b"".join(lines[:2]), b"".join(lines[2:])) if piece]
    found = b"".join(chosen_lines(pieces, choice)).splitlines(keepends=True)
    return [lines.index(line) + 1 for line in found]


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (choose(), [1, 2, 3, 4]),
        (choose(first=3), [3, 4]),
        (choose(first=9), []),
        (choose(since="1h"), [2, 3, 4]),
        (choose(since="45s"), [4]),
        (choose(since="2026-01-02T12:59:00+01:00"), [3, 4]),
        (choose(types=("task.added",)), [2, 4]),
        (choose(types=("task.added", "run.started"), first=2), [2, 4]),
        (choose(types=("task.added",), since="30m"), [4]),
    ],
)
def test_what_is_asked_for_is_chosen(choice: EventChoice, numbers: list[int]) -> None:
    assert chosen(choice) == numbers


@pytest.mark.parametrize("choice", [choose(), choose(first=2), choose(types=("task.added",))])
@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_events_of_a_later_version_are_refused(choice: EventChoice, place: int) -> None:
    later = LINES[1].replace(b'"v":1', b'"v":2')
    with pytest.raises(LaterEventsError) as caught:
        chosen(choice, [*LINES[:place], later, *LINES[place:]])
    assert caught.value.message == (
        "the events of the run are of version 2, and this release of batch-run reads version 1"
    )


def test_fields_in_another_order_are_of_this_version_too() -> None:
    lines = [*LINES, b'{"type":"task.added","v":1,"t":"2026-01-02T11:59:59.000000Z"}\n']
    assert chosen(choose(), lines) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"first": 0}, "`--from 0`: events are counted from 1"),
        ({"since": "yesterday"}, "`--since yesterday`: not a time"),
        ({"since": "2026-01-02T12:00:00"}, "`--since 2026-01-02T12:00:00`: not a time"),
        ({"since": "999999d"}, "`--since 999999d`: before all time"),
        ({"types": ("task.add",)}, "there are no events `task.add`"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose(**asked)
    assert caught.value.message == message
