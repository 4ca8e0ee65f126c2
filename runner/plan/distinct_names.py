"""What to write into the names of outputs so that no two are one, by what their steps are run for.

It knows nothing of the names that are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from typing_extensions import assert_never

from runner.spec.model.sources import (
    FilesOf,
    ListOf,
    MatrixOf,
    OutputsOf,
    RangeOf,
    RowsOf,
    SimpleSource,
    Source,
    ZipOf,
)
from runner.spec.model.step import Step

INDEX = "`{{ index }}`"
_INTO = "into the pattern or the `path`"


def how_to_differ(one: Step, other: Step) -> str:
    """What keeps the outputs of two tasks apart, as a hint."""
    if one.name != other.name:
        return (
            f"give the outputs of steps `{one.name}` and `{other.name}` names, folders or"
            " containers of their own"
        )
    return f"put {' or '.join(_names(one.for_each))} {_INTO}"


def how_to_differ_in_more_than_case(one: Step, other: Step) -> str:
    """The same of names that differ in capitals, as what the tasks are run for may itself."""
    return how_to_differ(one, other) if one.name != other.name else f"put {INDEX} {_INTO}"


def how_to_differ_in_one_task(step: Step) -> str:
    """The same of two outputs of one task."""
    return f"give each output of step `{step.name}` a name, a folder or a container of its own"


def _names(source: Source | None) -> tuple[str, ...]:
    """Expressions, each of which may do alone."""
    match source:
        case None:
            return (INDEX,)
        case OutputsOf() | FilesOf(chunk=None):
            return ("`{{ file.name }}`", "`{{ file.path }}`")
        case MatrixOf():
            together = " and ".join(_of_axes(source.axes))
            return (together, INDEX) if together else (INDEX,)
        case ZipOf():
            return (*_of_axes(source.columns), INDEX)
        case RowsOf():
            return (_written("row", source), INDEX)
        case FilesOf():
            return (INDEX,)  # `files` is a list
        case ListOf() | RangeOf():
            return (_written("item", source), INDEX)
        case _:
            assert_never(source)


def _of_axes(axes: Mapping[str, SimpleSource]) -> Iterable[str]:
    return [
        _written(f"row.{name}", each)
        for name, each in axes.items()
        if not (isinstance(each, FilesOf) and each.chunk is not None)
    ]


def _written(name: str, source: SimpleSource) -> str:
    match source:
        case FilesOf():
            field = ".name"
        case RowsOf():
            field = ".COLUMN"
        case ListOf() if all(isinstance(each, Mapping) for each in source.values):
            field = ".KEY"
        case _:
            field = ""
    return f"`{{{{ {name}{field} }}}}`"
