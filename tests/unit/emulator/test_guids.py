"""GUIDs are those that the standard library makes."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from runner.emulator.guids import make_guid


def test_a_guid_is_random_and_has_its_usual_form() -> None:
    made = {make_guid() for _ in range(100)}
    assert len(made) == 100
    for each in made:
        assert str(UUID(each)) == each
        assert (UUID(each).version, UUID(each).variant) == (4, RFC_4122)
