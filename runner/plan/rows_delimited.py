"""Rows of CSV and TSV files: RFC 4180, with a header, and as Excel writes them.

Cells are text. Lines whose cells are all empty, which spreadsheets leave behind, are passed over.
It knows nothing of the file's name or of what the rows are for.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

from runner.plan.rows_faults import Line, Row, RowFault, read_lines

_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?\Z")
"""The first line by which Excel is told, and tells, what stands between cells."""


class _Lines:
    """Hands lines to the parser and keeps those of the record under way, for its faults' places."""

    def __init__(self, lines: Iterator[Line | RowFault]) -> None:
        self._lines = lines
        self.fault: RowFault | None = None
        self.record: list[Line] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if isinstance(line, RowFault):
                self.fault = line
                return
            self.record.append(line)
            yield line.text


def read_delimited(stream: BinaryIO, delimiter: str) -> Iterator[Row | RowFault]:
    """Each row with the columns of the header, or what is wrong; a row that is wrong is left out.

    Where the header of a CSV has semicolons and no comma they stand between cells, as Excel has it
    in many languages.
    """
    lines = read_lines(stream)
    first = next(lines, None)
    if isinstance(first, Line) and (told := _SEPARATOR_LINE.match(first.text)):
        delimiter = told.group(1)
        first = next(lines, None)
    elif isinstance(first, Line) and delimiter == "," and "," not in first.text:
        delimiter = ";" if ";" in first.text else ","
    if first is None:
        yield RowFault(line=1, column=1, code="no-header", message="the file is empty")
        return
    source = _Lines(_chain(first, lines))
    records = csv.reader(source, delimiter=delimiter, strict=True)
    try:
        yield from _rows(records, source, delimiter)
    except csv.Error as error:
        yield source.fault or _broken(error, source.record, delimiter)
        return
    if source.fault is not None:
        yield source.fault


def _chain(first: Line | RowFault, others: Iterator[Line | RowFault]) -> Iterator[Line | RowFault]:
    yield first
    yield from others


def _rows(records: Iterator[list[str]], source: _Lines, delimiter: str) -> Iterator[Row | RowFault]:
    header: list[str] | None = None
    for cells in records:
        record, source.record = source.record, []
        if not any(cells):
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
            faults = list(_header_faults(header, record, delimiter))
            yield from faults
            if faults:
                return
        elif len(cells) == len(header):
            yield dict(zip(header, cells, strict=True))
        else:
            yield _wrong_length(cells, header, record, delimiter)
    if header is None and source.fault is None:
        message = "the file has no header: its first line names the columns"
        yield RowFault(line=1, column=1, code="no-header", message=message)


def _header_faults(header: list[str], record: list[Line], delimiter: str) -> Iterator[RowFault]:
    seen: dict[str, int] = {}
    for index, name in enumerate(header):
        if not name:
            message = f"column {index + 1} has no name"
            yield _fault_at(index, record, delimiter, code="no-header", message=message)
        elif name in seen:
            message = f"columns {seen[name] + 1} and {index + 1} are both named `{name}`"
            yield _fault_at(index, record, delimiter, code="duplicate-column", message=message)
        seen.setdefault(name, index)


def _wrong_length(
    cells: list[str], header: list[str], record: list[Line], delimiter: str
) -> RowFault:
    wanted, got = len(header), len(cells)
    message = f"the row has {_count(got, 'cell')} for {_count(wanted, 'column')}"
    hint = "a cell that has a separator or a line break in it stands in double quotes"
    return _fault_at(
        min(wanted, got), record, delimiter, code="row-length", message=message, hint=hint
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _fault_at(
    cell: int,
    record: list[Line],
    delimiter: str,
    *,
    code: str,
    message: str,
    hint: str | None = None,
) -> RowFault:
    """A fault at the start of a cell, or behind the last one."""
    text = "".join(line.text for line in record)
    starts = list(_cell_starts(text, delimiter))
    offset = starts[cell] if cell < len(starts) else len(text.rstrip("\r\n"))
    for line in record:
        if offset < len(line.text) or line is record[-1]:
            break
        offset -= len(line.text)
    return RowFault(
        line=line.number,
        column=offset + 1,
        code=code,
        message=message,
        hint=hint,
        text=line.text.rstrip("\r\n"),
    )


def _cell_starts(text: str, delimiter: str) -> Iterator[int]:
    """Where each cell of a record starts."""
    cell = re.compile(rf'(?:"(?:[^"]|"")*"?)?[^{re.escape(delimiter)}\r\n]*')
    at = 0
    while True:
        yield at
        found = cell.match(text, at)
        assert found is not None  # it matches nothing too
        at = found.end() + 1
        if text[found.end() : at] != delimiter:
            return


def _broken(error: csv.Error, record: list[Line], delimiter: str) -> RowFault:
    """What the parser of Python's library says, in our words."""
    words = str(error)
    first = record[0] if record else Line(1, "")
    if "unexpected end of data" in words:
        starts = list(_cell_starts(_text(record), delimiter))
        return _fault_at(
            len(starts) - 1,
            record,
            delimiter,
            code="unclosed-quote",
            message="the double quote is never closed",
            hint="a double quote in a quoted cell is written twice",
        )
    if "field limit" in words:
        return _too_large(record, delimiter)
    if "expected after" in words:
        found = re.search(rf'"(?:[^"]|"")*"(?!{re.escape(delimiter)}|\r|\n|\Z)', _text(record))
        offset = found.end() if found else 0
        line = first
        for line in record:
            if offset < len(line.text):
                break
            offset -= len(line.text)
        return RowFault(
            line=line.number,
            column=offset + 1,
            code="bad-quote",
            message="a quoted cell goes on behind its closing double quote",
            hint="a double quote in a quoted cell is written twice",
            text=line.text.rstrip("\r\n"),
        )
    column = first.text.find("\r") + 1
    return RowFault(
        line=first.number,
        column=max(column, 1),
        code="line-break",
        message="a carriage return without a line feed stands outside quotes",
        hint="save the file with line ends of Windows or Unix",
    )


def _too_large(record: list[Line], delimiter: str) -> RowFault:
    """The first cell of a record that the parser does not take, so that a quote that is never
    closed does not make a cell of the whole file."""
    text, most = _text(record), csv.field_size_limit()
    starts = [*_cell_starts(text, delimiter), len(text) + 1]
    cells = [text[start : end - 1] for start, end in pairwise(starts)]
    sizes = [len(cell) - cell.count('""') for cell in cells]
    hint = None
    number = next((index for index, size in enumerate(sizes) if size > most), len(cells) - 1)
    if cells[number].startswith('"'):
        hint = "if that is too much, the double quote at its start is closed too late"
    return _fault_at(
        number,
        record,
        delimiter,
        code="too-large",
        message=f"the cell has more than {most:,} characters",
        hint=hint,
    )


def _text(record: list[Line]) -> str:
    return "".join(line.text for line in record)
