"""Items that are values rather than files: of a list, of a file of rows, of a range of numbers.

It knows nothing of commands or of the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from runner.frozen import dataclass
from runner.plan.items import Item
from runner.plan.references import Fields
from runner.plan.rows import RowTable
from runner.spec.model.sources import ListOf, RangeOf
from runner.spec.model.terms import Scalar
from runner.spec.suggestion import shorten
from runner.spec.templates.values import to_text

_LABEL_CHARACTERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListItems:
    """Each of some values: `item`."""

    source: ListOf

    @property
    def names(self) -> Fields:
        """`item`, with the keys of the values where all of them are mappings."""
        keys: dict[str, None] = {}
        for value in self.source.values:
            if not isinstance(value, Mapping):
                return {"item": None}
            keys.update(dict.fromkeys(value))
        return {"item": keys}

    def __len__(self) -> int:
        return len(self.source.values)

    def __getitem__(self, index: int) -> Item:
        value = self.source.values[index]
        return Item(label=label_of(value), folder="", scope={"item": value}, resources=())


@dataclass(frozen=True, slots=True, kw_only=True)
class RowItems:
    """Each row of a file: `row`, and the same as `item`."""

    rows: RowTable

    @property
    def names(self) -> Fields:
        """The columns that any row has."""
        columns: Fields = dict.fromkeys(self.rows.columns)
        return {"row": columns, "item": columns}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Item:
        row = self.rows[index]
        scope = {"row": row, "item": row}
        return Item(label=label_of(row), folder="", scope=scope, resources=())


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeItems:
    """Each number of a range: `item`.

    Counted in decimal, as the numbers are written, so that the tenth step of 0.1 is 1.0 and the
    last number is not lost.
    """

    source: RangeOf
    count: int

    @property
    def names(self) -> Fields:
        """`item`."""
        return {"item": None}

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Item:
        if not 0 <= index < self.count:
            raise IndexError(index)
        source = self.source
        value: int | float
        if isinstance(source.first, int) and isinstance(source.step, int):
            value = source.first + index * source.step
        else:
            value = float(_decimal(source.first) + index * _decimal(source.step))
        return Item(label=to_text(value), folder="", scope={"item": value}, resources=())


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))


def label_of(value: Scalar | Mapping[str, object]) -> str:
    """A value as people would know it, in one short line."""
    if isinstance(value, Mapping):
        cells = (f"{name}={_shown(cell)}" for name, cell in value.items())
        return shorten(" ".join(cells), _LABEL_CHARACTERS)
    return shorten(_shown(value), _LABEL_CHARACTERS)


def _shown(value: object) -> str:
    text = "" if value is None else to_text(value)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else " " for each in text)
