"""The quick verdict on a spec is that of the library which says what is wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from runner.spec.bundled import bundled
from runner.spec.validation.verdict import compile_verdict
from tests.unit.spec.whole_language import SPECS

SCHEMA: dict[str, Any] = json.loads(bundled("schema", "workload.schema.json").read_bytes())
WRONG: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 2**70, "", "x", "1h", "{{ x }}", "a b", "\n"),
    *([], {}, ["x"], [[]], {"x": 1}, {"from": "data"}, [{"from": 1}], {"files": "input"}),
]
COUNT = 400


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each mapping and list with each of its keys and indices."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in entries:
        yield value, key
        if isinstance(each, (dict, list)):
            yield from places(each)


def mutated(spec: Any, choice: random.Random) -> Any:
    """The spec with one value replaced, left out, added or brought from elsewhere."""
    changed = deepcopy(spec)
    everywhere = list(places(changed))
    holder, key = choice.choice(everywhere)
    other, there = choice.choice(everywhere)
    match choice.randrange(4):
        case 0:
            holder[key] = choice.choice(WRONG)
        case 1:
            del holder[key]
        case 2 if isinstance(holder, dict):
            holder[choice.choice(("x", "from", "existing", "keep"))] = choice.choice(WRONG)
        case _:
            holder[key] = deepcopy(other[there])
    return changed


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
@pytest.mark.parametrize("evaluated", [False, True])
def test_both_take_and_refuse_the_same(path: Any, evaluated: bool) -> None:
    schema = SCHEMA
    if evaluated:
        schema = {**SCHEMA, "$defs": {**SCHEMA["$defs"], "expression": False, "template": False}}
    verdict, library = compile_verdict(schema, schema["$defs"]), Draft202012Validator(schema)
    spec, choice = yaml.safe_load(path.read_text()), random.Random(7)
    found: dict[bool, int] = {True: 0, False: 0}
    for _ in range(COUNT // len(SPECS)):
        changed = mutated(spec, choice)
        is_valid = library.is_valid(changed)
        assert verdict(changed) is is_valid, changed
        found[is_valid] += 1
    assert verdict(spec) is library.is_valid(spec)
    assert found[False] > 0


CASES: list[tuple[Any, Any]] = [
    ({"type": "integer"}, 1.0),
    ({"type": ["integer", "null"]}, None),
    ({"type": "number"}, True),
    ({"enum": [1, "a"]}, True),
    ({"const": 1}, 1.0),
    ({"const": False}, 0),
    ({"minimum": 2, "maximum": 3}, "x"),
    ({"minimum": 2, "maximum": 3}, 4),
    ({"minLength": 2, "maxLength": 3}, "1"),
    ({"minItems": 1, "items": {"type": "string"}}, []),
    ({"minItems": 1, "items": {"type": "string"}}, ["a", 1]),
    ({"minProperties": 1, "propertyNames": {"pattern": "^a"}}, {"b": 1}),
    ({"required": ["a"]}, {"b": 1}),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}),
    ({"dependentRequired": {"a": ["b"]}}, {"b": 1}),
    ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"a": 1}),
    ({"properties": {"a": {"type": "string"}}, "additionalProperties": False}, {"a": "x"}),
    ({"properties": {"a": {"type": "string"}}, "additionalProperties": False}, {"c": "x"}),
    ({"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "null"}}, {"c": 1}),
    ({"oneOf": [{"type": "string"}, {"pattern": "a"}]}, "a"),
    ({"oneOf": [{"type": "string"}, {"pattern": "a"}]}, "b"),
    ({"anyOf": [{"type": "string"}, {"minimum": 3}], "allOf": [{"maximum": 5}]}, 6),
    ({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}, "a"),
    ({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}, 1),
    ({"if": {"type": "string"}, "then": {"minLength": 2}}, 1),
    ({"$ref": "#/$defs/tree"}, {"branch": {"branch": {"branch": 1}}}),
    ({"$ref": "#/$defs/tree"}, {"branch": {"branch": {"branch": "x"}}}),
]
DEFINITIONS = {
    "tree": {"anyOf": [{"type": "integer"}, {"properties": {"branch": {"$ref": "#/$defs/tree"}}}]}
}


@pytest.mark.parametrize(("schema", "value"), CASES, ids=str)
def test_each_keyword_means_the_same(schema: Any, value: Any) -> None:
    library = Draft202012Validator({**schema, "$defs": DEFINITIONS})
    assert compile_verdict(schema, DEFINITIONS)(value) is library.is_valid(value)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"uniqueItems": True}, "the keyword `uniqueItems` is not known here"),
        ({"$ref": "other.json"}, "cannot follow `$ref: other.json`"),
        ({"$ref": "#/$defs/x"}, "there is no definition `x`"),
    ],
)
def test_a_schema_that_it_cannot_judge_by_is_refused(schema: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("$", r"\$")):
        compile_verdict(schema, {})
