"""What an editor needs of the schema: everything described, so that no key stands bare."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from runner.spec.bundled import bundled
from runner.spec.validation.schema import SCHEMA_PARTS

SCHEMA: dict[str, Any] = json.loads(bundled(*SCHEMA_PARTS).read_bytes())
SAYS_ITSELF = {"start_task", "min", "max", "pattern", "allowed"}
"""Without one there is no such thing, and nothing in its place."""


def properties(schema: object, path: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Every key anywhere in the schema: its path there, what is said of it, and if it must be."""
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            if value is not False:  # a key that does not go with another one
                yield f"{path}/{name}", value, name in schema.get("required", ())
        for key, value in schema.items():
            if key not in {"examples", "default"}:
                yield from properties(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from properties(value, f"{path}/{index}")


def test_the_schema_is_one_of_2020_12() -> None:
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMA)


def test_every_key_has_a_description_and_an_example_that_is_valid() -> None:
    found = list(properties(SCHEMA))
    assert len(found) > 50
    for path, schema, _ in found:
        assert re.fullmatch(r"[A-Z`].*\.", schema["description"], re.DOTALL), path
        assert schema["examples"], path
        validator = Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})
        for example in schema["examples"]:
            assert validator.is_valid(example), (path, example)


def test_no_variant_of_a_plain_value_hides_what_is_said_of_the_key() -> None:
    """The language server shows the description of the variant, if it has one, for the key's."""
    for path, schema, _ in properties(SCHEMA):
        definition = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
        for variant in (*schema.get("anyOf", ()), *definition.get("anyOf", ())):
            while "$ref" in variant:
                variant = SCHEMA["$defs"][variant["$ref"].rpartition("/")[2]]
            assert variant.get("type") == "object" or "description" not in variant, path


def test_what_holds_without_a_key_is_said() -> None:
    for path, schema, is_required in properties(SCHEMA):
        if is_required or "default" in schema or path.rpartition("/")[2] in SAYS_ITSELF:
            continue
        assert re.search(r"\b[Ww]ithout (it|one|a |any)", schema["description"]), path
