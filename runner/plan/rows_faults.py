"""What the readers of rows give: rows, and what is wrong with a file of them.

It knows no format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from runner.frozen import dataclass

Cell = str | int | float | bool | None
Row = dict[str, Cell]

LONGEST_LINE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """One thing that is wrong; line and column count from 1, `text` is the line."""

    line: int
    column: int
    code: str
    message: str
    length: int = 1
    hint: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file with its end, and its number from 1."""

    number: int
    text: str


def read_lines(stream: BinaryIO) -> Iterator[Line | RowFault]:
    """The lines of a text in UTF-8; what they cannot be read as ends them, as a fault."""
    number = 0
    while True:
        number += 1
        content = stream.readline(LONGEST_LINE_BYTES + 1)
        if not content:
            return
        fault = _unreadable(content, number)
        if fault is not None:
            yield fault
            return
        try:
            text = content.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            yield _not_utf8(error, number)
            return
        yield Line(number, text)


def _unreadable(content: bytes, number: int) -> RowFault | None:
    if number == 1 and content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return RowFault(
            line=1,
            column=1,
            code="encoding",
            message="the file is UTF-16, not UTF-8",
            hint="save it as UTF-8; Excel calls that `CSV UTF-8`",
        )
    if b"\0" in content:
        before = content[: content.index(b"\0")].decode("utf-8-sig", "replace")
        message = "the file is binary: it holds a NUL character"
        return RowFault(line=number, column=len(before) + 1, code="binary", message=message)
    if len(content) > LONGEST_LINE_BYTES:
        message = f"the line has more than {LONGEST_LINE_BYTES:,} bytes"
        return RowFault(line=number, column=1, code="too-large", message=message)
    return None


def _not_utf8(error: UnicodeDecodeError, number: int) -> RowFault:
    # Bytes are counted behind the mark that the codec took off.
    before = error.object[: error.start].decode()
    return RowFault(
        line=number,
        column=len(before) + 1,
        code="encoding",
        message=f"byte 0x{error.object[error.start]:02x} is not UTF-8",
        hint="save the file as UTF-8",
    )
