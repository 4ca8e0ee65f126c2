"""What a filter of tasks says of their states, for who looks for them by the time of that."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from runner.emulator.batch.operations.filters.bounds import Bounds, find_bounds
from runner.emulator.batch.operations.filters.parse import parse_filter

FIRST = datetime(2026, 1, 2, tzinfo=timezone.utc)
SECOND = datetime(2026, 1, 3, tzinfo=timezone.utc)
SINCE = "stateTransitionTime ge DateTime'2026-01-02T00:00:00Z'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state ne 'active'", Bounds(since=None, moved=True)),
        ("state eq 'Completed'", Bounds(since=None, moved=True)),
        (f"state ne 'Active' and {SINCE}", Bounds(since=FIRST, moved=True)),
        (f"{SINCE} and state eq 'running' and id gt 'a'", Bounds(since=FIRST, moved=True)),
        (SINCE, Bounds(since=FIRST, moved=False)),
        (f"state eq 'active' and {SINCE}", Bounds(since=FIRST, moved=False)),
        (f"state ne 'completed' and {SINCE}", Bounds(since=FIRST, moved=False)),
        (
            f"{SINCE} and stateTransitionTime gt DateTime'2026-01-03T00:00:00Z'",
            Bounds(since=SECOND, moved=False),
        ),
        ("stateTransitionTime le DateTime'2026-01-02T00:00:00Z'", None),
        ("state eq 'active'", None),
        ("id eq 'a'", None),
        (f"state ne 'active' or {SINCE}", None),
    ],
)
def test_bounds_of_a_filter(text: str, expected: Bounds | None) -> None:
    assert find_bounds(parse_filter(text)) == expected


def test_what_either_of_two_may_fit_bounds_nothing_within_a_conjunction() -> None:
    text = f"(state ne 'active' or id eq 'a') and {SINCE}"
    assert find_bounds(parse_filter(text)) == Bounds(since=FIRST, moved=False)
