"""Values that fit their types, and values that do not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.openapi.findings import Fault
from tests.conformance.openapi.schema import (
    Anything,
    Decimal,
    Flag,
    Length,
    Lookup,
    Model,
    Moment,
    Property,
    Reference,
    Sequence,
    Surface,
    Text,
    Type,
    Whole,
    Words,
)
from tests.conformance.openapi.values import check_value

COLOUR = Words("Colour", frozenset({"red", "darkblue"}))
CAT = Model(
    name="Cat",
    properties={
        "name": Property(type=Text(), required=True),
        "colour": Property(type=COLOUR, required=False),
        "kittens": Property(type=Sequence(Reference("Cat")), required=False),
    },
)
SURFACE = Surface(version="1", operations=(), models={"Cat": CAT}, error="Cat")


def faults(value: Any, type_: Type) -> list[tuple[Fault, str, str]]:
    found = check_value(value, type_, SURFACE, place="here", path="at")
    return [(finding.fault, finding.place, finding.path) for finding in found]


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("", Text()),
        (True, Flag()),
        (0, Whole()),
        (-(2**31), Whole()),
        ("9223372036854775807", Whole(bits=64)),
        (0.5, Decimal()),
        (7, Decimal()),
        ({"any": [1]}, Anything()),
        ({"a": "b"}, Lookup(Text())),
        ([], Sequence(Text())),
        ("DarkBlue", COLOUR),
        ("2026-01-02T03:04:05Z", Moment()),
        ("2026-01-02T03:04:05.1234567Z", Moment()),
        ("P10675199DT2H48M5.4775807S", Length()),
        ("PT15M", Length()),
        ("P7D", Length()),
        ({"name": "a", "kittens": [{"name": "b", "colour": "RED"}]}, Reference("Cat")),
    ],
)
def test_what_fits(value: Any, type_: Type) -> None:
    assert faults(value, type_) == []


@pytest.mark.parametrize(
    ("value", "type_", "fault"),
    [
        (None, Text(), Fault.TYPE_WRONG),
        (1, Text(), Fault.TYPE_WRONG),
        ("true", Flag(), Fault.TYPE_WRONG),
        (True, Whole(), Fault.TYPE_WRONG),
        ("7", Whole(), Fault.TYPE_WRONG),
        (2**31, Whole(), Fault.FORM_WRONG),
        (7, Whole(bits=64), Fault.TYPE_WRONG),
        ("9223372036854775808", Whole(bits=64), Fault.FORM_WRONG),
        ("seven", Whole(bits=64), Fault.FORM_WRONG),
        ("0.5", Decimal(), Fault.TYPE_WRONG),
        ([], Anything(), Fault.TYPE_WRONG),
        ({}, Sequence(Text()), Fault.TYPE_WRONG),
        ([], Lookup(Text()), Fault.TYPE_WRONG),
        ({"a": 1}, Lookup(Text()), Fault.TYPE_WRONG),
        ("green", COLOUR, Fault.WORD_UNKNOWN),
        ("2026-01-02T03:04:05", Moment(), Fault.FORM_WRONG),
        ("2026-01-02T03:04:05+00:00", Moment(), Fault.FORM_WRONG),
        ("2026-01-02T03:04:05.12345678Z", Moment(), Fault.FORM_WRONG),
        ("2026-13-02T03:04:05Z", Moment(), Fault.FORM_WRONG),
        ("P", Length(), Fault.FORM_WRONG),
        ("PT", Length(), Fault.FORM_WRONG),
        ("P1Y", Length(), Fault.FORM_WRONG),
        ("00:15:00", Length(), Fault.FORM_WRONG),
        ("Tom", Reference("Cat"), Fault.TYPE_WRONG),
    ],
)
def test_what_does_not_fit(value: Any, type_: Type, fault: Fault) -> None:
    assert [found[0] for found in faults(value, type_)] == [fault]


def test_the_place_is_the_models_and_the_path_is_the_bodys() -> None:
    value = {"name": "a", "kittens": [{"name": "b"}, {"nmae": "c", "colour": "green"}]}
    assert faults(value, Reference("Cat")) == [
        (Fault.PROPERTY_UNKNOWN, "Cat.nmae", "at.kittens[1].nmae"),
        (Fault.WORD_UNKNOWN, "Cat.colour", "at.kittens[1].colour"),
        (Fault.PROPERTY_MISSING, "Cat.name", "at.kittens[1]"),
    ]
