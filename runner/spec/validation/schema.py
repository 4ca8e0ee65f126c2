"""The JSON Schema's verdict on a spec, as problems.

What a spec may hold is the schema's to say, and how to say what is wrong that of `findings`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from runner.spec.bundled import bundled
from runner.spec.document import Document, Pointer
from runner.spec.problem import Problem
from runner.spec.validation.findings import Finding, Translator
from runner.spec.validation.verdict import Verdict, compile_verdict

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_MOST_PROBLEMS = 100
SCHEMA_PARTS = ("schema", "workload.schema.json")


def check_schema(document: Document) -> tuple[Problem, ...]:
    """All that the schema finds in a spec as it was written, templates included."""
    return _check(document, document.data, evaluated=False)


def find_unknown_keys(document: Document) -> Mapping[Pointer, str | None]:
    """The keys that the schema does not know, each with the one that was probably meant, if any."""
    translator = Translator(document=document, schema=_schema(evaluated=False), evaluated=False)
    found: dict[Pointer, str | None] = {}
    taken: set[Pointer] = set()
    for error in _validator(evaluated=False).iter_errors(document.data):
        for pointer, meant in translator.unknown_keys(Finding.of(error)):
            place = None if meant is None else (*pointer[:-1], meant)
            found.setdefault(pointer, None if place in taken else meant)
            if place is not None:
                taken.add(place)
    return found


def is_definition(value: object) -> bool:
    """Whether the schema takes a value as the definition of a parameter."""
    return _verdict_of_definition()(value)


def check_values(document: Document, data: dict[str, Any]) -> tuple[Problem, ...]:
    """The same for `data`, the spec with its workload-level templates replaced by values."""
    return _check(document, data, evaluated=True)


def _check(document: Document, data: dict[str, Any], *, evaluated: bool) -> tuple[Problem, ...]:
    if _verdict(evaluated=evaluated)(data):
        return ()
    translator = Translator(
        document=document, schema=_schema(evaluated=evaluated), evaluated=evaluated
    )
    problems = (
        problem
        for error in _validator(evaluated=evaluated).iter_errors(data)
        for problem in translator.problems(Finding.of(error))
    )
    return tuple(dict.fromkeys(islice(problems, _MOST_PROBLEMS)))


@lru_cache(maxsize=2)
def _schema(*, evaluated: bool) -> dict[str, Any]:
    if evaluated:  # a value has to be one now: no variant of it is an expression any more
        schema = _schema(evaluated=False)
        return {**schema, "$defs": {**schema["$defs"], "expression": False, "template": False}}
    written: dict[str, Any] = json.loads(
        bundled(*SCHEMA_PARTS).read_bytes(), object_hook=_with_python_patterns
    )
    return written


@lru_cache(maxsize=2)
def _verdict(*, evaluated: bool) -> Verdict:
    schema = _schema(evaluated=evaluated)
    return compile_verdict(schema, schema["$defs"])


@lru_cache(maxsize=1)
def _verdict_of_definition() -> Verdict:
    definitions = _schema(evaluated=False)["$defs"]
    return compile_verdict(definitions["parameter"], definitions)


@lru_cache(maxsize=2)
def _validator(*, evaluated: bool) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # only where something is wrong: see `verdict`

    return Draft202012Validator(_schema(evaluated=evaluated))


def _with_python_patterns(schema: dict[str, Any]) -> dict[str, Any]:
    """ECMA's `$`, which is the very end of a text; Python's `$` would let a line end behind it."""
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        schema["pattern"] = pattern.replace("$", r"\Z")
    return schema
