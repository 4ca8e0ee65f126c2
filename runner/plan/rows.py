"""The rows of a file of this machine: columns and cells, or what is wrong with it and where.

Each format has a module of its own; this one knows what all of them make. A file is read a row at a
time, and rows are kept as text, so that they take about as much memory as the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import BinaryIO

from runner.errors import describe_os_error
from runner.plan.blob_names import shown
from runner.plan.name_table import NameTable
from runner.plan.rows_delimited import read_delimited
from runner.plan.rows_faults import Cell, Row, RowFault
from runner.plan.rows_json import read_json, read_json_lines
from runner.spec.document import Document
from runner.spec.model.sources import RowsFormat, RowsOf
from runner.spec.problem import Position, Problem, Span
from runner.spec.templates.values import written_text

MOST_PROBLEMS = 100
"""What a file of rows is shown to be wrong with; nobody reads more."""


class RowTable:
    """Rows by index, each a mapping of columns to cells."""

    __slots__ = ("_names", "_orders", "_rows", "_shapes")

    def __init__(self) -> None:
        self._rows = NameTable()
        self._names: dict[str, None] = {}
        self._shapes: dict[tuple[str, ...], int] = {}
        self._orders: list[tuple[str, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Mapping[str, Cell]:
        text = self._rows[index]
        shape, *cells = json.loads(text)
        if '"-' in text:
            cells = [written_text(each) if isinstance(each, str) else each for each in cells]
        return dict(zip(self._orders[shape], cells, strict=True))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that any row has."""
        return tuple(self._names)

    def append(self, row: Mapping[str, Cell]) -> None:
        """Adds a row; rows of JSON may have columns of their own."""
        names = tuple(row)
        shape = self._shapes.get(names)
        if shape is None:
            shape = self._shapes[names] = len(self._orders)
            self._orders.append(names)
            self._names.update(dict.fromkeys(names))
        self._rows.append(json.dumps([shape, *row.values()]))


def read_rows(
    source: RowsOf, folder: Path, document: Document
) -> tuple[RowTable, tuple[Problem, ...]]:
    """The rows of a file, and what is wrong with it; `folder` is the spec's.

    A file that cannot be read, or has no row, is a problem of the spec's; any other stands in the
    file itself, at its line and column.
    """
    table = RowTable()
    problems: list[Problem] = []
    path = folder / source.path
    name = (PurePath(document.name).parent / source.path).as_posix()

    def refuse(message: str, hint: str | None = None) -> tuple[RowTable, tuple[Problem, ...]]:
        pointer = (*source.pointer, "rows")
        return table, (document.problem(pointer, code="rows", message=message, hint=hint),)

    try:
        with path.open("rb") as stream:
            for each in _read(stream, source.format):
                if isinstance(each, RowFault):
                    problems.append(_problem(each, name))
                    if len(problems) >= MOST_PROBLEMS:
                        break
                else:
                    table.append(each)
    except (FileNotFoundError, NotADirectoryError):
        hint = "a relative path starts at the folder of the spec"
        return refuse(f"there is no file `{shown(str(path))}`", hint)
    except ValueError as error:  # a NUL in the path
        return refuse(f"cannot read `{shown(str(path))}`: {error}")
    except OSError as error:
        return refuse(f"cannot read `{shown(str(path))}`: {describe_os_error(error)}")
    if not problems and not len(table):
        return refuse(f"`{shown(name)}` has no rows: there is nothing to run tasks for")
    return table, tuple(problems)


def _read(stream: BinaryIO, format_: RowsFormat) -> Iterator[Row | RowFault]:
    match format_:
        case RowsFormat.CSV:
            return read_delimited(stream, ",")
        case RowsFormat.TSV:
            return read_delimited(stream, "\t")
        case RowsFormat.JSON:
            return read_json(stream)
        case RowsFormat.JSONL:
            return read_json_lines(stream)


def _problem(fault: RowFault, name: str) -> Problem:
    start = Position(line=fault.line, column=fault.column)
    end = Position(line=fault.line, column=fault.column + max(fault.length, 1))
    return Problem(
        file=name,
        span=Span(start=start, end=end),
        code=fault.code,
        message=fault.message,
        hint=fault.hint,
        source_line=fault.text if fault.text is not None and len(fault.text) < 500 else None,
    )
