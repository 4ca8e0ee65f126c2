"""What a client declared, as the service gives it back; opaque to the core.

It must not know any property: shapes belong to the operations.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from runner.emulator.storage.jsontext import Written, write_json

Document: TypeAlias = Mapping[str, Any]
"""Checked JSON with defaults filled in and secrets kept aside; never changed in place."""

_read = json.JSONDecoder().raw_decode
# Fastest, for a text of any length, with little memory while it works.
_LEVEL, _WINDOW, _MEMORY = 1, -15, 4


class PackedDocument(Mapping[str, Any], Written):
    """A document of which there are many, as JSON of which only the differences are kept.

    Tasks of a job differ in little: from the text of another document, that of each follows by a
    tenth as much. It is read anew when it is asked for; who asks for several things gets them at
    the cost of one.
    """

    __slots__ = ("_differences", "_pattern")

    def __init__(self, text: str, pattern: bytes) -> None:
        """`text` is its JSON in ASCII, and `pattern` that of a document that may be like it."""
        press = zlib.compressobj(
            _LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, pattern
        )
        self._differences = press.compress(text.encode("ascii")) + press.flush()
        self._pattern = pattern

    @property
    def json(self) -> str:
        """The document as it is written down."""
        text = zlib.decompressobj(_WINDOW, self._pattern).decompress(self._differences)
        return text.decode("ascii")

    @property
    def size(self) -> int:
        """How many bytes it takes beside the pattern."""
        return len(self._differences)

    def __getitem__(self, name: str) -> Any:
        return _open(self)[name]

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping; a name that is not there costs no exception."""
        return _open(self).get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in _open(self)

    def __iter__(self) -> Iterator[str]:
        return iter(_open(self))

    def __len__(self) -> int:
        return len(_open(self))


def opened(document: Document) -> Document:
    """The same, at less cost for who asks for many things."""
    return _open(document) if isinstance(document, PackedDocument) else document


class _Opened:
    """The document that was read last: what is read of one is mostly read at once."""

    packed: PackedDocument | None = None
    document: Document = {}  # noqa: RUF012 - never changed in place


def _open(packed: PackedDocument) -> Document:
    if _Opened.packed is not packed:
        # What was written down here has nothing before it or behind it.
        _Opened.document, _ = _read(packed.json)
        _Opened.packed = packed
    return _Opened.document


def text_of(document: Document | Written) -> str:
    """A document as it is written down."""
    return document.json if isinstance(document, Written) else write_json(document)
