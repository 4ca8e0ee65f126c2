"""What the schema validator found, one problem for each mistake, of the variant that was meant.

It knows the schema's keywords but not what they are applied to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from runner.frozen import dataclass
from runner.spec.document import Document, Pointer
from runner.spec.problem import Problem
from runner.spec.suggestion import closest, shorten, suggest
from runner.spec.validation.wording import (
    both,
    describe_found,
    describe_wanted,
    dotted,
    hint_for_pattern,
    hint_for_type,
    is_template,
)

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_EMPTY = {"minLength", "minItems", "minProperties"}
_STEPS: Pointer = ("tasks",)
_LONGEST_EXAMPLE = 100
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
    """The way to the keyword from the schema around it: of `inner` ones, from the variants."""
    whole_path: tuple[str | int, ...]
    """The same from the root of the schema; references leave no trace in either."""
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
            whole_path=tuple(error.absolute_schema_path),
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
            case "None":  # a schema that is `false`: the key must not be there
                yield from self._excluded(finding)
            case "oneOf":
                yield from self._exactly_one(finding)
            case "anyOf" if all(map(_is_of_keys, finding.argument)):
                yield from self._at_least_one(finding)
            case "anyOf":
                yield from self._variants(finding)
            case "additionalProperties":
                yield from self._unknown_keys(finding)
            case "required":
                yield from self._missing_keys(finding)
            case "dependentRequired":
                yield from self._missing_companions(finding)
            case _:
                yield self._bad_value(finding)

    def unknown_keys(self, finding: Finding) -> Iterator[tuple[Pointer, str | None]]:
        """The keys that no schema knows, each with the free one that it is close to."""
        if finding.keyword == "additionalProperties":
            allowed = finding.schema.get("properties", {})
            for key in finding.instance:
                if key not in allowed:
                    meant = closest(key, allowed)
                    yield (*finding.pointer, key), None if meant in finding.instance else meant
        elif finding.keyword == "anyOf" and not all(map(_is_of_keys, finding.argument)):
            for inner in self._inner_meant(finding) or ():
                yield from self.unknown_keys(inner)

    def _variants(self, finding: Finding) -> Iterator[Problem]:
        meant = self._inner_meant(finding)
        if meant is None:
            variants = map(self._resolve, finding.argument)
            schema = {"anyOf": [variant for variant in variants if variant is not False]}
            yield self._wrong_type(finding, schema)
            return
        for inner in meant:
            yield from self.problems(inner)

    def _inner_meant(self, finding: Finding) -> tuple[Finding, ...] | None:
        """What is wrong with the variant that was meant; None where none was."""
        variants = [self._resolve(variant) for variant in finding.argument]
        meant = _variant_meant(variants, finding.instance)
        if meant is None:
            return None
        return tuple(inner for inner in finding.inner if inner.path[0] == meant)

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
        properties = self._properties(finding)
        misspelt = _misspelt(finding.instance, properties)
        for key in finding.argument:
            if key not in finding.instance and key not in misspelt:
                yield self.document.key_problem(
                    finding.pointer,
                    code="missing-key",
                    message=f"{_owner(finding)} needs the key `{key}`",
                    hint=_example(key, properties),
                )

    def _missing_companions(self, finding: Finding) -> Iterator[Problem]:
        """`dependentRequired`: a key stands there without another that it needs."""
        properties = self._properties(finding)
        misspelt = _misspelt(finding.instance, properties)
        for key in finding.instance:
            if _is_excluded(key, finding):
                continue  # it has a problem already, and its companion would have one as well
            for needed in finding.argument.get(key, ()):
                if needed not in finding.instance and needed not in misspelt:
                    yield self.document.key_problem(
                        (*finding.pointer, key),
                        code="missing-key",
                        message=f"`{key}` needs the key `{needed}` beside it",
                        hint=_example(needed, properties),
                    )

    def _exactly_one(self, finding: Finding) -> Iterator[Problem]:
        if not isinstance(finding.instance, dict):
            return  # which fits all variants; that it has to be a mapping is said already
        keys = [key for variant in finding.argument for key in variant["required"]]
        given = [key for key in finding.instance if key in keys]
        message = f"{_owner(finding)} needs exactly one of the keys {both(keys)}"
        if given:
            yield self.document.key_problem(
                (*finding.pointer, given[1]),
                code="misplaced-key",
                message=message,
                hint=f"remove all but one of {both(given)}",
            )
        elif not _is_companion_missing(keys, finding):
            yield from self._none_of(keys, finding, message)

    def _at_least_one(self, finding: Finding) -> Iterator[Problem]:
        keys = [key for variant in finding.argument for key in variant["required"]]
        message = f"{_owner(finding)} needs at least one of the keys {both(keys)}"
        yield from self._none_of(keys, finding, message)

    def _none_of(self, keys: list[str], finding: Finding, message: str) -> Iterator[Problem]:
        properties = self._properties(finding)
        if not _misspelt(finding.instance, properties).intersection(keys):
            yield self.document.key_problem(
                finding.pointer,
                code="missing-key",
                message=message,
                hint=_example(keys[0], properties),
            )

    def _excluded(self, finding: Finding) -> Iterator[Problem]:
        """`dependentSchemas`: keys stand there beside another that they do not go with.

        Of a schema that is `false`, jsonschema does not tell the key in all its versions: so all
        keys of the rule are looked at, and a problem that comes twice is one.
        """
        *way, keyword, other = finding.whole_path[: finding.whole_path.index("properties", -2)]
        assert keyword == "dependentSchemas", f"the schema's {keyword} has no words yet"
        rule = self._walk((*way, keyword, other))
        named = finding.whole_path[-1] != "properties"
        owner = finding.pointer[:-1] if named else finding.pointer
        for key, schema in rule["properties"].items():
            if schema is False and self.document.has((*owner, key)):
                yield self.document.key_problem(
                    (*owner, key),
                    code="misplaced-key",
                    message=f"`{key}` does not go with `{other}`",
                    hint="remove one of the two",
                )

    def _walk(self, path: tuple[str | int, ...]) -> Any:
        schema: Any = self.schema
        for part in path:
            schema = self._resolve(schema[part])
        return schema

    def _properties(self, finding: Finding) -> dict[str, Any]:
        """The keys of the mapping that a finding is about, wherever its rule stands."""
        schema: Any = self.schema
        found: dict[str, Any] = schema["properties"]
        for part in finding.whole_path[:-1]:
            schema = self._resolve(schema[part])
            if isinstance(schema, dict) and "properties" in schema:
                found = schema["properties"]
        return found

    def _bad_name(self, finding: Finding) -> Problem:
        name = str(finding.instance)
        if finding.keyword == "maxLength":
            message = f"the name `{shorten(name)}` is longer than {finding.argument} characters"
        else:
            message = f"the name `{shorten(name)}` {finding.schema['patternErrorMessage']}"
        pointer = (*finding.pointer, name)
        return self.document.key_problem(
            pointer, code="bad-name", message=message, hint=self._hint_for_step(pointer)
        )

    def _hint_for_step(self, pointer: Pointer) -> str | None:
        """Where a key of a step stands in place of a step's name."""
        keys = self.schema["$defs"]["step"]["properties"]
        if pointer[:-1] != _STEPS or pointer[-1] not in keys:
            return None
        return "`tasks` has a name for each step; where there is only one, write `task:`"

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
        if keyword == "const" and finding.pointer != ("version",):
            wanted = describe_wanted(finding.schema)
            return self._problem(finding, "not-allowed", f"`{where}` must be {wanted}, {found}")
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
        wanted = finding.schema["patternErrorMessage"]
        meant = hint_for_pattern(wanted, finding.instance)
        return self._problem(finding, "bad-value", f"`{where}` {wanted}, {found}", meant)

    def _wrong_type(self, finding: Finding, wanted: dict[str, Any]) -> Problem:
        written = None if self.evaluated else self.document.written(finding.pointer)
        found = describe_found(finding.instance, written)
        message = f"`{dotted(finding.pointer)}` must be {describe_wanted(wanted)}, {found}"
        hint = (
            self._hint_for_step(finding.pointer)
            or self._hint_for_mappings(finding)
            or hint_for_type(wanted, finding.instance, written)
            or _hint_for_mapping(finding)
        )
        return self._problem(finding, "wrong-type", message, hint)

    def _hint_for_mappings(self, finding: Finding) -> str | None:
        """A list of mappings, where text stands that could not be an entry of it either."""
        entry = self._resolve(finding.schema.get("items", {}))
        if not isinstance(finding.instance, str) or entry.get("type") != "object":
            return None
        return _hint_by_example([[each] for each in entry.get("examples", ())], finding.pointer)

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


