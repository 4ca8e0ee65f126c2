"""What is looked at before a spec becomes typed values, since those could not hold what is wrong.

The schema has passed the data; expressions have become values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from runner.spec.document import Document, Pointer
from runner.spec.model.sources import RowsFormat
from runner.spec.problem import Problem
from runner.spec.suggestion import shorten

_Data = Mapping[str, Any]


def check_data(document: Document, data: _Data) -> tuple[Problem, ...]:
    """Dates that are none, rows of an unknown format, bounds that leave nothing between them."""
    return (
        *_dates_are_real(document, data),
        *_formats_are_known(document, data),
        *_autoscale_has_bounds(document, data),
    )


def _dates_are_real(document: Document, data: _Data) -> Iterator[Problem]:
    pointer: Pointer = ("job", "schedule")
    schedule = data.get("job", {}).get("schedule", {})
    for key in ("start", "end"):
        if key not in schedule:
            continue
        try:
            datetime.strptime(schedule[key], "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - only tried
        except ValueError:
            yield document.problem(
                (*pointer, key),
                code="no-date",
                message=f"`{shorten(schedule[key])}` is no moment of the calendar",
                hint="write it in UTC, such as `2026-03-31T06:00:00Z`",
            )


def _formats_are_known(document: Document, data: _Data) -> Iterator[Problem]:
    steps: list[tuple[Pointer, _Data]] = [(("task",), data["task"])] if "task" in data else []
    steps += [(("tasks", name), step) for name, step in data.get("tasks", {}).items()]
    for owner, step in steps:
        for pointer, source in _sources(step.get("for_each"), (*owner, "for_each")):
            if "rows" not in source or "format" in source:
                continue
            suffix = PurePath(source["rows"]).suffix.removeprefix(".").lower()
            if suffix not in {*(each.value for each in RowsFormat), "ndjson"}:
                yield document.problem(
                    (*pointer, "rows"),
                    code="rows-format",
                    message=f"the name `{shorten(source['rows'])}` does not tell how its rows are"
                    " written",
                    hint="say so: `format: csv`, `tsv`, `json` or `jsonl`",
                )


def _sources(written: object, pointer: Pointer) -> Iterator[tuple[Pointer, _Data]]:
    """A source written as a mapping, and those that it is made of."""
    if not isinstance(written, dict):
        return
    yield pointer, written
    for key in ("matrix", "zip"):
        for name, each in written.get(key, {}).items():
            yield from _sources(each, (*pointer, key, name))


def _autoscale_has_bounds(document: Document, data: _Data) -> Iterator[Problem]:
    autoscale = data["pool"].get("autoscale", {})
    least, most = autoscale.get("min", 0), autoscale.get("max")
    if most is None:
        return
    if least > most:
        yield document.problem(
            ("pool", "autoscale", "max"),
            code="out-of-range",
            message=f"`max`, {most}, is less than `min`, {least}",
            hint="swap the two",
        )
