"""What has changed since a moment is found, however often it changed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from runner.emulator.batch.core.changes import ChangeIndex
from runner.emulator.batch.core.ids import Key

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def index(*changes: tuple[int, str]) -> ChangeIndex:
    made = ChangeIndex()
    for second, key in changes:
        made.add(at(second), Key(key))
    return made


def test_changes_are_found_by_their_time() -> None:
    changes = index((1, "a"), (2, "b"), (3, "c"))
    assert list(changes.since(at(2))) == ["b", "c"]
    assert changes.count_since(at(2)) == 2
    assert list(changes.since(None)) == ["a", "b", "c"]
    assert list(changes.since(at(4))) == []


def test_what_comes_late_is_put_in_order() -> None:
    changes = index((1, "a"), (5, "b"), (3, "c"), (3, "d"))
    assert list(changes.since(at(2))) == ["c", "d", "b"]
    assert list(changes.since(at(4))) == ["b"]


def test_what_changed_again_is_listed_twice_until_all_is_made_anew() -> None:
    changes = index((1, "a"), (2, "b"), (3, "a"))
    assert list(changes.since(None)) == ["a", "b", "a"]
    changes.renew([(at(3), Key("a")), (at(2), Key("b"))])
    assert list(changes.since(None)) == ["b", "a"]
    assert len(changes) == 2
