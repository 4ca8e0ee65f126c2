"""`$filter`: what it means and what is no filter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.filters.evaluate import (
    ORDER,
    PREFIX_AND_ORDER,
    Property,
    Type,
    compile_filter,
)

Record = Mapping[str, Any]

PROPERTIES: dict[str, Property[Record]] = {
    "id": Property(get=lambda record: record["id"], operators=PREFIX_AND_ORDER),
    "state": Property(get=lambda record: record.get("state")),
    "time": Property(get=lambda record: record.get("time"), type=Type.MOMENT, operators=ORDER),
    "info/code": Property(get=lambda record: record.get("code"), type=Type.NUMBER, operators=ORDER),
    "auto": Property(get=lambda record: record.get("auto"), type=Type.BOOLEAN),
}
RECORDS: tuple[Record, ...] = (
    {"id": "a1", "state": "Active", "code": 0, "auto": True},
    {"id": "A2", "state": "completed", "time": datetime(2024, 5, 1, tzinfo=timezone.utc)},
    {"id": "b'1", "state": "completed", "code": -3, "auto": False},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state eq 'ACTIVE'", ["a1"]),
        ("state ne 'active'", ["A2", "b'1"]),
        ("startswith(id,'a')", ["a1", "A2"]),
        ("startswith( id , 'A' ) and state eq 'completed'", ["A2"]),
        ("id eq 'b''1'", ["b'1"]),
        ("id gt 'a1'", ["A2", "b'1"]),
        ("info/code lt 0", ["b'1"]),
        ("info/code ge -3 and info/code le 0.5", ["a1", "b'1"]),
        ("info/code ne 0", ["A2", "b'1"]),
        ("time ge DateTime'2024-05-01T00:00:00Z'", ["A2"]),
        ("time gt datetime'2024-05-01T00:00:00.0000000Z'", []),
        ("auto eq true", ["a1"]),
        ("auto eq false", ["b'1"]),
        ("id eq 'a1' or id eq 'a2' and state eq 'active'", ["a1"]),
        ("(id eq 'a1' or id eq 'a2') and state eq 'completed'", ["A2"]),
    ],
)
def test_what_fits(text: str, expected: list[str]) -> None:
    found = compile_filter(text, PROPERTIES)
    assert [record["id"] for record in RECORDS if found.fits(record)] == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing eq 1", "The property nothing cannot be used in this filter"),
        ("ID eq 'a'", "The property ID cannot be used in this filter"),
        ("state gt 'a'", "The operator gt cannot be used with state"),
        ("startswith(state,'a')", "The operator startswith cannot be used with state"),
        ("state eq 1", "The property state is compared with a string only"),
        ("time eq '2024-05-01'", "The property time is compared with a DateTime only"),
        ("info/code eq true", "The property info/code is compared with a number only"),
        ("time eq DateTime'soon'", "DateTime'soon' is not a time"),
        ("state", "Expected an operator instead of the end"),
        ("state is 'a'", "is is not an operator"),
        ("state eq", "Expected a value instead of the end"),
        ("state eq 'a' state", "Unexpected state"),
        ("(state eq 'a'", "Expected ) instead of the end"),
        ("state eq 'a", "Syntax error at position 8"),
        (f"info/code eq {'9' * 5000}", f"{'9' * 40}... is not a number"),
        ("info/code eq \u0661", "Syntax error at position 12"),
        ("(" * 60 + "state eq 'a'" + ")" * 60, "The expression is nested too deeply"),
    ],
)
def test_what_is_no_filter(text: str, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        compile_filter(text, PROPERTIES)
    assert caught.value.reason is Reason.QUERY_INVALID
    assert caught.value.details == (
        ("QueryParameterName", "$filter"),
        ("QueryParameterValue", text),
        ("Reason", reason),
    )
