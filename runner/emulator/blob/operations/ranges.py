"""Reads the range that a client asks for.

It must not know what the range is taken from, beyond its size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runner.emulator.blob.core.refusals import INVALID_RANGE, RefusedError, header_refused
from runner.emulator.storage.record import record

_RANGE = re.compile(r"bytes=(\d+)-(\d*)", re.ASCII)


@record(frozen=True, slots=True, kw_only=True)
class Range:
    """A stretch of a blob that holds at least one byte."""

    offset: int
    size_bytes: int

    def format(self, whole_bytes: int) -> str:
        """The `Content-Range` header."""
        return f"bytes {self.offset}-{self.offset + self.size_bytes - 1}/{whole_bytes}"


def read_range(
    headers: Mapping[str, str], whole_bytes: int, *, name: str | None = None
) -> Range | None:
    """The range of a header (None: `x-ms-range`, else `Range`), cut to the blob's size.

    None where the whole is asked for.

    "Specifying the range header for Blob Storage operations": only `bytes=start-[end]` is known.
    """
    if name is None:
        name = "x-ms-range" if "x-ms-range" in headers else "range"
    text = headers.get(name)
    if text is None:
        return None
    match = _RANGE.fullmatch(text.strip())
    if not match:
        raise header_refused(name, text)
    first = int(match[1])
    last = int(match[2]) if match[2] else whole_bytes - 1
    if match[2] and last < first:
        raise header_refused(name, text)
    if first >= whole_bytes:
        raise RefusedError(INVALID_RANGE, headers=(("Content-Range", f"bytes */{whole_bytes}"),))
    return Range(offset=first, size_bytes=min(last, whole_bytes - 1) - first + 1)
