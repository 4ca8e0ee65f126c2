"""The values of a workload's parameters: given, or by default, and checked either way.

It knows nothing of where they are used.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.spec.document import Document, Pointer
from runner.spec.problem import Problem
from runner.spec.scalars import NumberTooLargeError, resolve_plain
from runner.spec.suggestion import shorten, suggest
from runner.spec.terms import ParameterValue

_WANTED = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "`true` or `false`",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a value cannot be a parameter's."""

    code: str
    message: str
    hint: str | None = None


def read_parameters(
    document: Document, given: Mapping[str, ParameterValue]
) -> tuple[dict[str, ParameterValue], tuple[Problem, ...]]:
    """Each parameter's value; one that is missing or wrong is left out and has a problem.

    `given` holds text as from a command line, which is converted by type, or typed values. The
    document has passed the schema.
    """
    definitions: dict[str, dict[str, Any]] = document.data.get("parameters", {})
    problems = [
        document.key_problem(
            ("parameters",),
            code="unknown-parameter",
            message=f"`{shorten(name)}` is given, but is not a parameter of this workload",
            hint=suggest(name, definitions, label="parameters"),
        )
        for name in given
        if name not in definitions
    ]
    values: dict[str, ParameterValue] = {}
    for name, definition in definitions.items():
        wrong = list(_definition_problems(document, name, definition))
        problems.extend(wrong)
        if wrong:
            continue
        value = _value(document, name, definition, given)
        if isinstance(value, Problem):
            problems.append(value)
        else:
            values[name] = value
    return values, tuple(problems)


def _value(
    document: Document,
    name: str,
    definition: dict[str, Any],
    given: Mapping[str, ParameterValue],
) -> ParameterValue | Problem:
    pointer: Pointer = ("parameters", name)
    if name in given:
        value = _convert(definition["type"], given[name])
        refusal = _refusal(definition, value)
        if refusal is None:
            return value
        hint = refusal.hint or f"it was given as `-p {name}={shorten(str(given[name]))}`"
        message = f"the value given for `{name}` {refusal.message}"
        return document.key_problem(pointer, code=refusal.code, message=message, hint=hint)
    if "default" in definition:
        default: ParameterValue = definition["default"]
        return default
    return document.key_problem(
        pointer,
        code="missing-parameter",
        message=f"`{name}` has no default, and no value is given",
        hint=f"give one: `-p {name}=...`",
    )


def _definition_problems(
    document: Document, name: str, definition: dict[str, Any]
) -> Iterator[Problem]:
    """What is wrong with a definition in itself, its default included."""
    pointer: Pointer = ("parameters", name)
    kind = definition["type"]
    numeric = kind in {"integer", "number"}
    foreign = ["pattern"] if numeric else ["min", "max"]
    foreign += ["pattern"] if kind == "boolean" else []
    misplaced = [key for key in foreign if key in definition]
    for key in misplaced:
        yield document.key_problem(
            (*pointer, key),
            code="misplaced-key",
            message=f"`{key}` does not go with the type `{kind}`",
            hint="`pattern` is for text, `min` and `max` are for numbers",
        )
    if misplaced:
        return
    if "pattern" in definition and _compile(definition["pattern"]) is None:
        yield document.problem(
            (*pointer, "pattern"),
            code="bad-pattern",
            message=f"`{shorten(definition['pattern'])}` is not a regular expression",
        )
        return
    if definition.get("min", 0) > definition.get("max", definition.get("min", 0)):
        yield document.problem(
            (*pointer, "max"), code="out-of-range", message="`max` is less than `min`"
        )
        return
    allowed = definition.get("allowed", [])
    bounds = {key: value for key, value in definition.items() if key != "allowed"}
    for index, value in enumerate(allowed):
        yield from _as_problem(document, (*pointer, "allowed", index), _refusal(bounds, value))
    if "default" in definition:
        refusal = _refusal(definition, definition["default"])
        yield from _as_problem(document, (*pointer, "default"), refusal)


def _as_problem(
    document: Document, pointer: Pointer, refusal: _Refusal | None
) -> Iterator[Problem]:
    if refusal is not None:
        message = f"this value of `{pointer[1]}` {refusal.message}"
        yield document.problem(pointer, code=refusal.code, message=message, hint=refusal.hint)


def _refusal(definition: dict[str, Any], value: ParameterValue) -> _Refusal | None:
    kind, shown = definition["type"], shorten(_show(value))
    is_boolean = isinstance(value, bool)
    if not isinstance(value, _TYPES[kind]) or (is_boolean and kind != "boolean"):
        is_text = kind == "string"
        hint = f'put it in quotes: `"{shown}"`' if is_text else None
        return _Refusal("wrong-type", f"must be {_WANTED[kind]}, not `{shown}`", hint)
    pattern = _compile(definition["pattern"]) if "pattern" in definition else None
    if pattern is not None and not pattern.fullmatch(str(value)):
        message = f"must match `{shorten(definition['pattern'])}`, and `{shown}` does not"
        return _Refusal("bad-value", message)
    if "min" in definition and value < definition["min"]:
        return _Refusal("out-of-range", f"must be at least {definition['min']}, not {shown}")
    if "max" in definition and value > definition["max"]:
        return _Refusal("out-of-range", f"must be at most {definition['max']}, not {shown}")
    if "allowed" in definition and value not in definition["allowed"]:
        hint = suggest(_show(value), map(_show, definition["allowed"]))
        return _Refusal("not-allowed", f"is not among those allowed: `{shown}`", hint)
    return None


def _convert(kind: str, value: ParameterValue) -> ParameterValue:
    """Text as the value that it would be in YAML, where the parameter is not text itself."""
    if kind == "string" or not isinstance(value, str):
        return value
    try:
        resolved = resolve_plain(value.strip())
    except NumberTooLargeError:
        return value
    return value if resolved is None else resolved


def _compile(pattern: str) -> re.Pattern[str] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of syntax that a later Python may read differently
        try:
            return re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            return None


def _show(value: ParameterValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
