"""Durations in the service's form."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.emulator.batch.core.durations import (
    UNLIMITED,
    format_duration,
    limit_of,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("PT30M", "PT30M"),
        ("PT90M", "PT1H30M"),
        ("PT3600S", "PT1H"),
        ("P1D", "P1D"),
        ("P1DT1.5S", "P1DT1.5S"),
        ("PT0S", "PT0S"),
        ("-PT5S", "-PT5S"),
        (UNLIMITED, UNLIMITED),
    ],
)
def test_durations(text: str, written: str) -> None:
    length = parse_duration(text)
    assert length is not None
    assert format_duration(length) == written


@pytest.mark.parametrize("text", ["", "P", "PT", "1h", "P1Y", "PT1M1H", "P1DT", "P9999999999999D"])
def test_what_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


def test_a_limit_beyond_centuries_is_none() -> None:
    assert limit_of(UNLIMITED) is None
    assert limit_of("P1000000D") is None
    assert limit_of("P2D") == timedelta(days=2)


@pytest.mark.parametrize("text", [f"P{'9' * 5000}D", f"PT{'9' * 18}S", "P\u0661D", "P1_0D"])
def test_no_duration_is_too_long_to_refuse(text: str) -> None:
    assert parse_duration(text) is None