def _is_of_keys(variant: Any) -> bool:
    """Whether a variant says nothing but which keys there must be."""
    return isinstance(variant, dict) and set(variant) == {"required"}


def _misspelt(instance: dict[str, Any], properties: dict[str, Any]) -> set[str | None]:
    """The keys that were probably meant by those that are unknown."""
    return {closest(key, properties) for key in instance if key not in properties}


def _is_excluded(key: str, finding: Finding) -> bool:
    rules = finding.schema.get("dependentSchemas", {})
    return any(
        other in finding.instance and rule.get("properties", {}).get(key) is False
        for other, rule in rules.items()
    )


def _is_companion_missing(keys: list[str], finding: Finding) -> bool:
    """Whether one of the missing `keys` is missed by a key that is there."""
    rules = finding.schema.get("dependentRequired", {})
    return any(needed in keys for key in finding.instance for needed in rules.get(key, ()))


def _example(key: str, properties: dict[str, Any]) -> str:
    return f"for example `{key}: {json.dumps(properties[key]['examples'][0])}`"


def _hint_for_mapping(finding: Finding) -> str | None:
    """A mapping that may stand where something else does."""
    if finding.schema.get("type") != "object":
        return None
    return _hint_by_example(finding.schema.get("examples", ()), finding.pointer)


def _hint_by_example(examples: Sequence[object], pointer: Pointer) -> str | None:
    """None where there is no example, and for one that fills lines."""
    if not examples or not pointer:
        return None
    example, key = json.dumps(examples[0]), pointer[-1]
    hint = f"for example `{f'- {example}' if isinstance(key, int) else f'{key}: {example}'}`"
    return hint if len(hint) <= _LONGEST_EXAMPLE else None


def _owner(finding: Finding) -> str:
    return f"`{dotted(finding.pointer)}`" if finding.pointer else "a workload"
