"""What the schema validator found, one problem for each mistake, of the variant that was meant.

It knows the schema's keywords but not what they are applied to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.spec.document import Document, Pointer
from runner.spec.problem import Problem
from runner.spec.suggestion import closest, shorten, suggest
from runner.spec.wording import (
    describe_found,
    describe_wanted,
    dotted,
    hint_for_type,
    is_template,
)

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_EMPTY = {"minLength", "minItems", "minProperties"}
_BOUNDS = {"minimum": "at least", "maximum": "at most"}
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One error: `keyword` with its `argument` in `schema` did not hold for `instance`."""

    pointer: Pointer
    keyword: str
    argument: Any
    instance: Any
    schema: dict[str, Any]
    path: tuple[str | int, ...]
    inner: tuple[Finding, ...]

    @classmethod
    def of(cls, error: ValidationError) -> Finding:
        """The finding in an error of jsonschema 4."""
        schema: Any = error.schema
        return cls(
            pointer=tuple(error.absolute_path),
            keyword=str(error.validator),
            argument=error.validator_value,
            instance=error.instance,
            schema=schema if isinstance(schema, dict) else {},
            path=tuple(error.relative_schema_path),
            inner=tuple(cls.of(inner) for inner in error.context or ()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """Findings in one document; `evaluated`: its templates have been replaced by values."""

    document: Document
    schema: dict[str, Any]
    evaluated: bool

    def problems(self, finding: Finding) -> Iterator[Problem]:
        """The problems that a finding comes to."""
        if finding.path[-2:-1] == ("propertyNames",):
            yield self._bad_name(finding)
            return
        match finding.keyword:
            case "anyOf":
                yield from self._variants(finding)
            case "additionalProperties":
                yield from self._unknown_keys(finding)
            case "required":
                yield from self._missing_keys(finding)
            case _:
                yield self._bad_value(finding)

    def _variants(self, finding: Finding) -> Iterator[Problem]:
        variants = [self._resolve(variant) for variant in finding.argument]
        meant = _variant_meant(variants, finding.instance)
        if meant is None:
            schema = {"anyOf": [variant for variant in variants if variant is not False]}
            yield self._wrong_type(finding, schema)
            return
        for inner in finding.inner:
            if inner.path[0] == meant:
                yield from self.problems(inner)

    def _unknown_keys(self, finding: Finding) -> Iterator[Problem]:
        allowed = finding.schema.get("properties", {})
        for key in finding.instance:
            if key not in allowed:
                yield self.document.key_problem(
                    (*finding.pointer, key),
                    code="unknown-key",
                    message=f"`{shorten(key)}` is not a key of {_owner(finding)}",
                    hint=suggest(key, allowed),
                )

    def _missing_keys(self, finding: Finding) -> Iterator[Problem]:
        properties = finding.schema["properties"]
        misspelt = {closest(key, properties) for key in finding.instance if key not in properties}
        for key in finding.argument:
            if key not in finding.instance and key not in misspelt:
                example = json.dumps(properties[key]["examples"][0])
                yield self.document.key_problem(
                    finding.pointer,
                    code="missing-key",
                    message=f"{_owner(finding)} needs the key `{key}`",
                    hint=f"for example `{key}: {example}`",
                )

    def _bad_name(self, finding: Finding) -> Problem:
        name = str(finding.instance)
        if finding.keyword == "maxLength":
            message = f"the name `{shorten(name)}` is longer than {finding.argument} characters"
        else:
            message = f"the name `{shorten(name)}` {finding.schema['patternErrorMessage']}"
        return self.document.key_problem((*finding.pointer, name), code="bad-name", message=message)

    def _bad_value(self, finding: Finding) -> Problem:
        where, keyword, argument = dotted(finding.pointer), finding.keyword, finding.argument
        found = describe_found(finding.instance, None)
        if keyword == "type":
            return self._wrong_type(finding, {"type": argument})
        if keyword == "enum":
            wanted = describe_wanted(finding.schema)
            hint = suggest(str(finding.instance), map(str, argument))
            return self._problem(
                finding, "not-allowed", f"`{where}` must be {wanted}, {found}", hint
            )
        if keyword == "const":
            hint = f"this release reads version {argument} of the spec language"
            message = f"`{where}` must be {argument}, {found}"
            return self._problem(finding, "unsupported-version", message, hint)
        if keyword in _BOUNDS:
            message = f"`{where}` must be {_BOUNDS[keyword]} {argument}, {found}"
            return self._problem(finding, "out-of-range", message)
        if keyword in _EMPTY:
            return self._problem(finding, "empty", f"`{where}` must not be empty")
        if keyword == "maxLength":
            message = f"`{where}` is longer than {argument} characters"
            return self._problem(finding, "too-long", message)
        assert keyword == "pattern", f"the schema's keyword {keyword} has no words yet"
        message = f"`{where}` {finding.schema['patternErrorMessage']}, {found}"
        return self._problem(finding, "bad-value", message)

    def _wrong_type(self, finding: Finding, wanted: dict[str, Any]) -> Problem:
        written = None if self.evaluated else self.document.written(finding.pointer)
        found = describe_found(finding.instance, written)
        message = f"`{dotted(finding.pointer)}` must be {describe_wanted(wanted)}, {found}"
        hint = hint_for_type(wanted, finding.instance, written)
        return self._problem(finding, "wrong-type", message, hint)

    def _problem(
        self, finding: Finding, code: str, message: str, hint: str | None = None
    ) -> Problem:
        if self.evaluated:
            hint = f"the value comes from `{shorten(self.document.written(finding.pointer))}`"
        return self.document.problem(finding.pointer, code=code, message=message, hint=hint)

    def _resolve(self, schema: Any) -> Any:
        if isinstance(schema, dict) and "$ref" in schema:
            return self.schema["$defs"][schema["$ref"].rpartition("/")[2]]
        return schema


def _variant_meant(variants: list[Any], instance: object) -> int | None:
    matching = [
        index
        for index, variant in enumerate(variants)
        if variant is not False and _has_type(variant, instance)
    ]
    if isinstance(instance, str) and len(matching) > 1:
        wants_template = "{{" in instance
        matching = [each for each in matching if is_template(variants[each]) == wants_template]
    elif matching and is_template(variants[matching[0]]):
        return None  # text that is neither the value wanted nor an expression that gives it
    return matching[0] if matching else None


def _has_type(schema: dict[str, Any], instance: object) -> bool:
    wanted = schema.get("type", "string")  # without one: an enum, all of whose values are text
    if isinstance(instance, bool) and wanted != "boolean":
        return False
    return isinstance(instance, _PYTHON_TYPES[wanted])


def _owner(finding: Finding) -> str:
    return f"`{dotted(finding.pointer)}`" if finding.pointer else "a workload"
