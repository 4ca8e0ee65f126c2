"""The files of a container in little memory: names and sizes, and a `Path` only when asked.

It knows nothing of where the files were found; a million of them take tens of megabytes.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

from runner.frozen import dataclass
from runner.plan.model import InputFile
from runner.plan.name_table import NameTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where files of a table come from: `source` is a folder of this machine, or a file of it.

    None stands for blobs that the service has already. `cut` is how many characters a blob's name
    starts with that its path has not: of a local folder the path below it, of a stored blob the one
    that it has on a node.
    """

    source: Path | None
    cut: int = 0
    is_file: bool = False


class FileTable(Sequence[InputFile]):
    """Files by index, in the order of their blob names; built by `FileTableBuilder`."""

    __slots__ = ("_blobs", "_order", "_origin_numbers", "_origins", "_paths", "_sizes")

    def __init__(
        self,
        *,
        blobs: NameTable,
        paths: NameTable | None,
        sizes: array[int],
        origins: tuple[Origin, ...],
        origin_numbers: array[int],
        order: array[int] | None = None,
    ) -> None:
        """`paths` are those below their origins where the blobs' names do not tell them.

        `order` are the rows of the files, None for all as they are.
        """
        self._blobs = blobs
        self._paths = paths
        self._sizes = sizes
        self._origins = origins
        self._origin_numbers = origin_numbers
        self._order = order

    def __len__(self) -> int:
        return len(self._blobs) if self._order is None else len(self._order)

    @overload
    def __getitem__(self, index: int) -> InputFile: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[InputFile, ...]: ...
    def __getitem__(self, index: int | slice) -> InputFile | tuple[InputFile, ...]:
        if isinstance(index, slice):
            return tuple(self[each] for each in range(*index.indices(len(self))))
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        row = number if self._order is None else self._order[number]
        blob = self._blobs[row]
        origin = self._origins[self._origin_numbers[row]]
        return InputFile(
            source=self._source(origin, row, blob),
            blob=blob,
            path=blob[origin.cut :] if origin.source is None else blob,
            size_bytes=self._sizes[row],
        )

    def __iter__(self) -> Iterator[InputFile]:
        for index in range(len(self)):
            yield self[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileTable):
            return NotImplemented
        return len(self) == len(other) and all(map(InputFile.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]  # as of a list: equal by what is in it

    def name(self, index: int) -> tuple[str, str, int]:
        """Blob, path and size in bytes of a file, without the cost of a `Path`."""
        row = index if self._order is None else self._order[index]
        blob = self._blobs[row]
        origin = self._origins[self._origin_numbers[row]]
        path = blob[origin.cut :] if origin.source is None else blob
        return blob, path, self._sizes[row]

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where the files come from; `row` gives numbers of them."""
        return self._origins

    def each(self) -> Iterator[tuple[str | None, str, int]]:
        """Source (None where there is none), blob and size in bytes of all files, in order, without
        the cost of a `Path` for each."""
        folders = [_folder_text(each) for each in self._origins]
        for index in range(len(self)):
            blob, size, number, below = self.row(index)
            folder, origin = folders[number], self._origins[number]
            if folder is None or origin.is_file:
                yield folder, blob, size
            else:
                yield folder + _native(below or blob[origin.cut :]), blob, size

    def row(self, index: int) -> tuple[str, int, int, str]:
        """What a file was added with: blob, size, origin, and the path there where that counts."""
        row = index if self._order is None else self._order[index]
        below = "" if self._paths is None else self._paths[row]
        return self._blobs[row], self._sizes[row], self._origin_numbers[row], below

    @property
    def size_bytes(self) -> int:
        """The sizes of all files together."""
        if self._order is None:
            return sum(self._sizes)
        return sum(self._sizes[row] for row in self._order)

    def select(self, matches: Callable[[str], bool]) -> FileTable:
        """Those files whose paths match, out of the same memory."""
        rows = (each for each in range(len(self)) if matches(self.name(each)[1]))
        order = array("L", rows if self._order is None else (self._order[each] for each in rows))
        return FileTable(
            blobs=self._blobs,
            paths=self._paths,
            sizes=self._sizes,
            origins=self._origins,
            origin_numbers=self._origin_numbers,
            order=order,
        )

    def _source(self, origin: Origin, row: int, blob: str) -> Path | None:
        if origin.source is None or origin.is_file:
            return origin.source
        below = self._paths[row] if self._paths is not None else ""
        return origin.source / (below or blob[origin.cut :])


class FileTableBuilder:
    """Collects files in the order of their blob names."""

    def __init__(self, origins: Iterable[Origin]) -> None:
        self._origins = tuple(origins)
        self._blobs = NameTable()
        self._paths: NameTable | None = None
        self._sizes = array("Q")
        self._numbers = array("H" if len(self._origins) < 2**16 else "L")

    def add(self, blob: str, size_bytes: int, *, origin: int, below: str = "") -> None:
        """`origin` is the number of the file's; `below` its path there, if the blob's name does
        not end with it."""
        if below and self._paths is None:
            self._paths = NameTable()
            for _ in range(len(self._blobs)):
                self._paths.append("")
        if self._paths is not None:
            self._paths.append(below)
        self._blobs.append(blob)
        self._sizes.append(size_bytes)
        self._numbers.append(origin)

    def build(self) -> FileTable:
        """The table of all files so far."""
        return FileTable(
            blobs=self._blobs,
            paths=self._paths,
            sizes=self._sizes,
            origins=self._origins,
            origin_numbers=self._numbers,
        )


EMPTY = FileTableBuilder(()).build()
"""No files."""


def each_file(files: Sequence[InputFile]) -> Iterator[tuple[str | None, str, int]]:
    """Source, blob and size in bytes of files; of a table, without making each of them."""
    if isinstance(files, FileTable):
        yield from files.each()
        return
    for file in files:
        yield None if file.source is None else str(file.source), file.blob, file.size_bytes


def total_bytes(files: Sequence[InputFile]) -> int:
    """The sizes of files together; of a table, without making each of them."""
    if isinstance(files, FileTable):
        return files.size_bytes
    return sum(file.size_bytes for file in files)


def _folder_text(origin: Origin) -> str | None:
    """The text that the paths of an origin's files start with; the whole one of a single file."""
    if origin.source is None or origin.is_file:
        return None if origin.source is None else str(origin.source)
    return str(origin.source / "_").removesuffix("_")


def _native(path: str) -> str:
    """A path of a table as this machine writes it."""
    return path if os.sep == "/" else path.replace("/", os.sep)
