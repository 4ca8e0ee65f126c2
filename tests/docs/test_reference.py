"""The reference of the spec's keys: current, whole, and with examples that YAML reads back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from docs.generate_reference import PAGE, UnsaidError, make_page
from runner.spec.bundled import bundled
from runner.spec.document import read_document
from runner.spec.validation.schema import SCHEMA_PARTS

SCHEMA: dict[str, Any] = json.loads(bundled(*SCHEMA_PARTS).read_bytes())


def sections(page: str) -> dict[str, str]:
    """The text below each heading."""
    parts = re.split(r"^#{2,3} (.+)\n", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == make_page(SCHEMA), (
        "the schema has changed: run `python docs/generate_reference.py`"
    )


def properties_of(schema: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, dict):
        # `false`: a key that does not go with another one
        yield from (each for each in schema.get("properties", {}).values() if each is not False)
        for key, value in schema.items():
            if key not in {"examples", "default"}:
                yield from properties_of(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from properties_of(each)


def test_every_description_of_the_schema_is_on_the_page() -> None:
    page = make_page(SCHEMA)
    for each in properties_of(SCHEMA):
        assert each["description"] in page


def test_every_link_has_one_anchor() -> None:
    page = make_page(SCHEMA)
    anchors = re.findall(r'<a id="([^"]+)"></a>', page)
    assert len(anchors) == len(set(anchors)) > 50
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) == set(anchors)


def test_every_example_is_yaml_as_we_read_it() -> None:
    for block in re.findall(r"```yaml\n(.*?)```", make_page(SCHEMA), re.DOTALL):
        for text in block.split("# or\n"):
            if text.startswith("- "):
                continue  # the value of a shared part, not a key of a mapping
            document, problems = read_document("example.yaml", text.encode())
            assert document is not None, text
            assert problems == (), text


SMALL: dict[str, Any] = {
    "properties": {
        "size": {
            "description": "How large.",
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 9},
                {"$ref": "#/$defs/expression"},
            ],
            "default": 2,
            "examples": [3, "{{ parameters.size }}"],
        },
        "source": {
            "description": "Where from.",
            "anyOf": [
                {"$ref": "#/$defs/name"},
                {
                    "type": "object",
                    "required": ["rows"],
                    "properties": {
                        "rows": {"description": "A file.", "$ref": "#/$defs/name"},
                        "of": {
                            "description": "Which.",
                            "type": "array",
                            "items": {"enum": [1, "a"]},
                        },
                    },
                },
                {
                    "type": "object",
                    "required": ["both"],
                    "properties": {
                        "both": {"description": "Two.", "$ref": "#/$defs/pair", "default": []},
                        "of": {"description": "What.", "type": ["string", "number"], "default": ""},
                    },
                },
            ],
        },
        "other": {"description": "More.", "$ref": "#/$defs/pair", "examples": [[{"left": 1}]]},
    },
    "required": ["source"],
    "$defs": {
        "expression": {"description": "An expression.", "type": "string"},
        "name": {
            "description": "A name.",
            "type": "string",
            "pattern": "^[a-z]+$",
            "patternErrorMessage": "must be letters",
        },
        "pair": {
            "description": "Two of them.",
            "type": "array",
            "minItems": 2,
            "items": {
                "type": "object",
                "properties": {"left": {"description": "One.", "$ref": "#/$defs/pair"}},
            },
        },
    },
}


def test_types_bounds_variants_and_shared_parts_in_words() -> None:
    found = sections(make_page(SMALL))
    assert found["`size`"].startswith(
        "\nHow large.\n\n"
        "- Type: a whole number, at least 1, at most 9; or an expression\n"
        "- Default: `2`\n\n"
        "```yaml\nsize: 3\n# or\nsize: '{{ parameters.size }}'\n```\n"
    )
    assert found["`source`"].startswith(
        "\nWhere from.\n\n"
        "- Type: text (letters); or a mapping, with the keys `rows`, `of`; or a mapping, with the"
        " keys `both`, `of`\n"
        "- Must be given\n"
    )
    assert found["`source.of`, with `rows`"].startswith(
        "\nWhich.\n\n- Type: a list, each entry `1` or `a`\n- No default\n"
    )
    assert found["`source.of`, with `both`"].startswith(
        '\nWhat.\n\n- Type: text or a number\n- Default: `""`\n'
    )
    assert found["`source.both`, with `both`"].startswith("\nTwo.\n\n- Type: [pair](#of-pair)\n")
    assert found["Pair"].startswith(
        "\nTwo of them.\n\n"
        "- Type: a list, at least 2 entries, each entry a mapping, with the key `left`\n"
    )
    assert found["`pair[].left`"].startswith("\nOne.\n\n- Type: [pair](#of-pair)\n")
    assert found["`other`"].startswith(
        "\nMore.\n\n- Type: [pair](#of-pair)\n- No default\n\n```yaml\nother:\n- left: 1\n```\n"
    )


def test_a_keyword_without_words_stops_the_page() -> None:
    odd = {"properties": {"x": {"description": "Odd.", "type": "string", "format": "uuid"}}}
    with pytest.raises(UnsaidError) as caught:
        make_page(odd)
    assert str(caught.value) == "no words for the keyword `format` of the schema"
