"""How fast something goes, and when nothing honest can be said of it."""

from __future__ import annotations

import pytest

from runner.report.pace import Pace


def test_the_rate_is_of_the_window_alone() -> None:
    pace = Pace(window=10, least_seconds=2)
    for time in range(101):
        pace.note(time, 0 if time < 50 else (time - 50) * 3)
    assert pace.rate() == 3
    assert pace.seconds_left(30) == 10


@pytest.mark.parametrize("samples", [[], [(0, 0)], [(0, 0), (1, 500)]])
def test_too_short_a_time_says_nothing(samples: list[tuple[float, float]]) -> None:
    pace = Pace(window=10, least_seconds=2)
    for time, count in samples:
        pace.note(time, count)
    assert (pace.rate(), pace.seconds_left(5), pace.seconds_left(5, wave=3)) == (None, None, None)


def test_a_standstill_has_a_rate_and_no_end() -> None:
    pace = Pace(window=10, least_seconds=2)
    for time in range(60):
        pace.note(time, 7)
    assert (pace.rate(), pace.seconds_left(5)) == (0, None)


def test_what_comes_in_waves_is_told_from_whole_ones() -> None:
    """A hundred slots, ten minutes a task: the first hundred end together."""
    pace = Pace(window=60, least_seconds=2)
    pace.note(0, 0)
    pace.note(600, 50)
    assert pace.seconds_left(950, wave=100) is None
    pace.note(605, 100)
    assert pace.seconds_left(900, wave=100) == pytest.approx(900 / (100 / 605))
    pace.note(1200, 100)
    pace.note(1210, 200)
    assert pace.seconds_left(800, wave=100) == pytest.approx(800 / (200 / 1210))
    pace.note(1810, 300)
    assert pace.seconds_left(700, wave=100) == pytest.approx(700 / (200 / 1205))


def test_nothing_left_has_no_time_left() -> None:
    pace = Pace(window=10, least_seconds=2)
    pace.note(0, 0)
    pace.note(10, 10)
    assert pace.seconds_left(0) is None


def test_a_number_that_goes_back_begins_anew() -> None:
    pace = Pace(window=10, least_seconds=2)
    pace.note(0, 1_000)
    pace.note(5, 10)
    pace.note(10, 20)
    assert pace.rate() == 2


def test_it_keeps_few_samples_of_a_long_time() -> None:
    pace = Pace(window=60, least_seconds=2)
    for time in range(200_000):
        pace.note(time, time)
    assert pace.rate() == 1
    assert pace.seconds_left(100, wave=50_000) == 100
    assert len(pace) <= 400
