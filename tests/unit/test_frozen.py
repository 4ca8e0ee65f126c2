"""Frozen dataclasses of ours do what those of the standard library do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import asdict, field, fields, is_dataclass, replace

import pytest

from runner.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """With all kinds of fields."""

    name: str
    count: int = 3
    items: list[int] = field(default_factory=list)
    hidden: str = field(default="-", repr=False, compare=False)
    made: list[str] = field(init=False, default_factory=lambda: ["made"])

    @property
    def twice(self) -> int:
        """A method of its own."""
        return self.count * 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """The same as the standard library makes it."""

    name: str
    count: int = 3
    items: list[int] = field(default_factory=list)
    hidden: str = field(default="-", repr=False, compare=False)
    made: list[str] = field(init=False, default_factory=lambda: ["made"])


@dataclass(frozen=True, slots=True)
class Point:
    """By position, with a look at what it is given."""

    x: int
    y: int = 0

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("left of all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Without fields."""


@dataclass(frozen=True, slots=True)
class Named:
    """With a method in the place of a made one."""

    name: str

    def __repr__(self) -> str:
        return self.name


def test_instances_are_those_of_the_standard_library() -> None:
    one, other = Value(name="a", items=[1]), Standard(name="a", items=[1])
    assert repr(one) == repr(other).replace("Standard", "Value")
    assert asdict(one) == asdict(other)
    assert [each.name for each in fields(one)] == [each.name for each in fields(other)]
    assert is_dataclass(one)
    assert one.twice == 6
    assert not hasattr(one, "__dict__")


def test_equal_values_are_equal_and_have_one_hash() -> None:
    assert Point(1, 2) == Point(1, y=2)
    assert hash(Point(1, 2)) == hash(Point(1, 2))
    assert Point(1, 2) != Point(2, 1)
    pair: object = (1, 0)
    assert Point(1) != pair
    assert {Nothing(), Nothing()} == {Nothing()}
    assert len({Named("a"), Named("b"), Named("a")}) == 2
    assert Value(name="a", hidden="x") == Value(name="a", hidden="y")
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        hash(Value(name="a"))


def test_defaults_are_made_for_each_instance() -> None:
    one, other = Value(name="a"), Value(name="a")
    one.items.append(1)
    assert (other.items, other.made) == ([], ["made"])
    assert replace(one, name="b") == Value(name="b", items=[1])


def test_nothing_can_be_changed() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert point == Point(1)


def test_what_an_instance_is_made_of_is_looked_at() -> None:
    with pytest.raises(ValueError, match="left of all"):
        Point(-1)
    with pytest.raises(TypeError, match=r"Value\.__init__\(\) missing 1 required keyword-only"):
        Value()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'nme'"):
        Value(name="a", nme="b")  # type: ignore[call-arg]


def test_patterns_and_copies() -> None:
    match Point(1, 2):
        case Point(1, y):
            assert y == 2
        case _:
            pytest.fail("it is a point")
    value = Value(name="a", items=[1])
    deep = copy.deepcopy(value)
    assert deep == value
    assert deep.items is not value.items
    assert pickle.loads(pickle.dumps(Point(1, 2))) == Point(1, 2)
    assert repr(Named("a")) == "a"


def test_a_class_that_has_no_instance_has_nothing_compiled() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Fresh:
        """Of this test alone."""

        name: str

    before = Fresh.__init__
    assert "name" not in before.__code__.co_varnames
    Fresh(name="a")
    made = Fresh.__init__
    Fresh(name="b")
    assert made is not before
    assert Fresh.__init__ is made
    assert "name" in made.__code__.co_varnames
