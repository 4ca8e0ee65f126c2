"""Which strings of a spec are templates of what: one table, read along with the data.

It knows nothing of expressions, nor of what each string can speak of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any

from runner.frozen import dataclass
from runner.spec.document import Pointer


class Kind(Enum):
    """What becomes of a string."""

    COMMAND = auto()
    """A script, or a list of a program and its arguments."""
    PATTERN = auto()
    TEXT = auto()
    """Rendered for each task."""
    URL = auto()
    EARLY = auto()
    """Rendered once, from parameters, before the data becomes typed values."""
    LITERAL = auto()


class Owner(Enum):
    """Whose string it is, which decides what it can speak of."""

    STEP = auto()
    NODE = auto()
    """A command of nodes, or the settings of the job: there are no items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A string, or a command in list form; `owner` is the mapping that it belongs to."""

    pointer: Pointer
    kind: Kind
    owner: Pointer
    owner_kind: Owner
    value: Any


_Table = Mapping[str, "_Table | Kind"]
_ANY = "*"
_TEXTS: _Table = {_ANY: Kind.TEXT}
_RESOURCES: _Table = {
    _ANY: {"file": Kind.TEXT, "prefix": Kind.TEXT, "to": Kind.TEXT, "url": Kind.URL}
}
_NODE_COMMAND: _Table = {
    "command": Kind.COMMAND,
    "environment": _TEXTS,
    "resources": _RESOURCES,
}
_STEP: _Table = {
    **_NODE_COMMAND,
    "outputs": {_ANY: {"pattern": Kind.PATTERN, "path": Kind.TEXT}},
    "container": {"image": Kind.TEXT},
    "instances": {"coordination": Kind.COMMAND, "resources": _RESOURCES},
}
_SPEC: _Table = {
    "version": Kind.LITERAL,
    "name": Kind.LITERAL,
    "description": Kind.LITERAL,
    "parameters": Kind.LITERAL,
    "pool": {"start_task": _NODE_COMMAND},
    "job": {"preparation": _NODE_COMMAND, "release": _NODE_COMMAND, "environment": _TEXTS},
    "task": _STEP,
    "tasks": {_ANY: _STEP},
}
_OWNERS: tuple[tuple[_Table, Owner], ...] = ((_STEP, Owner.STEP), (_NODE_COMMAND, Owner.NODE))


def find_places(data: Mapping[str, Any]) -> Iterator[Place]:
    """Every string that is not literal, and each command in list form as a whole.

    The data need not have passed the schema. Lists are commands where all items are strings.
    """
    return _walk(data, (), _SPEC, (), Owner.NODE)


def _walk(
    value: Any, pointer: Pointer, table: _Table | Kind, owner: Pointer, kind: Owner
) -> Iterator[Place]:
    if isinstance(table, Kind):
        if table is Kind.LITERAL:
            return
        if isinstance(value, str) or (table is Kind.COMMAND and _is_argv(value)):
            yield Place(pointer=pointer, kind=table, owner=owner, owner_kind=kind, value=value)
            return
        if table is not Kind.EARLY:
            return  # the schema wants text there
        below: _Table = {}
    else:
        if isinstance(value, str):
            yield Place(pointer=pointer, kind=Kind.EARLY, owner=owner, owner_kind=kind, value=value)
            return
        below = table
    for whole, its_kind in _OWNERS:
        if table is whole:
            owner, kind = pointer, its_kind
    items: Iterator[tuple[str | int, Any]]
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    else:
        return
    others = below.get(_ANY, Kind.EARLY)
    for key, child in items:
        inner = below.get(key, others) if isinstance(key, str) else others
        yield from _walk(child, (*pointer, key), inner, owner, kind)


def _is_argv(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
