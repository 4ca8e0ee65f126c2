"""From the sources of `for_each` to items: what has to be read for them is read here, once.

It knows nothing of commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from typing_extensions import assert_never

from runner.frozen import dataclass
from runner.plan.combinations import MatrixItems, ZipItems
from runner.plan.file_table import FileTable
from runner.plan.items import (
    ChunkItems,
    ContainerFiles,
    FileItems,
    Items,
    OutputItems,
    Producer,
    SingleItem,
)
from runner.plan.known_files import known_files
from runner.plan.model import ContainerPlan
from runner.plan.patterns import file_matcher
from runner.plan.references import asks_for_urls
from runner.plan.rows import RowTable, read_rows
from runner.plan.value_items import ListItems, RangeItems, RowItems
from runner.spec.document import Document, Pointer
from runner.spec.model.sources import (
    FilesOf,
    ListOf,
    MatrixOf,
    OutputsOf,
    RangeOf,
    RowsFormat,
    RowsOf,
    SimpleSource,
    Source,
    ZipOf,
)
from runner.spec.model.step import Step, UploadCondition
from runner.spec.model.terms import Role, StepName
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem
from runner.spec.validation.rules.sources import count_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What was read for the sources of a workload, by their places in the spec.

    `known` are the containers whose files are all known (`known_files`).
    """

    files: Mapping[Pointer, FileTable]
    rows: Mapping[Pointer, RowTable]
    known: Mapping[Role, FileTable]


def gather(
    workload: Workload,
    containers: tuple[ContainerPlan, ...],
    folder: Path,
    *,
    known_rows: Mapping[tuple[str, RowsFormat], RowTable] | None = None,
) -> tuple[Materials, tuple[Problem, ...]]:
    """The files and rows of all sources, and what is wrong with them; `folder` is the spec's.

    Of `known_rows`, by their files, nothing is read.
    """
    by_role = {container.role: container.files for container in containers}
    files: dict[Pointer, FileTable] = {}
    rows: dict[Pointer, RowTable] = {}
    read = dict(known_rows or {})
    problems: list[Problem] = []
    for source in _simple_sources(workload):
        match source:
            case FilesOf():
                table = by_role[source.role]
                assert isinstance(table, FileTable)
                if not source.patterns.takes_all:
                    table = table.select(file_matcher(source.patterns))
                files[source.pointer] = table
                if not len(table):
                    problems.append(_no_files(source, workload.document))
            case RowsOf():
                key = (source.path, source.format)
                if key not in read:
                    read[key], found = read_rows(source, folder, workload.document)
                    problems.extend(found)
                rows[source.pointer] = read[key]
            case ListOf() | RangeOf():
                pass  # they stand in the spec whole
            case _:
                assert_never(source)
    known = known_files(workload, containers)
    return Materials(files=files, rows=rows, known=known), tuple(problems)


def row_sources(workload: Workload) -> Iterator[RowsOf]:
    """The sources that are files of rows; several may name one file."""
    return (each for each in _simple_sources(workload) if isinstance(each, RowsOf))


def make_items(
    step: Step,
    materials: Materials,
    *,
    url_of: Callable[[Role], str],
    producers: Mapping[StepName, tuple[Producer, Step]],
) -> Items:
    """The items of a step; `url_of` gives containers' URLs, `producers` are the steps before."""
    has_urls = asks_for_urls(step)

    def simple(source: SimpleSource) -> Items:
        return _simple(source, materials, url_of, has_urls=has_urls)

    match step.for_each:
        case None:
            return SingleItem()
        case OutputsOf():
            producer, other = producers[step.for_each.step]
            return OutputItems(producer=producer, outputs=named_outputs(other), url_of=url_of)
        case MatrixOf():
            axes = step.for_each.axes
            return MatrixItems(axes={name: simple(each) for name, each in axes.items()})
        case ZipOf():
            columns = step.for_each.columns
            return ZipItems(columns={name: simple(each) for name, each in columns.items()})
        case _:
            return simple(step.for_each)


def named_outputs(step: Step) -> tuple[int, ...]:
    """The positions of the outputs whose names are known before the step's tasks have run, and
    that are there when they have succeeded."""
    return tuple(
        position
        for position, output in enumerate(step.outputs)
        if not output.pattern.has_wildcard and output.when is not UploadCondition.FAILURE
    )


def source_problems(source: Source | None, items: Items, document: Document) -> Iterator[Problem]:
    """What keeps items from being put together, and shows only once they have been counted."""
    if isinstance(source, ZipOf) and isinstance(items, ZipItems):
        lengths = {name: len(each) for name, each in items.columns.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"`{name}` has {count:,}" for name, count in lengths.items())
            yield document.problem(
                (*source.pointer, "zip"),
                code="zip-length",
                message=f"the sources of `zip` are of different lengths: {listed}",
                hint="`matrix` makes every combination of its sources",
            )


def _simple(
    source: SimpleSource, materials: Materials, url_of: Callable[[Role], str], *, has_urls: bool
) -> Items:
    match source:
        case FilesOf():
            files = ContainerFiles(
                role=source.role,
                files=materials.files[source.pointer],
                url=url_of(source.role),
                has_urls=has_urls,
            )
            if source.chunk is None:
                return FileItems(source=files)
            return ChunkItems(source=files, chunk=source.chunk)
        case ListOf():
            return ListItems(source=source)
        case RowsOf():
            return RowItems(rows=materials.rows[source.pointer])
        case RangeOf():
            return RangeItems(source=source, count=count_numbers(source))
        case _:
            assert_never(source)


def _simple_sources(workload: Workload) -> Iterator[SimpleSource]:
    for step in workload.steps:
        match step.for_each:
            case None | OutputsOf():
                pass
            case MatrixOf():
                yield from step.for_each.axes.values()
            case ZipOf():
                yield from step.for_each.columns.values()
            case _:
                yield step.for_each


def _no_files(source: FilesOf, document: Document) -> Problem:
    patterns = ", ".join(f"`{pattern}`" for pattern in source.patterns.include)
    return document.problem(
        (*source.pointer, "include"),
        code="no-input",
        message=f"no file of `{source.role}` matches {patterns}",
        hint="patterns are matched against the path below the container's root or `prefix`",
    )
