"""What became of the things that runs have left, for people and as data.

It renders what it is given; it asks no service and no disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from runner.frozen import dataclass
from runner.report.as_text import format_bytes, plural, printable
from runner.run.events import format_moment, format_time
from runner.run.removal.traces import Kind, Trace

VERSION = 1


class Fate(Enum):
    """What becomes of a thing, in one word for a list."""

    WOULD_GO = "would go"
    GONE = "gone"
    STAYS = "stays"
    LEFT = "left"
    """It was to go, and is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One thing of a run, in a service or on this machine, and what becomes of it."""

    run: str
    kind: str
    name: str
    fate: Fate
    why: str | None = None
    """Why it stays, or is left."""
    made: datetime | None = None
    state: str = ""
    nodes: int = 0
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All things that were looked at; `checked_at` is when the services had listed what is left."""

    things: tuple[Thing, ...]
    target: str
    dry_run: bool
    checked_at: datetime | None


def thing_of(trace: Trace, fate: Fate, why: str | None = None) -> Thing:
    """A thing in a service."""
    return Thing(
        run=trace.run,
        kind=trace.kind.value,
        name=trace.name,
        fate=fate,
        why=why,
        made=trace.made,
        state=trace.state,
        nodes=trace.nodes,
    )


def account_as_json(account: Account) -> dict[str, Any]:
    """One object; keys are only ever added within a version."""
    checked = account.checked_at
    return {
        "v": VERSION,
        "target": account.target,
        "dry_run": account.dry_run,
        "checked_at": None if checked is None else format_time(checked),
        "things": [_as_json(thing) for thing in account.things],
        "left": sum(thing.fate is Fate.LEFT for thing in account.things),
    }


def account_as_text(account: Account) -> str:
    """A line for each run and each of its things, and one for the whole."""
    return "\n".join((*thing_lines(account.things), _summary(account)))


def thing_lines(things: Sequence[Thing]) -> Iterator[str]:
    """A line for each run, and one for each of its things."""
    run = None
    for thing in things:
        if thing.run != run:
            run = thing.run
            yield f"run {run}"
        why = "" if thing.why is None else f": {printable(thing.why)}"
        yield f"  {thing.fate.value:8}  {thing.kind} {thing.name}{_details(thing)}{why}"


def _details(thing: Thing) -> str:
    details = []
    if thing.kind == Kind.POOL.value:
        details.append(plural(thing.nodes, "node"))
    elif thing.state:
        details.append(thing.state)
    if thing.size_bytes is not None:
        details.append(format_bytes(thing.size_bytes))
    if thing.made is not None:
        details.append(f"since {format_moment(thing.made)}")
    return f" ({', '.join(details)})" if details else ""


def _summary(account: Account) -> str:
    count = {
        fate: sum(thing.fate is fate for thing in account.things)
        for fate in (Fate.WOULD_GO, Fate.GONE, Fate.STAYS, Fate.LEFT)
    }
    if not account.things:
        return "nothing left"
    parts = [
        f"{count[fate]:,} {words}"
        for fate, words in (
            (Fate.WOULD_GO, "would go"),
            (Fate.GONE, "gone"),
            (Fate.STAYS, "stay" if count[Fate.STAYS] != 1 else "stays"),
            (Fate.LEFT, "could not be removed"),
        )
        if count[fate]
    ]
    if count[Fate.GONE] == len(account.things):
        parts.append("nothing left")
    return ", ".join(parts)


def _as_json(thing: Thing) -> dict[str, Any]:
    return {
        "run": thing.run,
        "kind": thing.kind,
        "name": thing.name,
        "fate": thing.fate.value,
        "why": thing.why,
        "made": None if thing.made is None else format_time(thing.made),
        "state": thing.state or None,
        "nodes": thing.nodes if thing.kind == Kind.POOL.value else None,
        "bytes": thing.size_bytes,
    }
