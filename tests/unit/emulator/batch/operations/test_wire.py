"""Times, numbers and ETags in the service's forms."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from runner.emulator.batch.operations.wire import (
    etag_of,
    format_full_moment,
    format_moment,
    parse_moment,
    parse_whole,
)


@pytest.mark.parametrize(
    ("microsecond", "text", "full"),
    [
        (0, "2022-09-06T23:44:11Z", "2022-09-06T23:44:11.0000000Z"),
        (515371, "2022-09-06T23:44:11.515371Z", "2022-09-06T23:44:11.5153710Z"),
        (500000, "2022-09-06T23:44:11.5Z", "2022-09-06T23:44:11.5000000Z"),
    ],
)
def test_moments(microsecond: int, text: str, full: str) -> None:
    moment = datetime(2022, 9, 6, 23, 44, 11, microsecond, tzinfo=timezone.utc)
    assert format_moment(moment) == text
    assert format_full_moment(moment) == full
    assert parse_moment(text) == moment
    assert parse_moment(full) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "today", "2022-13-01T00:00:00Z", "2022-01-01T25:00:00Z"),
        *("0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"),
        "\u0662022-01-01",
    ],
)
def test_what_is_no_moment(text: str) -> None:
    assert parse_moment(text) is None


def test_a_moment_may_have_a_zone_or_no_time() -> None:
    day = datetime(2022, 1, 2, tzinfo=timezone.utc)
    assert parse_moment("2022-01-02") == day
    assert parse_moment("2022-01-02T02:00:00+02:00") == day


def test_an_etag_is_the_moment_in_ticks() -> None:
    # On record: eTag 0x8DA9061B2F7BB2F, lastModified 2022-09-06T23:44:11.5153711Z.
    moment = datetime(2022, 9, 6, 23, 44, 11, 515371, tzinfo=timezone.utc)
    assert int(etag_of(moment), 16) == 0x8DA9061B2F7BB2F - 1


def test_the_ends_of_time_have_their_forms() -> None:
    first = parse_moment("0001-01-01T00:00:00Z")
    assert first is not None
    assert format_full_moment(first) == "0001-01-01T00:00:00.0000000Z"
    assert parse_moment("9999-12-31T23:59:59+10:00") == datetime(
        9999, 12, 31, 13, 59, 59, tzinfo=timezone.utc
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("7", 7), (" -07 ", -7), ("9" * 18, 10**18 - 1)),
        *((text, None) for text in ("", "1_0", "\u0661", "1.0", "9" * 5000)),
    ],
)
def test_whole_numbers_have_ascii_digits_alone(text: str, number: int | None) -> None:
    assert parse_whole(text) == number
