"""What the expressions of a place can speak of, and which source would give what they cannot.

It reads `for_each` as it was written, which need not have passed the schema; it knows nothing of
what items there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner.spec.suggestion import closest
from runner.spec.templates.fault import Reference, TemplateFault
from runner.spec.templates.template import check_references

Names = Mapping[str, frozenset[str] | None]
"""A name with its attributes, or None where anything goes, or nothing."""

FILE_ATTRIBUTES = frozenset({"path", "name", "dir", "stem", "ext", "size", "url"})
_OUTPUT_ATTRIBUTES = FILE_ATTRIBUTES - {"size"}
"""A file that a task will leave has no size yet."""
_RUN: Names = {"run": frozenset({"id"})}
_SOURCES = frozenset({"files", "outputs_of", "list", "range", "rows", "matrix", "zip"})
_UNKNOWN: Names = dict.fromkeys(("file", "files", "item", "row"))
_GIVERS = {
    "file": "`file` comes from `for_each: ROLE`, or from `outputs_of`",
    "files": "`files` comes from `for_each: {files: ROLE, chunk: N}`",
    "item": "`item` comes from `for_each` with `list`, `range`, `rows`, `matrix` or `zip`",
    "row": "`row` comes from `for_each` with `rows`, `matrix` or `zip`",
}
_ONLY_STEPS = "`{}` is a task's own; here `parameters` and `run.id` can be used"


def parameter_names(data: Mapping[str, Any]) -> Names:
    """`parameters.*`, as the spec declares them."""
    declared = data.get("parameters")
    return {"parameters": frozenset(declared if isinstance(declared, dict) else ())}


def node_names(data: Mapping[str, Any]) -> Names:
    """What the commands of nodes and the job's environment can speak of."""
    return {**parameter_names(data), **_RUN}


def step_names(data: Mapping[str, Any], step: object) -> Names:
    """What the templates of a step can speak of; its columns are known where they are written."""
    source = step.get("for_each") if isinstance(step, dict) else None
    return {**node_names(data), "index": None, **_item_names(source)}


def name_faults(
    references: tuple[Reference, ...], names: Names, *, early: bool
) -> Iterator[TemplateFault]:
    """A fault for each reference to what is not there; `early` where no task is spoken of."""
    for reference in references:
        for fault in check_references((reference,), names):
            hint = _hint(reference.path[0], names, early=early)
            yield fault if hint is None else replace(fault, hint=hint)


def _hint(root: str, names: Names, *, early: bool) -> str | None:
    if root in names:
        return None
    for owner, fields in names.items():
        if fields and root in fields:
            return f"did you mean `{owner}.{root}`?"
    if root not in {*_GIVERS, "index"}:
        is_table = "row" in names and names["row"] is None and "file" not in names
        return f"a column is `row.{root}`" if is_table and closest(root, names) is None else None
    if early:
        return None
    return _GIVERS[root] if "index" in names else _ONLY_STEPS.format(root)


def _item_names(source: object) -> Names:
    if isinstance(source, dict) and len(_SOURCES & source.keys()) != 1:
        return _UNKNOWN  # the schema has said what is wrong with it
    match source:
        case None:
            return {}
        case {"files": _, "chunk": _}:
            return {"files": None}
        case str() | {"files": _}:
            return {"file": FILE_ATTRIBUTES}
        case {"outputs_of": _}:
            return {"file": _OUTPUT_ATTRIBUTES}
        case {"list": _} | {"range": _}:
            return {"item": None}
        case {"rows": _}:
            return {"item": None, "row": None}
        case {"matrix": dict() as axes} | {"zip": dict() as axes}:
            return _row_names(axes)
        case _:
            return _UNKNOWN


def _row_names(axes: dict[str, object]) -> Names:
    files = [axis for axis in axes.values() if isinstance(axis, dict) and "files" in axis]
    row = frozenset(axes)
    return {"row": row, "item": row, **(_item_names(files[0]) if len(files) == 1 else {})}
