"""Writes `docs/reference.md`, the page of every key of a spec, from the JSON Schema.

    python docs/generate_reference.py

It knows the schema's keywords and nothing of what the keys do: all that is said of them is the
schema's own description. A keyword that it has no words for stops it, so that no rule goes unsaid.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runner.spec.bundled import bundled
from runner.spec.validation.schema import SCHEMA_PARTS

PAGE = Path(__file__).resolve().parent / "reference.md"

Schema = Mapping[str, Any]

_HEAD = """\
<!-- Made from schema/workload.schema.json by `python docs/generate_reference.py`. -->

# Every key of a spec

A spec is one YAML file. Each key stands here under its whole path, in which `NAME` is a name that
you choose and `[]` an entry of a list. An expression is written `{{ ... }}`; a value that is one
whole expression keeps its type. `batch-run validate SPEC` holds a file against all this, and
`batch-run schema` prints the JSON Schema that this page is made from.

## Contents
"""
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_NAMED = {"expression": "an expression", "template": "text with expressions"}
_BOUNDS: Mapping[str, Callable[[Any], str]] = {
    "minimum": lambda least: f"at least {least}",
    "exclusiveMinimum": lambda bound: f"more than {bound}",
    "maximum": lambda most: f"at most {most}",
    "exclusiveMaximum": lambda bound: f"less than {bound}",
    "multipleOf": lambda step: f"a multiple of {step}",
    "minLength": lambda least: "not empty" if least == 1 else f"at least {least} characters",
    "maxLength": lambda most: f"at most {most} characters",
    "minItems": lambda least: "not empty" if least == 1 else f"at least {least} entries",
    "maxItems": lambda most: f"at most {most} entries",
    "uniqueItems": lambda unique: "none twice" if unique else "",
    "minProperties": lambda least: "not empty" if least == 1 else f"at least {least} keys",
    "maxProperties": lambda most: "one key" if most == 1 else f"at most {most} keys",
}
_IN_TYPE = frozenset(
    (
        *("type", "enum", "const", "anyOf", "oneOf", "$ref", "items", "additionalProperties"),
        *("pattern", "patternErrorMessage", "propertyNames"),
    )
)
_ELSEWHERE = frozenset(
    (
        *("$schema", "$id", "$defs", "title", "description", "default", "examples"),
        *("properties", "required"),
        # What goes with what is for the descriptions to say.
        *("allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"),
    )
)


class UnsaidError(Exception):
    """The schema uses a keyword that the page has no words for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of the page: where it stands, its schema, and whether it must be given.

    `form` tells the variant of the mapping around it that has the key, empty where there is one.
    """

    path: str
    name: str
    schema: Schema
    required: bool
    form: str


class Definitions:
    """The schema's named parts, and which of them have a section of their own."""

    def __init__(self, schema: Schema) -> None:
        self._named: Mapping[str, Schema] = schema.get("$defs", {})
        uses = Counter(_references(schema))
        self.shared = tuple(
            name
            for name in self._named
            if (uses[name] > 1 or name in self._reachable(name)) and self.has_keys(name)
        )

    def __getitem__(self, name: str) -> Schema:
        return self._named[name]

    def resolve(self, schema: Schema) -> Schema:
        """The schema itself, or the definition that it stands for."""
        name = _reference(schema)
        return schema if name is None else self._named[name]

    def has_keys(self, name: str) -> bool:
        """Whether values of this definition have keys that the schema knows."""
        parts = (name, *self._reachable(name))
        return any("properties" in each for part in parts for each in _walk(self._named[part]))

    def _reachable(self, name: str) -> set[str]:
        found: set[str] = set()
        waiting = list(_references(self._named[name]))
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting.extend(_references(self._named[each]))
        return found


