"""Rules on `extra`: it adds what the language lacks, and changes nothing that the language says.

Otherwise a plan would show one command, image or time, and the service would be sent another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.spec.document import Document, Pointer
from runner.spec.model.pool import NewPool
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem
from runner.spec.suggestion import shorten
from runner.spec.validation.rules.sent_properties import (
    JOB_PROPERTIES,
    POOL_METADATA,
    POOL_PROPERTIES,
    TASK_PROPERTIES,
    Properties,
)
from runner.spec.validation.rules.uses import Rule

_CODE = "extra-property"
_METADATA = "metadata"


def _extra_of_the_pool_adds(workload: Workload, document: Document) -> Iterator[Problem]:
    if isinstance(workload.pool, NewPool):
        pointer = (*workload.pool.pointer, "extra")
        yield from _taken(document, pointer, workload.pool.extra, _below(POOL_PROPERTIES))


def _extra_of_the_job_adds(workload: Workload, document: Document) -> Iterator[Problem]:
    pointer = (*workload.job.pointer, "extra")
    yield from _taken(document, pointer, workload.job.extra, _below(JOB_PROPERTIES))


def _extra_of_tasks_adds(workload: Workload, document: Document) -> Iterator[Problem]:
    properties = _below(TASK_PROPERTIES)
    for step in workload.steps:
        yield from _taken(document, (*step.pointer, "extra"), step.extra, properties)


def _metadata_of_the_pool_stay(workload: Workload, document: Document) -> Iterator[Problem]:
    """The language has no key for them, so they may stand in `extra`, besides those of the run."""
    pool = workload.pool
    if not isinstance(pool, NewPool):
        return
    for key, pairs in pool.extra.items():
        pointer: Pointer = (*pool.pointer, "extra", key)
        if key.lower() != _METADATA:
            continue
        if key != _METADATA or not isinstance(pairs, list):
            yield document.key_problem(
                pointer,
                code=_CODE,
                message=f"`{shorten(key)}` would take the place of the run's own metadata",
                hint="write a list: `metadata: [{name: team, value: maps}]`",
            )
            continue
        for index, pair in enumerate(pairs):
            name = pair.get("name") if isinstance(pair, Mapping) else None
            if isinstance(name, str) and name in POOL_METADATA:
                yield document.problem(
                    (*pointer, index, "name"),
                    code="metadata",
                    message=f"the metadata `{name}` is set by the run itself",
                    hint="give it another name",
                )


_Tree = dict[str, "_Tree | str | None"]


def _below(properties: Properties) -> _Tree:
    """The dotted paths as a tree, in lower case: who reads the names may not tell case apart."""
    tree: _Tree = {}
    for path, key in properties.items():
        *above, last = path.lower().split(".")
        branch = tree
        for part in above:
            inner = branch.setdefault(part, {})
            assert isinstance(inner, dict)
            branch = inner
        branch[last] = key
    return tree


def _taken(
    document: Document, pointer: Pointer, extra: Mapping[str, object], properties: _Tree
) -> Iterator[Problem]:
    for name, value in extra.items():
        plain = name.lower()
        if plain not in properties:
            continue
        set_by = properties[plain]
        at = (*pointer, name)
        if not isinstance(set_by, dict):
            yield document.key_problem(
                at,
                code=_CODE,
                message=f"`{shorten(name)}` cannot stand in `extra`: it is set already",
                hint="take it away: a run sets it by itself"
                if set_by is None
                else f"use `{set_by}`",
            )
        elif isinstance(value, Mapping):
            yield from _taken(document, at, value, set_by)
        else:
            yield document.key_problem(
                at,
                code=_CODE,
                message=f"`{shorten(name)}` would take the place of what the run sets below it",
                hint="write a mapping with the properties that the language lacks",
            )


EXTRA: tuple[Rule, ...] = (
    _extra_of_the_pool_adds,
    _extra_of_the_job_adds,
    _extra_of_tasks_adds,
    _metadata_of_the_pool_stay,
)
