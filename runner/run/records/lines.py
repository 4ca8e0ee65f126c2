"""Events as lines of JSON, each kind by a plan that is made once: runs write five lines a task.

It must not know where the lines go, nor what is to be kept out of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import datetime, timezone
from functools import cache
from operator import attrgetter
from typing import Any, get_type_hints

from runner.frozen import dataclass
from runner.plan.prices.node_price import NodePrice
from runner.run.events import VERSION, Event, LeftBehind, format_time

# What `json.dumps` itself uses for a text; it has no other public name.
_quoted: Callable[[str], str] = json.encoder.encode_basestring
_Write = Callable[[Any], str]
_TIME = b'"t":"'


def event_as_line(event: Event, *, run: str, at: datetime) -> bytes:
    """One JSON object and the end of its line: `v, t, run, type`, then the event's own fields."""
    kind = type(event)
    plan = _PLANS.get(kind) or _make_plan(kind)
    values = zip(plan.writers, plan.values(event), strict=True)
    body = plan.body % tuple([write(each) for write, each in values])
    text = f'{{"v":{VERSION},"t":"{format_time(at)}","run":{_quoted(run)}{body}}}\n'
    # Characters that are no text are escaped as JSON escapes them.
    return text.encode("utf-8", "backslashreplace")


def time_of(line: bytes) -> datetime:
    """When the event of such a line was recorded, without the cost of reading all of it."""
    start = line.index(_TIME) + len(_TIME)
    return datetime.fromisoformat(line[start : line.index(b'Z"', start)].decode("ascii")).replace(
        tzinfo=timezone.utc
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one kind of event is written: a format of its fields, and what makes a text of each."""

    body: str
    values: Callable[[Any], tuple[Any, ...]]
    writers: tuple[_Write, ...]


_PLANS: dict[type[Any], _Plan] = {}


def _make_plan(kind: type[Any]) -> _Plan:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    body = "".join(f',"{name}":%s' for name in names)
    get = attrgetter(*names)
    plan = _PLANS[kind] = _Plan(
        body=f',"type":"{kind.type}"{body}',
        values=get if len(names) > 1 else lambda event: (get(event),),
        writers=tuple(_writers().get(hints[name], _write_any) for name in names),
    )
    return plan


@cache
def _writers() -> Mapping[object, _Write]:
    return {
        bool: _write_flag,
        int: int.__repr__,
        int | None: _write_number,
        str: _quoted,
        str | None: _write_text,
        datetime | None: _write_moment,
    }


def _write_flag(value: bool) -> str:
    return "true" if value else "false"


def _write_number(value: int | None) -> str:
    return "null" if value is None else int.__repr__(value)


def _write_text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


def _write_moment(value: datetime | None) -> str:
    return "null" if value is None else f'"{format_time(value)}"'


def _write_any(value: object) -> str:
    return json.dumps(_as_json(value), ensure_ascii=False, separators=(",", ":"))


def _as_json(value: object) -> object:
    match value:
        case datetime():
            return format_time(value)
        case tuple():
            return [_as_json(each) for each in value]
        case LeftBehind() | NodePrice():
            return asdict(value)
        case Mapping():
            return {key: _as_json(each) for key, each in value.items()}
        case _:
            return value
