"""Records are made and copied as frozen dataclasses are."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, dataclass, field, fields
from dataclasses import replace as replace_plainly
from inspect import signature
from pprint import pformat
from types import FunctionType
from typing import get_type_hints

import pytest

from runner.emulator.storage.record import record, replace


@record(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A record with a default."""

    name: str
    size: int = 1


def test_a_copy_differs_in_what_is_named_alone() -> None:
    leaf = Leaf(name="a", size=2)
    other = replace(leaf, name="b")
    assert (leaf, other) == (Leaf(name="a", size=2), Leaf(name="b", size=2))
    assert replace(leaf) == leaf
    assert replace(leaf) is not leaf


def test_records_compare_and_hash_by_their_fields() -> None:
    assert {Leaf(name="a"): 1}[Leaf(name="a", size=1)] == 1
    assert Leaf(name="a") != Leaf(name="a", size=2)
    assert [field.name for field in fields(Leaf)] == ["name", "size"]
    assert repr(Leaf(name="a")) == "Leaf(name='a', size=1)"


def test_a_copy_has_no_other_fields() -> None:
    with pytest.raises(AttributeError):
        replace(Leaf(name="a"), colour="green")  # type: ignore[call-arg]


@record(frozen=True, slots=True)
class Tree:
    """A record with all that a field may have."""

    name: str
    leaves: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False)
    note: str = field(default="", compare=False)

    @property
    def size(self) -> int:
        return len(self.leaves)


@record(frozen=True, slots=True, kw_only=True)
class Checked:
    """A record that looks at its fields, and has an order of its own to be shown in."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("high is below low")

    def __repr__(self) -> str:
        return f"{self.low}..{self.high}"


def test_fields_have_their_defaults() -> None:
    first, second = Tree("a"), Tree("a")
    first.leaves.append("leaf")
    assert (first.size, second.size) == (1, 0)
    assert Tree("a", ["b"], "c", "d") == Tree(name="a", leaves=["b"], secret="c", note="e")
    assert repr(Tree("a", secret="c", note="d")) == "Tree(name='a', leaves=[], note='d')"


@pytest.mark.parametrize(
    "arguments", [{}, {"name": "a", "colour": "b"}, {"size": 1}], ids=["none", "other", "missing"]
)
def test_what_does_not_fit_is_refused(arguments: dict[str, object]) -> None:
    for _ in range(2):
        with pytest.raises(TypeError):
            Leaf(**arguments)  # type: ignore[arg-type]


def test_methods_of_the_class_stay() -> None:
    with pytest.raises(ValueError, match=r"^high is below low$"):
        Checked(low=2, high=1)
    assert repr(Checked(low=1, high=2)) == "1..2"


def test_records_of_different_kinds_are_not_equal() -> None:
    @dataclass(frozen=True)
    class Other:
        name: str
        size: int = 1

    others: list[object] = [Other("a"), ("a", 1)]
    assert Leaf(name="a") not in others


def test_the_standard_library_takes_them_for_dataclasses() -> None:
    assert replace_plainly(Leaf(name="a"), size=3) == Leaf(name="a", size=3)
    match Leaf(name="a"):
        case Leaf(name=name, size=1):
            assert name == "a"
        case _:
            pytest.fail("no match")


@record(frozen=True, slots=True)
class Grown:
    """A record with fields that are not given."""

    name: str
    rings: list[int] = field(init=False, default_factory=list)
    age: int = field(init=False, default=3)
    height: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "height", len(self.name))


def test_fields_that_are_not_given_are_set() -> None:
    assert repr(Grown("oak")) == "Grown(name='oak', rings=[], age=3, height=3)"
    assert Grown("oak").rings is not Grown("oak").rings


def test_the_fields_are_looked_at_when_that_is_asked_for() -> None:
    @record(frozen=True, slots=True)
    class Seed:
        size: int = 1
        kind: str = field(default="", kw_only=True)

    assert not isinstance(vars(Seed)["__dataclass_fields__"], dict)
    assert [(each.name, each.kw_only) for each in fields(Seed)] == [("size", False), ("kind", True)]
    assert isinstance(vars(Seed)["__dataclass_fields__"], dict)
    assert Seed.__match_args__ == ("size",)
    assert asdict(Seed(kind="oak")) == {"size": 1, "kind": "oak"}
    assert pformat(Seed(2)).endswith("Seed(size=2, kind='')")


def test_an_init_is_compiled_when_it_is_first_looked_at() -> None:
    @record(frozen=True, slots=True)
    class Seed:
        size: int = 1

    def compiled() -> bool:
        return isinstance(vars(Seed)["__init__"], FunctionType)

    assert not compiled()
    assert str(signature(Seed)) == "(size: 'int' = 1) -> None"
    assert get_type_hints(Seed.__init__) == {"size": int, "return": type(None)}
    assert compiled()
    assert Seed(2) == replace(Seed(), size=2)


def test_records_are_pickled_and_copied() -> None:
    tree = Tree("a", ["b"])
    assert pickle.loads(pickle.dumps(tree)) == tree
    assert copy.copy(tree) == copy.deepcopy(tree) == tree
