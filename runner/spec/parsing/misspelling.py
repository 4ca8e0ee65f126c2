"""A spec as it was probably meant where it has keys that the schema does not know.

Each such key has its problem; what this finds out is what else is wrong, so that one mistake does
not hide the next. It knows nothing of what keys mean.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.frozen import dataclass
from runner.spec.document import Document, Pointer
from runner.spec.problem import Problem
from runner.spec.validation.schema import check_schema, find_unknown_keys

_MOST_LEVELS = 5
_OF_KEYS = {"unknown-key", "missing-key"}
"""The codes of problems with a mapping whose kind is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """A spec in which misspelt keys read as those that they are close to, and no other is unknown.

    `problems` are the schema's with the spec as it was written, and with what stands below the
    keys that were misspelt. `is_sound`: there is nothing else that the schema has against it.
    """

    document: Document
    problems: tuple[Problem, ...]
    is_sound: bool


def read_as_meant(document: Document) -> Meant:
    """A key that is close to one that is free is read as that, unless its value does not fit."""
    remaining = problems = check_schema(document)
    for _ in range(_MOST_LEVELS):
        if not any(each.code == "unknown-key" for each in remaining):
            break
        names = find_unknown_keys(document)
        kept = _without_misfits(document, names, remaining)
        document = document.with_keys({**dict.fromkeys(names), **kept})
        remaining = check_schema(document)
        places = [_renamed(pointer, name) for pointer, name in kept.items()]
        new = [each for each in remaining if any(_is_in(each, document, at) for at in places)]
        problems = (*problems, *(each for each in new if each not in problems))
    return Meant(document=document, problems=problems, is_sound=not remaining)


def _without_misfits(
    document: Document, names: Mapping[Pointer, str | None], known: tuple[Problem, ...]
) -> dict[Pointer, str]:
    """The names that can be taken: nothing around them, nor their values as such, is wrong then."""
    meant = {pointer: name for pointer, name in names.items() if name is not None}
    if not meant:
        return {}
    tried = document.with_keys(names)
    problems = [each for each in check_schema(tried) if each not in known]
    misfits: set[Pointer] = set()
    for problem in problems:
        owner = next(
            (at for at, name in meant.items() if _is_in(problem, tried, _renamed(at, name))), None
        )
        if owner is None:
            return {}
        place = _renamed(owner, meant[owner])
        starts = {tried.key_span(place).start, tried.span(place).start}
        if problem.span.start in starts and problem.code not in _OF_KEYS:
            misfits.add(owner)
    return {pointer: name for pointer, name in meant.items() if pointer not in misfits}


def _renamed(pointer: Pointer, name: str) -> Pointer:
    return (*pointer[:-1], name)


def _is_in(problem: Problem, document: Document, pointer: Pointer) -> bool:
    start = problem.span.start
    return document.key_span(pointer).start <= start <= document.span(pointer).end
