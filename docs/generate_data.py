"""Writes `docs/data-reference.md`, the page of all data that commands print, from the JSON Schemas.

    python docs/generate_data.py

It knows the few keywords that the schemas use and nothing of what the keys mean: all that is said
of them is the schemas' own descriptions. A keyword that it has no words for stops it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.spec.published import OF_SPECS, Published, published

PAGE = Path(__file__).resolve().parent / "data-reference.md"

Schema = Mapping[str, Any]

_HEAD = """\
<!-- Made from schema/*.schema.json by `python docs/generate_data.py`. -->

# Every key of the data

What commands print with `--json` and keep in a run's directory, key by key. `[]` is an entry of a
list, `*` any name. Keys in brackets need not be there. Times are RFC 3339 in UTC. What may change
and what not is on [the page on data](data.md); `batch-run schema NAME` prints the JSON Schema that
a section is made from. The [keys of a spec](reference.md) have a page of their own.
"""
_KINDS = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "object",
    "null": "null",
}
_KNOWN = frozenset(
    (
        *("$schema", "$id", "$defs", "$ref", "title", "description", "default", "type", "enum"),
        *("const", "format", "pattern", "minimum", "minItems", "maxItems", "items", "required"),
        *("properties", "additionalProperties", "anyOf", "oneOf"),
    )
)


class UnsaidError(Exception):
    """A schema uses a keyword that the page has no words for."""


def make_page() -> str:
    """The whole page."""
    schemas = [each for each in published() if each.name != OF_SPECS]
    parts = [_HEAD, *(f"- [`{each.name}`](#{each.name})" for each in schemas), ""]
    for each in schemas:
        parts += _section(each)
    return "\n".join(parts)


def _section(schema: Published) -> Iterator[str]:
    whole = json.loads(schema.path.read_bytes())
    definitions = whole.get("$defs", {})
    yield f"## {schema.name}\n\n{whole['description']}\n"
    kinds = [each["$ref"].rpartition("/")[2] for each in whole.get("oneOf", ())]
    if not kinds:
        yield from _table(whole, definitions)
        return
    head = definitions[kinds[0]]["properties"]
    common = [key for key in head if all(key in definitions[kind]["properties"] for kind in kinds)]
    shared = {key: head[key] for key in ("v", "t", "run", "type") if key in common}
    shared["type"] = {"description": head["type"]["description"], "type": "string"}
    yield "All of them have:\n"
    yield from _table({"properties": shared, "required": [*shared]}, definitions)
    for kind in kinds:
        own = {
            key: value
            for key, value in definitions[kind]["properties"].items()
            if key not in shared
        }
        yield f"### {kind}\n\n{definitions[kind]['description']}\n"
        yield from _table({**definitions[kind], "properties": own}, definitions)


def _table(schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[str]:
    yield "| key | type | what it is |\n|---|---|---|"
    for path, kind, words in _rows(schema, "", definitions, needed=True):
        if path:
            yield f"| `{path}` | {kind} | {_cell(words)} |"
    yield ""


def _rows(
    schema: Schema, path: str, definitions: Mapping[str, Schema], *, needed: bool
) -> Iterator[tuple[str, str, str]]:
    """A row for the value itself, where it has words, and one for each of its keys."""
    unknown = set(schema) - _KNOWN
    if unknown:
        raise UnsaidError(f"no words for the keyword `{min(unknown)}` of the schema")
    inner = _resolved(schema, definitions)
    if path and not path.endswith("[]"):
        shown = path if needed else f"{path.rpartition('.')[0]}{'.' * ('.' in path)}[{_last(path)}]"
        yield shown, _kind(inner, definitions), str(inner.get("description", ""))
    for form in (*inner.get("anyOf", ()), *inner.get("oneOf", ())):
        yield from _keys(_resolved(form, definitions), path, definitions)
    yield from _keys(inner, path, definitions)


def _keys(
    schema: Schema, path: str, definitions: Mapping[str, Schema]
) -> Iterator[tuple[str, str, str]]:
    prefix = f"{path}." if path else ""
    for key, value in schema.get("properties", {}).items():
        needed = key in schema.get("required", ())
        yield from _rows(value, f"{prefix}{key}", definitions, needed=needed)
    if "items" in schema:
        yield from _rows(schema["items"], f"{path}[]", definitions, needed=True)
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping):
        yield from _keys(_resolved(more, definitions), f"{prefix}*", definitions)


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """What a reference leads to, with the words that stand beside it."""
    if "$ref" not in schema:
        return schema
    own = {key: value for key, value in schema.items() if key != "$ref"}
    return {**definitions[schema["$ref"].rpartition("/")[2]], **own}


def _kind(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    if "type" not in schema:
        forms = [_resolved(form, definitions) for form in schema.get("anyOf", ())]
        return " or ".join(dict.fromkeys(_kind(form, definitions) for form in forms)) or "any"
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    words = [
        "time" if schema.get("format") and each == "string" else _KINDS[each] for each in kinds
    ]
    if kinds == ["array"]:
        items = _resolved(schema["items"], definitions)
        return f"list of {_kind(items, definitions)}"
    return " or ".join(words)


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Writes the page."""
    PAGE.write_text(make_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
