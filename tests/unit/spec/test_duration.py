"""Times in words of a spec."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.spec.duration import parse_duration, write_duration


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("0s", timedelta(0)),
        ("999999d999999h999999m999999s", timedelta(999999, 999999, 0, 0, 999999, 999999)),
    ],
)
def test_times(text: str, time: timedelta) -> None:
    assert parse_duration(text) == time


@pytest.mark.parametrize(
    "text", ["", "24", "1.5h", "h", "30 m", "30m1h", "-1h", "1000000s", "PT1H", "1H", "\u0661h"]
)
def test_other_text(text: str) -> None:
    with pytest.raises(ValueError, match="not a time such as"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "90s", "30m", "24h", "7d", "1h30m", "2d3h4m5s"])
def test_times_are_written_as_a_spec_has_them(text: str) -> None:
    assert parse_duration(write_duration(parse_duration(text))) == parse_duration(text)
    assert write_duration(timedelta(hours=25, minutes=30)) == "1d1h30m"
