"""The published schemas: each is a schema, says all that users need, and only ever grows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.plan.prices.node_price import NodePrice
from runner.report.trace import TaskState
from runner.report.trace_as_tsv import COLUMNS
from runner.run.events import Event, LeftBehind
from runner.run.records.lines import event_as_line
from tests.data.documents import check_event, fields_of, names, schema

KEPT = Path(__file__).with_name("published.json")
"""What was published: each key by its path, and its type. `python -m tests.data.publish` adds."""
KINDS = get_args(Event)
_UTC = timezone.utc
_HEAD = ("v", "t", "run", "type")
_TYPES: Mapping[object, object] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    int | None: ["integer", "null"],
    float | None: ["number", "null"],
    str | None: ["string", "null"],
    bool | None: ["boolean", "null"],
    datetime: "string",
    datetime | None: ["string", "null"],
    tuple[str, ...]: "array",
    tuple[LeftBehind, ...]: "array",
    NodePrice | None: None,  # one of two forms
}
_PARTS: Mapping[str, Any] = {"left_behind": LeftBehind, "node_price": NodePrice}
"""What events have in them, by its name in the schema."""


@pytest.mark.parametrize("name", names())
def test_each_is_a_schema_with_an_id_and_words_for_all(name: str) -> None:
    whole = schema(name)
    Draft202012Validator.check_schema(whole)
    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert whole["$id"] == f"urn:batch-run:schema:{name}:1"
    assert whole["title"] == f"batch-run {name}" or name == "plan-task"
    assert whole["description"]
    assert list(_without_words(whole, "$")) == []


def test_definitions_of_one_name_are_one_definition() -> None:
    """Each file stands alone, so that one is all that has to be fetched."""
    known: dict[str, tuple[str, object]] = {}
    for name in names():
        for key, value in schema(name).get("$defs", {}).items():
            other, same = known.setdefault(key, (name, value))
            assert value == same, f"`{key}` differs between {other} and {name}"


def test_a_status_has_all_that_a_report_has() -> None:
    whole, report = schema("status")["properties"], schema("report")["properties"]
    assert set(report) <= set(whole)
    kinds = {key for key in report if whole[key].get("type") != report[key].get("type")}
    assert kinds == set()


def test_what_was_published_is_there_still() -> None:
    kept: dict[str, dict[str, str]] = json.loads(KEPT.read_bytes())
    assert sorted(kept) == names()
    for name, paths in kept.items():
        now = dict(fields_of(name))
        changed = {path: now.get(path) for path, kind in paths.items() if now.get(path) != kind}
        assert changed == {}, f"{name}: keys are only ever added within a version"
        added = sorted(set(now) - set(paths))
        assert added == [], f"{name}: `python -m tests.data.publish` keeps what is new"


def test_every_event_has_its_schema() -> None:
    definitions = set(schema("event")["$defs"])
    assert definitions == {kind.type for kind in KINDS} | set(_PARTS)
    listed = [each["$ref"] for each in schema("event")["oneOf"]]
    assert listed == [f"#/$defs/{kind.type}" for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_a_schema_has_the_fields_of_its_event(kind: Any) -> None:
    described = schema("event")["$defs"][kind.type]
    hints = get_type_hints(kind)
    own = [field.name for field in fields(kind)]
    assert list(described["properties"]) == [*_HEAD, *own]
    # A key that came later is not in the lines of earlier releases.
    from_the_start = [field.name for field in fields(kind) if field.default is MISSING]
    assert described["required"] == [*_HEAD, *from_the_start]
    for field in fields(kind):
        said = described["properties"][field.name]
        assert said.get("type") == _TYPES[hints[field.name]], field.name
        assert (said.get("format") == "date-time") == (datetime in _parts(hints[field.name]))
        if field.default is not MISSING and field.default != ():
            assert said["default"] == field.default


@pytest.mark.parametrize("name", _PARTS)
def test_what_events_have_in_them_is_described(name: str) -> None:
    described = schema("event")["$defs"][name]["properties"]
    hints = get_type_hints(_PARTS[name])
    assert list(described) == [field.name for field in fields(_PARTS[name])]
    assert [each["type"] for each in described.values()] == [
        _TYPES[hints[key]] for key in described
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_event_is_written_as_its_schema_says(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    described = schema("event")["$defs"][kind.type]["properties"]
    hints = get_type_hints(kind)
    values = {
        field.name: data.draw(_value(hints[field.name], described[field.name]))
        for field in fields(kind)
    }
    at = data.draw(st.datetimes(timezones=st.just(_UTC)))
    check_event(json.loads(event_as_line(kind(**values), run="demo-x", at=at)))


def _value(hint: Any, described: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in described:
        return st.sampled_from(described["enum"])
    if "pattern" in described:
        return st.integers(0, 10**6).map(str)
    if hint == tuple[LeftBehind, ...]:
        left = st.builds(
            LeftBehind, kind=st.text(), name=st.text(), why=st.text(), kept=st.booleans()
        )
        return st.lists(left, max_size=2).map(tuple)
    if NodePrice in _parts(hint):
        amounts = st.one_of(st.none(), st.floats(0, 10**6))
        price = st.builds(
            NodePrice,
            vm_size=st.text(),
            currency=st.text(),
            source=st.text(),
            dedicated=amounts,
            spot=amounts,
            as_of=st.one_of(st.none(), st.text()),
        )
        return st.one_of(st.none(), price)
    if hint == tuple[str, ...]:
        return st.lists(st.text(), max_size=2).map(tuple)
    kinds = {
        bool: st.booleans(),
        int: st.integers(described.get("minimum", -300), 2**40),
        float: st.floats(min_value=0, allow_infinity=False),
        str: st.text(),
        datetime: st.datetimes(timezones=st.just(_UTC)),
        type(None): st.none(),
    }
    return st.one_of([kinds[each] for each in _parts(hint)])


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) or (hint,)


def _without_words(part: Any, path: str) -> Iterator[str]:
    """Keys of objects that nothing is said of."""
    if not isinstance(part, dict):
        return
    for key, value in part.get("properties", {}).items():
        if not (value.get("description") or "$ref" in value or "anyOf" in value):
            yield f"{path}.{key}"
        yield from _without_words(value, f"{path}.{key}")
    for key, value in part.get("$defs", {}).items():
        yield from _without_words(value, f"{path}.$defs.{key}")
    for key in ("anyOf", "oneOf"):
        for number, value in enumerate(part.get(key, ())):
            yield from _without_words(value, f"{path}({number})")
    if isinstance(part.get("items"), dict):
        yield from _without_words(part["items"], f"{path}[]")


def test_the_columns_of_the_trace_are_described_in_their_order() -> None:
    assert tuple(schema("trace")["properties"]) == COLUMNS
    states = {state.value for state in TaskState} | {"retried"}
    assert set(schema("trace")["properties"]["state"]["enum"]) == states
