"""Whether a value is what a JSON Schema wants: yes or no, at once.

Nearly every spec is; for those the library that says what is wrong need not be imported, which
takes longer than all else of a check. It has the keywords of our own schema, as JSON Schema
2020-12 means them, and refuses a schema with any other. It must not know what specs are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Verdict = Callable[[Any], bool]

_ANNOTATIONS = frozenset(
    (
        *("$schema", "$id", "$defs", "title", "description", "default", "examples"),
        *("patternErrorMessage", "then", "else"),  # these two are read with their `if`
    )
)
_REFERENCE = "#/$defs/"


def compile_verdict(schema: Any, definitions: Mapping[str, Any]) -> Verdict:
    """A function that tells whether a value is valid; `definitions` are the schema's `$defs`.

    Values are those of JSON. Raises `ValueError` for a keyword that it does not have.
    """
    return _Compiler(definitions).compile(schema)


class _Compiler:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._compiled: dict[str, Verdict] = {}

    def compile(self, schema: Any) -> Verdict:
        if isinstance(schema, bool):
            return lambda _: schema
        checks = [
            self._keyword(name, value, schema)
            for name, value in schema.items()
            if name not in _ANNOTATIONS
        ]
        if len(checks) == 1:
            return checks[0]
        return lambda value: all(check(value) for check in checks)

    def _keyword(self, name: str, wanted: Any, schema: Mapping[str, Any]) -> Verdict:
        match name:
            case "$ref":
                return self._reference(wanted)
            case "anyOf":
                some = [self.compile(each) for each in wanted]
                return lambda value: any(check(value) for check in some)
            case "oneOf":
                one = [self.compile(each) for each in wanted]
                return lambda value: sum(check(value) for check in one) == 1
            case "allOf":
                every = [self.compile(each) for each in wanted]
                return lambda value: all(check(value) for check in every)
            case "if":
                return self._conditional(wanted, schema)
            case "items":
                item = self.compile(wanted)
                return lambda value: not isinstance(value, list) or all(map(item, value))
            case "properties" | "additionalProperties" | "propertyNames" | "dependentSchemas":
                return self._object_keyword(name, wanted, schema)
            case _:
                return _plain_keyword(name, wanted)

    def _reference(self, reference: str) -> Verdict:
        """Compiled when a value first meets it: a definition may lead to itself."""
        if not reference.startswith(_REFERENCE):
            raise ValueError(f"cannot follow `$ref: {reference}`")
        name = reference.removeprefix(_REFERENCE)
        if name not in self._definitions:
            raise ValueError(f"there is no definition `{name}`")

        def check(value: Any) -> bool:
            known = self._compiled.get(name)
            if known is None:
                known = self._compiled[name] = self.compile(self._definitions[name])
            return known(value)

        return check

    def _conditional(self, condition: Any, schema: Mapping[str, Any]) -> Verdict:
        is_so = self.compile(condition)
        then, otherwise = (self.compile(schema.get(each, True)) for each in ("then", "else"))
        return lambda value: then(value) if is_so(value) else otherwise(value)

    def _object_keyword(self, name: str, wanted: Any, schema: Mapping[str, Any]) -> Verdict:
        def of_all(checks: Mapping[str, Verdict]) -> Verdict:
            return lambda value: (
                not isinstance(value, dict)
                or all(check(value) for key, check in checks.items() if key in value)
            )

        match name:
            case "properties":
                own = {key: self.compile(each) for key, each in wanted.items()}
                return lambda value: (
                    not isinstance(value, dict)
                    or all(own[key](each) for key, each in value.items() if key in own)
                )
            case "additionalProperties":
                known, other = schema.get("properties", {}), self.compile(wanted)
                return lambda value: (
                    not isinstance(value, dict)
                    or all(other(each) for key, each in value.items() if key not in known)
                )
            case "propertyNames":
                check_name = self.compile(wanted)
                return lambda value: not isinstance(value, dict) or all(map(check_name, value))
            case _:
                return of_all({key: self.compile(each) for key, each in wanted.items()})


def _plain_keyword(name: str, wanted: Any) -> Verdict:
    """A keyword that holds no schema."""
    match name:
        case "type":
            return _type(wanted)
        case "enum":
            return lambda value: any(_is_equal(value, each) for each in wanted)
        case "const":
            return lambda value: _is_equal(value, wanted)
        case "pattern":
            search = re.compile(wanted).search
            return lambda value: not isinstance(value, str) or search(value) is not None
        case "minLength":
            return lambda value: not isinstance(value, str) or len(value) >= wanted
        case "maxLength":
            return lambda value: not isinstance(value, str) or len(value) <= wanted
        case "minimum":
            return lambda value: not _is_number(value) or value >= wanted
        case "maximum":
            return lambda value: not _is_number(value) or value <= wanted
        case "minItems":
            return lambda value: not isinstance(value, list) or len(value) >= wanted
        case "minProperties":
            return lambda value: not isinstance(value, dict) or len(value) >= wanted
        case "required":
            return lambda value: not isinstance(value, dict) or all(key in value for key in wanted)
        case "dependentRequired":
            return lambda value: (
                not isinstance(value, dict)
                or all(each in value for key in wanted if key in value for each in wanted[key])
            )
        case _:
            raise ValueError(f"the keyword `{name}` is not known here")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: Mapping[str, Verdict] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}


def _type(wanted: str | list[str]) -> Verdict:
    if isinstance(wanted, str):
        return _TYPES[wanted]
    some = [_TYPES[each] for each in wanted]
    return lambda value: any(check(value) for check in some)


def _is_equal(value: Any, wanted: Any) -> bool:
    """As JSON means it: `true` is not 1. Only of what is no list and no mapping."""
    if isinstance(wanted, (list, dict)):
        raise ValueError("lists and mappings are not compared here")  # noqa: TRY004 - of the schema
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
