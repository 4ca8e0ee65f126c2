"""JSON as text: written fast, and kept as it was written.

It must not know what it says.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from json import encoder
from typing import Any


class Written(ABC):
    """A value that is JSON text already."""

    __slots__ = ()

    @property
    @abstractmethod
    def json(self) -> str:
        """The text, in ASCII."""
        ...


class Text(Written):
    """JSON that nobody has looked into yet."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def json(self) -> str:
        """The text, in ASCII."""
        return self._text


def write_json(value: Any) -> str:
    """The value as JSON without spaces, in ASCII alone.

    JSON of clients may hold halves of surrogate pairs, which nothing takes that wants UTF-8.
    Raises `TypeError` for what has no form in JSON.
    """
    return "".join(_pieces_of(value, 0))


def _as_dict(value: Any) -> dict[str, Any]:
    """Objects may be any mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _make_writer() -> Callable[[Any, int], Any]:
    """What `JSONEncoder.encode` makes anew at each call, which is half of its time."""
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:
        plain = json.JSONEncoder(check_circular=False, separators=(",", ":"), default=_as_dict)
        return lambda value, _: plain.encode(value)
    text = encoder.encode_basestring_ascii
    writer: Callable[[Any, int], Any]
    # As `iterencode` calls it: no circles looked for, no indentation, keys as they come.
    writer = make(None, _as_dict, text, None, ":", ",", False, False, True)
    return writer


_pieces_of = _make_writer()
