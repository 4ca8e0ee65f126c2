"""Expressions that find blobs by their tags."""

from __future__ import annotations

import pytest

from runner.emulator.blob.core.tagqueries import ConditionError, holds, parse_condition

TAGS = {"a": "1", "state of it": "it's open", "@container": "box"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\"a\" = '1'", True),
        ("a='1'", True),
        ("\"a\" = '2'", False),
        ("\"a\" <> '2'", True),
        ("\"a\" > '0' AND \"a\" < '2'", True),
        ("\"a\" >= '1' and \"a\" <= '1'", True),
        ("\"a\" = '2' OR \"a\" = '1'", True),
        ("\"a\" = '1' OR \"a\" = '1' AND \"a\" = '2'", True),
        ("(\"a\" = '1' OR \"a\" = '1') AND \"a\" = '2'", False),
        ("\"state of it\" = 'it''s open'", True),
        ("@container = 'box' AND \"a\" = '1'", True),
        ("@container = 'other'", False),
        ("\"none\" = ''", False),
        ("\"none\" <> 'x'", False),
    ],
)
def test_what_holds(text: str, expected: bool) -> None:
    assert holds(parse_condition(text), TAGS) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a tag's name is expected at position 0"),
        ('"a"', "a comparison is expected at position 3"),
        ('"a" = 1', "a value in single quotes is expected at position 5"),
        ("\"a\" = '1' \"b\" = '2'", "the end of the expression is expected at position 9"),
        ("(\"a\" = '1'", "')' is expected at position 10"),
        ("and = '1'", "a tag's name is expected at position 3"),
        ("(" * 5000, "the expression is nested too deeply"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(text)

    assert str(refused.value) == message
