"""From the data of `for_each` to its typed model; the schema has passed it.

It reads no file: what a source comes to is for `plan.items`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from runner.spec.document import Pointer
from runner.spec.model.sources import (
    FilePatterns,
    FilesOf,
    ListOf,
    MatrixOf,
    OutputsOf,
    RangeOf,
    RowsFormat,
    RowsOf,
    SimpleSource,
    Source,
    ZipOf,
)
from runner.spec.model.terms import Role, StepName

_Data = Mapping[str, Any]


def parse_source(data: str | _Data, pointer: Pointer) -> Source:
    """What a step is run for; a string is the role of a container."""
    if isinstance(data, str):
        return FilesOf(role=Role(data), patterns=FilePatterns(), chunk=None, pointer=pointer)
    if "outputs_of" in data:
        return OutputsOf(step=StepName(data["outputs_of"]), pointer=pointer)
    if "matrix" in data:
        return MatrixOf(axes=_named(data["matrix"], (*pointer, "matrix")), pointer=pointer)
    if "zip" in data:
        return ZipOf(columns=_named(data["zip"], (*pointer, "zip")), pointer=pointer)
    return _simple(data, pointer)


def parse_patterns(data: _Data) -> FilePatterns:
    """`include`, `exclude` and `case_sensitive`."""
    default = FilePatterns()
    return FilePatterns(
        include=tuple(data.get("include", default.include)),
        exclude=tuple(data.get("exclude", default.exclude)),
        case_sensitive=data.get("case_sensitive", default.case_sensitive),
    )


def _named(data: _Data, pointer: Pointer) -> dict[str, SimpleSource]:
    return {name: _simple(each, (*pointer, name)) for name, each in data.items()}


def _simple(data: _Data | list[Any], pointer: Pointer) -> SimpleSource:
    if isinstance(data, list):
        return ListOf(values=tuple(data), pointer=pointer)
    if "list" in data:
        return ListOf(values=tuple(data["list"]), pointer=pointer)
    if "rows" in data:
        suffix = PurePath(data["rows"]).suffix.removeprefix(".").lower()
        written = data.get("format", suffix)
        return RowsOf(
            path=data["rows"],
            # A name that tells nothing has been refused by the rules for data.
            format=RowsFormat({"ndjson": "jsonl"}.get(written, written)),
            pointer=pointer,
        )
    if "range" in data:
        bounds = data["range"]
        return RangeOf(
            first=bounds["from"], last=bounds["to"], step=bounds.get("step", 1), pointer=pointer
        )
    chunk = data.get("chunk")
    return FilesOf(
        role=Role(data["files"]),
        patterns=parse_patterns(data),
        chunk=None if chunk is None else int(chunk),
        pointer=pointer,
    )
