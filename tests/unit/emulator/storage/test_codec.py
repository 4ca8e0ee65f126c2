"""Every record of both services becomes JSON and comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, NewType, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.emulator.batch.keeping import KINDS as BATCH_KINDS
from runner.emulator.blob.core.kinds import KINDS as BLOB_KINDS
from runner.emulator.storage.codec import CodecError, Form

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(timezone.utc)))
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(Mapping, st.dictionaries(st.text(), JSON, max_size=3))


@pytest.mark.parametrize(
    "of", [kind.of for kind in (*BATCH_KINDS, *BLOB_KINDS)], ids=lambda of: of.__name__
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_record_comes_back(of: type, data: st.DataObject) -> None:
    record = data.draw(st.from_type(of))
    form = Form(of)
    assert form.decode(json.loads(json.dumps(form.encode(record)))) == record


class Colour(Enum):
    RED = "red"


Name = NewType("Name", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cat:
    name: Name
    colour: Colour = Colour.RED


@dataclass(frozen=True, slots=True, kw_only=True)
class Dog:
    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    built: datetime
    guest: Cat | Dog | str | None = None
    cats: tuple[Cat, ...] = ()
    size: tuple[int, timedelta] | None = None
    seal: bytes | None = None


BUILT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
HOUSE = House(
    built=BUILT,
    guest=Dog(name=Name("Rex")),
    cats=(Cat(name=Name("Tom")),),
    size=(3, timedelta(microseconds=-7)),
    seal=b"\0\xff",
)
FORM = {
    "built": "2026-01-02T03:04:05.000006+00:00",
    "guest": {"~": "Dog", "name": "Rex"},
    "cats": [{"name": "Tom"}],
    "size": [3, -7],
    "seal": "AP8=",
}


def test_the_form_has_names_and_leaves_defaults_out() -> None:
    assert Form(House).encode(HOUSE) == FORM
    assert Form(House).decode(FORM) == HOUSE


def test_fields_that_are_missing_have_their_defaults() -> None:
    assert Form(House).decode({"built": FORM["built"]}) == House(built=BUILT)


def test_what_is_kept_aside_is_given_when_read() -> None:
    form = Form(House, without="cats")
    assert "cats" not in form.encode(HOUSE)
    assert form.decode(form.encode(HOUSE), {"cats": HOUSE.cats}) == HOUSE


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ([], "House is no object"),
        ({}, "House: House.__init__() missing 1 required keyword-only argument: 'built'"),
        ({"roof": 1}, "House.roof is not known"),
        ({"built": "yesterday"}, "House.built cannot be read"),
        ({"built": 7}, "House.built cannot be read"),
        ({"guest": {"~": "Cow"}}, "House.guest: `Cow` is none of Cat, Dog"),
        ({"cats": [{"colour": "blue"}]}, "House.cats: Cat.colour cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(form: Any, message: str) -> None:
    with pytest.raises(CodecError) as raised:
        Form(House).decode(form)
    assert str(raised.value) == message


@dataclass(frozen=True)
class Socket:
    file: memoryview


def test_a_type_without_a_form_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="memoryview"):
        Form(Socket)


def test_no_record_holds_what_cannot_be_kept() -> None:
    seen: set[type] = set()

    def walk(of: type) -> None:
        if of in seen:
            return
        seen.add(of)
        Form(of)
        for hint in get_type_hints(of).values():
            for part in _parts(hint):
                walk(part)

    for kind in (*BATCH_KINDS, *BLOB_KINDS):
        walk(kind.of)
        assert all(field.init for field in fields(kind.of))


def _parts(hint: Any) -> list[type]:
    found = [hint] if is_dataclass(hint) and isinstance(hint, type) else []
    for argument in getattr(hint, "__args__", ()):
        found += _parts(argument)
    return found
