"""Specs that together use every key of the language, and what a spec uses of a schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner.spec.bundled import bundled
from runner.spec.validation.schema import SCHEMA_PARTS

FOLDER = Path(__file__).resolve().parent / "specs"
SPECS = tuple(
    FOLDER / f"{name}.yaml"
    for name in ("whole", "windows", "custom", "schedule", "existing", "secrets")
)
"""The first one has nearly all that goes with a new pool."""

SCHEMA: dict[str, Any] = json.loads(bundled(*SCHEMA_PARTS).read_bytes())


def keys_of(schema: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key that the schema knows, by its path in the schema."""
    if isinstance(schema, dict):
        for name, each in schema.get("properties", {}).items():
            if each is not False:
                yield (*path, "properties", name)
        for key, value in schema.items():
            if key not in {"examples", "default", "dependentSchemas"}:
                yield from keys_of(value, (*path, key))
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from keys_of(value, (*path, str(index)))


def keys_used(
    value: object, schema: Any = SCHEMA, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The keys of the schema that a value has."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from keys_used(value, SCHEMA["$defs"][name], ("$defs", name))
    for index, variant in enumerate(schema.get("anyOf", ())):
        yield from keys_used(value, variant, (*path, "anyOf", str(index)))
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties")
        for key, each in value.items():
            if key in properties:
                yield (*path, "properties", key)
                yield from keys_used(each, properties[key], (*path, "properties", key))
            elif isinstance(others, dict):
                yield from keys_used(each, others, (*path, "additionalProperties"))
    if isinstance(value, list) and "items" in schema:
        for each in value:
            yield from keys_used(each, schema["items"], (*path, "items"))
