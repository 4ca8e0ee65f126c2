"""What a client declared, as the service gives it back; opaque to the core.

It must not know any property: shapes belong to the operations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
"""Checked JSON with defaults filled in and secrets kept aside; never changed in place."""

# Tasks of a job differ in little: what they have in common is kept once.
_SHARED = 4096
_LONGEST_SHARED = 512


class PackedDocument(Mapping[str, Any]):
    """A document of which there are many, in a fifth of the memory of a `dict`.

    Objects and lists in it are kept as JSON, and read anew when they are asked for.
    """

    __slots__ = ("_names", "_values")

    def __init__(self, document: Document) -> None:
        self._names = _share_names(tuple(document))
        self._values = tuple([_pack(value) for value in document.values()])

    def __getitem__(self, name: str) -> Any:
        try:
            value = self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None
        return json.loads(value.decode("ascii")) if type(value) is bytes else value

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def pack(document: Document) -> Document:
    """The same document in little memory."""
    return document if isinstance(document, PackedDocument) else PackedDocument(document)


def _pack(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        value = json.dumps(value, separators=(",", ":")).encode("ascii")
    if isinstance(value, str | bytes) and len(value) <= _LONGEST_SHARED:
        return _share(value)
    return value


@lru_cache(maxsize=_SHARED, typed=True)
def _share(value: str | bytes) -> str | bytes:
    return value


@lru_cache(maxsize=_SHARED)
def _share_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return names