def make_page(schema: Schema) -> str:
    """The whole page, as Markdown; raises `UnsaidError`."""
    definitions = Definitions(schema)
    anchors: Counter[str] = Counter()
    contents, body = [_HEAD], []

    def add(key: Key, level: int) -> None:
        anchor = key.path.replace("[]", "")
        anchors[anchor] += 1
        if anchors[anchor] > 1:  # two variants of a mapping have a key of this name
            anchor = f"{anchor}-{anchors[anchor]}"
        contents.append(f"{'  ' * (level - 2)}- [`{key.path}`](#{anchor}){key.form}")
        body.append(f'<a id="{anchor}"></a>\n\n{"#" * level} `{key.path}`{key.form}\n')
        body.extend(_entry(key, definitions))

    for key in _keys_of(schema, prefix="", form=""):
        add(key, level=2)
        for below in _below(key.schema, key.path, definitions):
            add(below, level=3)
    for name in definitions.shared:
        contents.append(f"- [{_title(name)}](#{_anchor(name)}), in several places")
        body += _shared_section(name, definitions)
        for below in _below(definitions[name], name, definitions):
            add(below, level=3)
    return "\n".join([*contents, "", *body])


def _shared_section(name: str, definitions: Definitions) -> Iterator[str]:
    schema = definitions[name]
    yield f'<a id="{_anchor(name)}"></a>\n\n## {_title(name)}\n\n{schema["description"]}\n'
    yield f"- Type: {_type(schema, definitions)}\n"
    yield from _examples(None, schema.get("examples", ()))


def _entry(key: Key, definitions: Definitions) -> Iterator[str]:
    yield f"{_description(key.schema, definitions)}\n"
    yield f"- Type: {_type(key.schema, definitions)}"
    if key.required:
        yield "- Must be given\n"
    elif "default" in key.schema:
        yield f"- Default: `{_inline(key.schema['default'])}`\n"
    else:
        yield "- No default\n"
    yield from _examples(key.name, key.schema.get("examples", ()))


def _examples(name: str | None, values: object) -> Iterator[str]:
    """Each example as it would be written in a spec."""
    assert isinstance(values, list | tuple)
    if not values:
        return
    texts = [_as_yaml(value if name is None else {name: value}) for value in values]
    yield "```yaml\n" + "\n# or\n".join(texts) + "\n```\n"


def _description(schema: Schema, definitions: Definitions) -> str:
    while "description" not in schema:
        schema = definitions.resolve(schema)
    return str(schema["description"])


def _below(schema: Schema, path: str, definitions: Definitions) -> Iterator[Key]:
    """The keys below a value, in the order of the schema, deeper ones behind their own."""
    for prefix, form, mapping in _mappings(schema, path, "", definitions):
        for key in _keys_of(mapping, prefix=f"{prefix}.", form=form):
            yield key
            yield from _below(key.schema, key.path, definitions)


def _mappings(
    schema: Schema, path: str, form: str, definitions: Definitions
) -> Iterator[tuple[str, str, Schema]]:
    """The mappings with known keys that a value may be, or hold as its entries."""
    name = _reference(schema)
    if name is not None:
        if name not in definitions.shared:
            yield from _mappings(definitions[name], path, form, definitions)
        return
    variants = [definitions.resolve(each) for each in _variants(schema)]
    several = sum("properties" in each for each in variants) > 1
    for written, resolved in zip(_variants(schema), variants, strict=True):
        own = _form(resolved) if several and "properties" in resolved else form
        yield from _mappings(written, path, own, definitions)
    if "properties" in schema:
        yield path, form, schema
    for keyword, mark in (("items", "[]"), ("additionalProperties", ".NAME")):
        inner = schema.get(keyword)
        if isinstance(inner, dict):
            yield from _mappings(inner, f"{path}{mark}", form, definitions)


def _keys_of(mapping: Schema, *, prefix: str, form: str) -> Iterator[Key]:
    for name, schema in mapping["properties"].items():
        required = name in mapping.get("required", ())
        yield Key(path=f"{prefix}{name}", name=name, schema=schema, required=required, form=form)


def _form(mapping: Schema) -> str:
    """The variant of a mapping by the keys that it must have."""
    required = mapping.get("required", ())
    return f", with {' and '.join(f'`{name}`' for name in required)}" if required else ""


