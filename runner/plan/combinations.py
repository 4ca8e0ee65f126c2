"""Items put together from those of several sources: every combination, or side by side.

It knows nothing of what the sources are; a combination is made when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from runner.frozen import dataclass
from runner.plan.items import ChunkItems, FileItems, Item, Items
from runner.plan.references import Fields
from runner.plan.value_items import RowItems


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixItems:
    """Every combination, the last axis fastest: `row.NAME`, and the same as `item`."""

    axes: Mapping[str, Items]

    @property
    def names(self) -> Fields:
        """The axes, and `file` or `files` where one of them alone has files."""
        return _names(self.axes)

    def __len__(self) -> int:
        return prod(map(len, self.axes.values()))

    def __getitem__(self, index: int) -> Item:
        if not 0 <= index < len(self):
            raise IndexError(index)
        chosen: dict[str, Item] = {}
        for name, axis in reversed(tuple(self.axes.items())):
            index, within = divmod(index, len(axis))
            chosen[name] = axis[within]
        return _combine({name: chosen[name] for name in self.axes}, self.axes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipItems:
    """First items, second items, and so on, of sources of one length: `row.NAME`, and `item`."""

    columns: Mapping[str, Items]

    @property
    def names(self) -> Fields:
        """The columns, and `file` or `files` where one of them alone has files."""
        return _names(self.columns)

    def __len__(self) -> int:
        return min(map(len, self.columns.values()))

    def __getitem__(self, index: int) -> Item:
        return _combine({name: each[index] for name, each in self.columns.items()}, self.columns)


def _combine(parts: Mapping[str, Item], sources: Mapping[str, Items]) -> Item:
    row = {name: part.scope[_key(sources[name])] for name, part in parts.items()}
    scope: dict[str, object] = {"row": row, "item": row}
    folder = ""
    alone = _files_axis(sources)
    if alone is not None:
        scope.update(parts[alone].scope)
        folder = parts[alone].folder
    return Item(
        label=", ".join(f"{name}={part.label}" for name, part in parts.items()),
        folder=folder,
        scope=scope,
        # One file may come by two axes; a task's directory has room for it once.
        resources=tuple(dict.fromkeys(each for part in parts.values() for each in part.resources)),
    )


def _names(sources: Mapping[str, Items]) -> Fields:
    row = {name: source.names[_key(source)] for name, source in sources.items()}
    names: dict[str, Fields | None] = {"row": row, "item": row}
    alone = _files_axis(sources)
    if alone is not None:
        names.update(sources[alone].names)
    return names


def _key(source: Items) -> str:
    """What `row.NAME` is of what the source's own items have."""
    match source:
        case FileItems():
            return "file"
        case ChunkItems():
            return "files"
        case RowItems():
            return "row"
        case _:
            return "item"


def _files_axis(sources: Mapping[str, Items]) -> str | None:
    """The one source that has files, if only one has."""
    found = [name for name, each in sources.items() if isinstance(each, (FileItems, ChunkItems))]
    return found[0] if len(found) == 1 else None
