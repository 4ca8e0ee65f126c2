"""Rows of JSON and JSONL files: objects whose values are text, numbers, booleans or null.

An integer above 64 bits is kept as it is written: long ids are more common than calculations.
It knows nothing of the file's name or of what the rows are for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO

from runner.plan.rows_faults import Line, Row, RowFault, read_lines
from runner.spec.suggestion import shorten
from runner.spec.templates.values import LARGEST_INTEGER, NumberText

_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_DIGITS = len(str(-LARGEST_INTEGER))


class _NotARowError(Exception):
    """A value cannot be a row; `code` and the message say why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Object(dict[str, Any]):
    """An object of the text, with the keys that stand in it more than once."""

    duplicates: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        made.duplicates = tuple(key for key in made if keys.count(key) > 1)
    return made


def _constant(name: str) -> Any:
    raise _NotARowError("bad-value", f"`{name}` is no number that JSON knows")


def _integer(digits: str) -> int | NumberText:
    if len(digits) > _MOST_DIGITS:
        return NumberText(digits)
    value = int(digits)
    return value if -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER else NumberText(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)


def read_json_lines(stream: BinaryIO) -> Iterator[Row | RowFault]:
    """The object of each line that is not empty, or what is wrong with it."""
    for line in read_lines(stream):
        if isinstance(line, RowFault):
            yield line
            return
        if not line.text.strip():
            continue
        yield _read_line(line)


def _read_line(line: Line) -> Row | RowFault:
    text = line.text.rstrip("\r\n")
    start = _skip(text, 0)
    try:
        value, end = _decode(text, start)
        end = _skip(text, end)
        return _row(value) if end == len(text) else _more(line.number, end, text)
    except json.JSONDecodeError as error:
        return RowFault(
            line=line.number,
            column=min(error.pos, len(text)) + 1,
            code="json",
            message=_words(error),
            hint="each line of a JSONL file is one object",
            text=text,
        )
    except _NotARowError as error:
        return RowFault(
            line=line.number, column=start + 1, code=error.code, message=error.message, text=text
        )


def _more(line: int, offset: int, text: str) -> RowFault:
    return RowFault(
        line=line,
        column=offset + 1,
        code="json",
        message="there is more behind the end of the object",
        hint="each line of a JSONL file is one object",
        text=text,
    )


def read_json(stream: BinaryIO) -> Iterator[Row | RowFault]:
    """The objects of a list, one after the other, or what is wrong; broken JSON ends it."""
    lines: list[str] = []
    for line in read_lines(stream):
        if isinstance(line, RowFault):
            # A list may stand in one long line: its length is no fault of a file of JSON.
            if line.code != "too-large":
                yield line
                return
            break
        lines.append(line.text)
    else:
        yield from _Elements("".join(lines)).read()
        return
    stream.seek(0)
    try:
        text = stream.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        yield RowFault(line=1, column=1, code="encoding", message=message)
        return
    yield from _Elements(text).read()


class _Elements:
    """The elements of a list in a text, decoded one by one; places are counted as they pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._line_start = 0

    def read(self) -> Iterator[Row | RowFault]:
        text = self._text
        at = _skip(text, 0)
        if text[at : at + 1] != "[":
            found = "nothing" if at == len(text) else f"`{shorten(text[at : at + 30], 20)}`"
            yield self._fault(at, "json", f"a file of rows is a list of objects, not {found}")
            return
        at = _skip(text, at + 1)
        if text[at : at + 1] == "]":
            at += 1
        else:
            end = yield from self._elements(at)
            if end is None:
                return
            at = end
        at = _skip(text, at)
        if at != len(text):
            yield self._fault(at, "json", "there is more behind the end of the list")

    def _elements(self, at: int) -> Generator[Row | RowFault, None, int | None]:
        """Gives where the list ends, or None where it broke off."""
        text = self._text
        while True:
            start = at
            try:
                value, at = _decode(text, start)
                yield _row(value)
            except json.JSONDecodeError as error:
                yield self._fault(min(error.pos, len(text)), "json", _words(error))
                return None
            except _NotARowError as error:
                yield self._fault(start, error.code, error.message)
                if at == start:  # it could not even be decoded
                    return None
            at = _skip(text, at)
            mark = text[at : at + 1]
            if mark == "]":
                return at + 1
            if mark != ",":
                yield self._fault(at, "json", "a `,` or the list's `]` is missing here")
                return None
            at = _skip(text, at + 1)

    def _fault(self, offset: int, code: str, message: str) -> RowFault:
        """Places are asked for in order, so that a file is gone through once."""
        text = self._text
        self._line += text.count("\n", self._line_start, offset)
        self._line_start = max(text.rfind("\n", 0, offset) + 1, self._line_start)
        end = text.find("\n", offset)
        return RowFault(
            line=self._line,
            column=offset - self._line_start + 1,
            code=code,
            message=message,
            text=text[self._line_start : len(text) if end < 0 else end].rstrip("\r"),
        )


def _decode(text: str, start: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except RecursionError:
        raise _NotARowError("nested-value", "the row is nested too deeply") from None


def _row(value: Any) -> Row:
    if not isinstance(value, _Object):
        raise _NotARowError("not-an-object", f"a row is an object, not {_kind(value)}")
    if not value:
        raise _NotARowError("empty-row", "the row has no columns")
    if value.duplicates:
        raise _NotARowError("duplicate-key", f"key `{value.duplicates[0]}` stands here twice")
    for name, cell in value.items():
        if not name:
            raise _NotARowError("no-header", "a key of the row is empty")
        if isinstance(cell, (dict, list)):
            message = f"the value of `{name}` is {_kind(cell)}: a row is flat"
            raise _NotARowError("nested-value", message)
        for text in (name, cell):
            if isinstance(text, str) and _SURROGATE.search(text):
                raise _NotARowError("bad-value", "half of a surrogate pair is no character")
            if isinstance(text, str) and "\0" in text:
                raise _NotARowError("binary", f"the value of `{name}` holds a NUL character")
        if isinstance(cell, float) and cell in {float("inf"), float("-inf")}:
            raise _NotARowError("bad-value", f"the value of `{name}` is too large for a number")
    return dict(value)


def _kind(value: Any) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case NumberText():
            return "a number"
        case str():
            return "text"
        case None:
            return "null"
        case bool():
            return "a boolean"
        case _:
            return "a number"


def _words(error: json.JSONDecodeError) -> str:
    return f"this is no JSON: {error.msg[:1].lower()}{error.msg[1:]}"


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # it matches nothing too
    return found.end()