def _type(schema: Schema, definitions: Definitions) -> str:
    """What a value may be and within which bounds, in words."""
    unsaid = set(schema) - _IN_TYPE - _ELSEWHERE - set(_BOUNDS)
    if unsaid:
        raise UnsaidError(f"no words for the keyword `{min(unsaid)}` of the schema")
    kind, inner = _kind(schema, definitions)
    return ", ".join(filter(None, (kind, *_bounds(schema), inner)))


def _bounds(schema: Schema) -> list[str]:
    return [words(schema[key]) for key, words in _BOUNDS.items() if key in schema]


def _kind(schema: Schema, definitions: Definitions) -> tuple[str, str]:
    """What a value is, and what is in it where it is a list or a mapping."""
    name = _reference(schema)
    if name in definitions.shared:
        return f"[{_title(str(name)).lower()}](#{_anchor(str(name))})", ""
    if name in _NAMED:
        return _NAMED[name], ""
    if name is not None:
        return _type(definitions[name], definitions), ""
    if "const" in schema:
        return f"`{_inline(schema['const'])}`", ""
    if "enum" in schema:
        return _either(f"`{_inline(each)}`" for each in schema["enum"]), ""
    if variants := _variants(schema):
        return "; or ".join(dict.fromkeys(_type(each, definitions) for each in variants)), ""
    kinds = schema.get("type", ())
    if isinstance(kinds, str):
        return _plain_kind(kinds, schema), _content(kinds, schema, definitions)
    return _either(_plain_kind(each, schema) for each in kinds) or "anything", ""


def _plain_kind(kind: str, schema: Schema) -> str:
    words = _TYPES[kind]
    if kind == "string" and "pattern" in schema:
        return f"{words} ({_wanted(schema)})"
    if kind == "object" and schema.get("additionalProperties"):
        rule = schema.get("propertyNames", {})
        names = ", ".join(filter(None, (_wanted(rule), *_bounds(rule))))
        return f"{words} of names ({names})" if names else f"{words} of names"
    return words


def _content(kind: str, schema: Schema, definitions: Definitions) -> str:
    entries = schema.get("items" if kind == "array" else "additionalProperties")
    if kind == "array" and entries:
        return f"each entry {_type(entries, definitions)}"
    if kind == "object" and isinstance(entries, dict):
        return f"each with {_type(entries, definitions)}"
    if kind == "object" and "properties" in schema:
        listed = ", ".join(f"`{name}`" for name in schema["properties"])
        return (
            f"with the key {listed}"
            if len(schema["properties"]) == 1
            else f"with the keys {listed}"
        )
    return ""


def _wanted(schema: Schema) -> str:
    """What a pattern asks for."""
    said = str(schema.get("patternErrorMessage", "")).removeprefix("must be ")
    if "pattern" in schema and not said:
        said = f"matching `{schema['pattern']}`"
    return said


def _variants(schema: Schema) -> list[Schema]:
    """What a value may be; those that only say which keys there must be are no variants."""
    variants = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return [each for each in variants if set(each) != {"required"}]


def _reference(schema: Schema) -> str | None:
    return str(schema["$ref"]).rpartition("/")[2] if "$ref" in schema else None


def _references(schema: object) -> Iterator[str]:
    for each in _walk(schema):
        name = _reference(each)
        if name is not None:
            yield name


def _walk(schema: object) -> Iterator[Schema]:
    """Every mapping of a schema but those of its examples and defaults."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key not in {"examples", "default"}:
                yield from _walk(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from _walk(each)


def _either(words: Iterator[str]) -> str:
    *first, last = (*words,) or ("",)
    return f"{', '.join(first)} or {last}" if first else last


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _anchor(name: str) -> str:
    return f"of-{name}"


def _inline(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _as_yaml(value: object) -> str:
    text: str = yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=False, width=90
    )
    return text.removesuffix("...\n").rstrip("\n")


def main() -> None:
    """Writes the page."""
    PAGE.write_text(make_page(json.loads(bundled(*SCHEMA_PARTS).read_bytes())), encoding="utf-8")


if __name__ == "__main__":
    main()
