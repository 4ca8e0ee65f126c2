"""One value of a parameter: read from text, and refused where its definition does not take it.

It knows nothing of files and places, nor of who gives the value.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from runner.frozen import dataclass
from runner.spec.model.terms import ParameterValue
from runner.spec.suggestion import shorten, suggest
from runner.spec.yaml.scalars import NumberTooLargeError, resolve_plain

SHORTEST_SECRET = 8
"""How many characters the value of a secret parameter has at least."""

Definition = Mapping[str, Any]
"""What a spec says of one parameter; the schema has passed it."""

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
class Refusal:
    """Why a value cannot be a parameter's; the message goes on from the parameter's name."""

    code: str
    message: str
    hint: str | None = None


def convert(kind: str, value: ParameterValue) -> ParameterValue:
    """Text as the value that it would be in YAML, where the parameter is not text itself."""
    if kind == "string" or not isinstance(value, str):
        return value
    try:
        resolved = resolve_plain(value.strip())
    except NumberTooLargeError:
        return value
    return value if resolved is None else resolved


def find_refusal(definition: Definition, value: ParameterValue) -> Refusal | None:
    """What the definition has against a value, None where it takes it."""
    kind, shown = definition["type"], shorten(_show(value))
    is_boolean = isinstance(value, bool)
    if not isinstance(value, _TYPES[kind]) or (is_boolean and kind != "boolean"):
        is_text = kind == "string"
        hint = f'put it in quotes: `"{shown}"`' if is_text else None
        return Refusal("wrong-type", f"must be {_WANTED[kind]}, not `{shown}`", hint)
    pattern = compile_pattern(definition["pattern"]) if "pattern" in definition else None
    if pattern is not None and not pattern.fullmatch(str(value)):
        message = f"must match `{shorten(definition['pattern'])}`, and `{shown}` does not"
        return Refusal("bad-value", message)
    if "min" in definition and value < definition["min"]:
        return Refusal("out-of-range", f"must be at least {definition['min']}, not {shown}")
    if "max" in definition and value > definition["max"]:
        return Refusal("out-of-range", f"must be at most {definition['max']}, not {shown}")
    if "allowed" in definition and value not in definition["allowed"]:
        hint = suggest(_show(value), map(_show, definition["allowed"]))
        return Refusal("not-allowed", f"is not among those allowed: `{shown}`", hint)
    return None


def find_secret_refusal(pattern: str | None, value: object) -> Refusal | None:
    """What there is against a value of a secret parameter, without a word of the value itself."""
    if not isinstance(value, str):
        return Refusal("wrong-type", "must be text", "put it in quotes")
    if len(value) < SHORTEST_SECRET:
        # A shorter one could not be kept out of logs without ruining them.
        return Refusal("bad-value", f"must have at least {SHORTEST_SECRET} characters")
    if "\0" in value or not _is_text(value):
        return Refusal("bad-value", "must be UTF-8 without a NUL: it is a variable's value")
    compiled = None if pattern is None else compile_pattern(pattern)
    if compiled is not None and not compiled.fullmatch(value):
        return Refusal("bad-value", f"must match `{shorten(pattern or '')}`, and does not")
    return None


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def describe_wanted(definition: Definition) -> str:
    """The values that a definition takes, in words: `an integer, at least 1`."""
    return ", ".join(_wanted_parts(definition))


def compile_pattern(pattern: str) -> re.Pattern[str] | None:
    """None where it is not a regular expression."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of syntax that a later Python may read differently
        try:
            return re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            return None


def _wanted_parts(definition: Definition) -> Iterator[str]:
    if "allowed" in definition:
        yield f"one of {', '.join(f'`{_show(value)}`' for value in definition['allowed'])}"
        return
    yield _WANTED[definition["type"]]
    if "min" in definition:
        yield f"at least {definition['min']}"
    if "max" in definition:
        yield f"at most {definition['max']}"
    if "pattern" in definition:
        yield f"matching `{shorten(definition['pattern'])}`"


def _show(value: ParameterValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
