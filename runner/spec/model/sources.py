"""What a step is run for: the items of `for_each`, as they were written.

It knows nothing of how many items come of them; `plan.items` finds out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from runner.frozen import dataclass
from runner.spec.document import Pointer
from runner.spec.model.terms import Role, Scalar, StepName


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePatterns:
    """Which files: `*` within a folder, `**` over folders, matched against the blob's name."""

    include: tuple[str, ...] = ("**/*",)
    exclude: tuple[str, ...] = ()
    case_sensitive: bool = True

    @property
    def takes_all(self) -> bool:
        """Whether nothing was said, so that every file is meant, dot files too."""
        return self == FilePatterns()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesOf:
    """`for_each: input`: each file of a container, or with `chunk` each so many of them."""

    role: Role
    patterns: FilePatterns
    chunk: int | None
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputsOf:
    """Each file that the tasks of another step leave: one for each of its named outputs."""

    step: StepName
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """Each of some values: a scalar, or a mapping of them (`item.name`)."""

    values: tuple[Scalar | Mapping[str, Scalar], ...]
    pointer: Pointer


class RowsFormat(Enum):
    """How a file of rows is written."""

    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    """A list of objects."""
    JSONL = "jsonl"
    """One object a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsOf:
    """Each row of a file of this machine; `path` is relative to the spec's folder."""

    path: str
    format: RowsFormat
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeOf:
    """Numbers from `first` to `last`, both included, `step` apart."""

    first: int | float
    last: int | float
    step: int | float
    pointer: Pointer


SimpleSource = FilesOf | ListOf | RowsOf | RangeOf


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixOf:
    """Every combination of the items of some sources; the last one varies fastest."""

    axes: Mapping[str, SimpleSource]
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipOf:
    """The first items of some sources, the second items, and so on; all are of one length."""

    columns: Mapping[str, SimpleSource]
    pointer: Pointer


Source = SimpleSource | OutputsOf | MatrixOf | ZipOf
