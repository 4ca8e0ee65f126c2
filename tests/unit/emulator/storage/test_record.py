"""Records are made and copied as frozen dataclasses are."""

from __future__ import annotations

from dataclasses import fields

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
