"""Pieces of text with their styles, made to fit into so many cells of a terminal.

It must not know what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

Span = tuple[str, str]
"""A text without anything that steers a terminal, and its style, empty for none."""
Row = tuple[Span, ...]

BLANK: Row = ()


def cells(text: str) -> int:
    """How many cells a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, most: int, mark: str = "…") -> str:
    """The text, or where it takes more cells than that, its beginning and a mark."""
    if cells(text) <= most:
        return text
    kept, used = [], cells(mark)
    if most < used:
        return ""
    for character in text:
        used += cells(character)
        if used > most:
            break
        kept.append(character)
    return "".join(kept) + mark


def row_cells(row: Row) -> int:
    """How many cells a row takes."""
    return sum(cells(text) for text, _ in row)


def cut_row(row: Row, most: int, mark: str = "…") -> Row:
    """The row, or as much of it as fits."""
    if row_cells(row) <= most:
        return row
    kept: list[Span] = []
    left = most
    for text, style in row:
        size = cells(text)
        if size > left:
            kept.append((cut(text, left, mark), style))
            break
        kept.append((text, style))
        left -= size
    return tuple(kept)


def pad_row(row: Row, width: int, mark: str = "…") -> Row:
    """The row in just so many cells."""
    row = cut_row(row, width, mark)
    missing = width - row_cells(row)
    return (*row, (" " * missing, "")) if missing else row


def spread(left: Row, right: Row, width: int, mark: str = "…") -> Row:
    """One row at the left edge and one at the right, which gives way where there is no room."""
    room = width - row_cells(left) - row_cells(right)
    if room < 1 or not right:
        return cut_row(left, width, mark)
    return (*left, (" " * room, ""), *right)


def beside(left: Sequence[Row], right: Sequence[Row], width: int, gap: int) -> list[Row]:
    """Two columns, of which the left one is so wide."""
    height = max(len(left), len(right))
    lefts = [*left, *[BLANK] * (height - len(left))]
    rights = [*right, *[BLANK] * (height - len(right))]
    return [
        (*pad_row(one, width + gap), *other) if other else one
        for one, other in zip(lefts, rights, strict=True)
    ]


def join(pieces: Iterable[Row], between: str) -> Row:
    """Rows behind one another."""
    joined: list[Span] = []
    for piece in pieces:
        if not piece:
            continue
        if joined:
            joined.append((between, ""))
        joined.extend(piece)
    return tuple(joined)


def wrap(pieces: Sequence[Row], between: str, width: int) -> list[Row]:
    """Rows behind one another, on as many lines as they need; none is parted."""
    lines: list[list[Row]] = [[]]
    for piece in pieces:
        tried = join([*lines[-1], piece], between)
        if lines[-1] and row_cells(tried) > width:
            lines.append([])
        lines[-1].append(piece)
    return [cut_row(join(line, between), width) for line in lines if line]
