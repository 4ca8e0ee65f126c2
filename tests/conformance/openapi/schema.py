"""What a version of the service documents: operations, models and the types of their properties.

It must not know from which kind of document a surface was read, nor how a value is checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Any string."""


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""


@dataclass(frozen=True, slots=True)
class Decimal:
    """Any number."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer of 32 bits, or one of 64 bits, which the service writes as a string of digits."""

    bits: int = 32


@dataclass(frozen=True, slots=True)
class Moment:
    """An RFC 3339 time in UTC with at most seven digits of a second."""


@dataclass(frozen=True, slots=True)
class Length:
    """An ISO 8601 duration in days and smaller."""


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Anything:
    """An object of which nothing is documented."""


@dataclass(frozen=True, slots=True)
class Words:
    """One of the words, in any case."""

    name: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of one type."""

    item: Type


@dataclass(frozen=True, slots=True)
class Lookup:
    """An object with any names and values of one type."""

    value: Type


@dataclass(frozen=True, slots=True)
class Reference:
    """A model of the same surface."""

    name: str


Type: TypeAlias = (
    Text
    | Flag
    | Decimal
    | Whole
    | Moment
    | Length
    | Content
    | Anything
    | Words
    | Sequence
    | Lookup
    | Reference
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of a model."""

    type: Type
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An object, by the names of its properties on the wire."""

    name: str
    properties: Mapping[str, Property]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A verb and a path template; `body` is None where a success has no content."""

    name: str
    method: str
    path: str
    statuses: frozenset[int]
    headers: frozenset[str]
    body: Type | None

    @property
    def title(self) -> str:
        """What it is called in every version: verb and path."""
        return f"{self.method} {self.path}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Fits the paths of the operation as they are sent; a file's path may hold slashes."""

        def segment(match: re.Match[str]) -> str:
            return ".+" if match[1] == "filePath" else "[^/]+"

        return re.compile(re.sub(r"\\\{(\w+)\\\}", segment, re.escape(self.path)))


@dataclass(frozen=True, kw_only=True)
class Surface:
    """All that one document says."""

    version: str
    operations: tuple[Operation, ...]
    models: Mapping[str, Model]
    error: str

    def find(self, method: str, path: str) -> Operation | None:
        """The operation of a request, by its verb and its path below the account."""
        fitting = [
            operation
            for operation in self.operations
            if operation.method == method and operation.pattern.fullmatch(path)
        ]
        # `/pools/p/nodes/n/files` is no file of that name: the fewest variables win.
        return min(fitting, key=lambda operation: operation.path.count("{"), default=None)
