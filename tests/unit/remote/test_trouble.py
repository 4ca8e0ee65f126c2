"""How long we bear with a service, who is told, and what ends a wait before its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from runner.errors import DiskFullError, InterruptedRunError
from runner.remote.endurance import Endurance
from runner.remote.retrying import retry_after
from runner.remote.trouble import Failure, PatienceEndedError, Trouble
from tests.unit.remote.stub import Pauses

BUSY = Failure(words="503 ServerBusy")
SILENT = Failure(words="Connection refused", is_silence=True)
NOW = datetime(2025, 3, 28, 18, 0, tzinfo=timezone.utc)


def fail_until_the_end(trouble: Trouble, failure: Failure) -> PatienceEndedError:
    tries = trouble.begin()
    with pytest.raises(PatienceEndedError) as caught:
        while True:
            tries.fail(failure)
    return caught.value


def test_the_last_try_is_when_patience_ends(pauses: Pauses) -> None:
    trouble = Trouble("Azure Batch", pauses.endurance(limit=timedelta(seconds=10)))

    error = fail_until_the_end(trouble, BUSY)

    assert pauses.seconds == [0.8, 1.6, 3.2, pytest.approx(4.4)]
    assert (error.failure, error.since, error.lasted) == (BUSY, NOW, timedelta(seconds=10))
    assert pauses.told == []


def test_a_closed_connection_is_opened_again_at_once(pauses: Pauses) -> None:
    tries = Trouble("Azure Batch", pauses.endurance()).begin()

    tries.fail(SILENT)
    tries.fail(SILENT)

    assert pauses.seconds == [1.6]


def test_the_service_is_left_alone_as_long_as_it_asks_but_not_beyond_our_patience(
    pauses: Pauses,
) -> None:
    trouble = Trouble("Azure Batch", pauses.endurance(limit=timedelta(minutes=5)))

    fail_until_the_end(trouble, Failure(words="503", retry_after_seconds=200))

    assert pauses.seconds == [200, 100]
    assert pauses.told == ["Azure Batch has answered 503; trying until 18:05:00 UTC"]


def test_a_service_that_asks_for_no_time_is_not_asked_without_end(pauses: Pauses) -> None:
    trouble = Trouble("Azure Batch", pauses.endurance(limit=timedelta(seconds=10)))

    fail_until_the_end(trouble, Failure(words="503", retry_after_seconds=0))

    assert pauses.seconds == [1.6, 3.2, pytest.approx(5.2)]


def test_trouble_counts_from_the_first_failure_of_any_call(pauses: Pauses) -> None:
    trouble = Trouble("Azure Batch", pauses.endurance(limit=timedelta(minutes=10)))
    trouble.begin().fail(Failure(words="503", retry_after_seconds=590))

    error = fail_until_the_end(trouble, BUSY)

    assert sum(pauses.seconds) == pytest.approx(600)
    assert error.lasted == timedelta(minutes=10)


def test_an_answer_ends_the_trouble_of_the_service_but_not_that_of_a_call(pauses: Pauses) -> None:
    trouble = Trouble("Azure Batch", pauses.endurance(limit=timedelta(minutes=10)))
    poisoned = trouble.begin()
    poisoned.fail(Failure(words="500", retry_after_seconds=599))
    trouble.end()

    trouble.begin().fail(Failure(words="503", retry_after_seconds=1))
    with pytest.raises(PatienceEndedError):
        poisoned.fail(Failure(words="500"))

    assert sum(pauses.seconds) == 600


def test_people_are_told_once_and_when_it_is_over(pauses: Pauses) -> None:
    trouble = Trouble("Blob Storage", pauses.endurance())
    tries = [trouble.begin() for _ in range(3)]

    for _ in range(8):
        for each in tries:
            each.fail(SILENT)
    trouble.end()
    trouble.end()

    assert pauses.told == [
        "Blob Storage has been out of reach for 27s; trying until 18:15:00 UTC",
        "Blob Storage answers again after 5m29s",
    ]


def test_short_trouble_is_nobodys_business(pauses: Pauses) -> None:
    trouble = Trouble("Blob Storage", pauses.endurance())

    trouble.begin().fail(Failure(words="503", retry_after_seconds=29))
    trouble.end()

    assert pauses.told == []


def test_a_wish_to_stop_ends_a_wait(pauses: Pauses) -> None:
    endurance = pauses.endurance()
    endurance.pause = lambda seconds: endurance.stop.request()
    tries = Trouble("Azure Batch", endurance).begin()

    with pytest.raises(InterruptedRunError):
        tries.fail(BUSY)
    with pytest.raises(InterruptedRunError):
        tries.fail(BUSY)
    with pytest.raises(InterruptedRunError):
        endurance.wait(1)


def test_the_cleanup_of_who_wants_to_stop_has_little_patience(pauses: Pauses) -> None:
    endurance = pauses.endurance(hurried_seconds=15)
    trouble = Trouble("Azure Batch", endurance)
    trouble.begin().fail(Failure(words="503", retry_after_seconds=100))
    endurance.stop.request()
    endurance.stop.heed()

    fail_until_the_end(trouble, BUSY)
    assert sum(pauses.seconds) == pytest.approx(115)

    fail_until_the_end(trouble, BUSY)
    assert sum(pauses.seconds) == pytest.approx(115)


def test_a_dead_service_is_not_even_asked_where_somebody_waits_for_the_end(
    pauses: Pauses,
) -> None:
    endurance = pauses.endurance(hurried_seconds=15)
    trouble = Trouble("Azure Batch", endurance)
    trouble.check()
    trouble.begin().fail(Failure(words="503", retry_after_seconds=20))
    trouble.check()
    endurance.stop.request()
    endurance.stop.heed()
    trouble.check()
    fail_until_the_end(trouble, SILENT)

    with pytest.raises(PatienceEndedError) as caught:
        trouble.check()
    assert caught.value.failure == SILENT
    assert caught.value.lasted == timedelta(seconds=35)

    trouble.end()
    trouble.check()


def test_the_cleanup_of_a_run_that_has_ended_has_as_much_as_the_run(pauses: Pauses) -> None:
    endurance = pauses.endurance()
    endurance.stop.heed()

    fail_until_the_end(Trouble("Azure Batch", endurance), BUSY)

    assert sum(pauses.seconds) == pytest.approx(900)


def test_nothing_is_waited_for_that_is_gone_for_good(pauses: Pauses) -> None:
    endurance = pauses.endurance()
    endurance.ended = lambda: True

    error = fail_until_the_end(Trouble("Azure Batch", endurance), SILENT)

    assert pauses.seconds == []
    assert error.lasted == timedelta()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"x-ms-retry-after-ms": "2500"}, 2.5),
        ({"Retry-After": "Fri, 28 Mar 2025 18:01:30 GMT"}, 90),
        ({"Retry-After": "Fri, 28 Mar 2025 17:00:00 GMT"}, 0),
        # By the service's own clock, where ours differs.
        (
            {
                "Retry-After": "Fri, 28 Mar 2025 19:01:30 GMT",
                "Date": "Fri, 28 Mar 2025 19:01:00 GMT",
            },
            30,
        ),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": ""}, None),
    ],
)
def test_a_service_says_when_in_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(("share", "seconds"), [(0.0, 0.4), (0.5, 0.8), (1.0, pytest.approx(1.2))])
def test_many_clients_do_not_come_back_at_one_time(share: float, seconds: Any) -> None:
    waited: list[float] = []
    pause: Callable[[float], None] = waited.append
    endurance = Endurance(
        clock=lambda: NOW, monotonic=lambda: 0.0, pause=pause, jitter=lambda: share
    )

    Trouble("Azure Batch", endurance).begin().fail(BUSY)

    assert waited == [seconds]


def refuse_for_want_of_room() -> None:
    raise DiskFullError("no room")


def test_no_patience_makes_room_on_a_full_disk(pauses: Pauses) -> None:
    endurance = pauses.endurance()
    endurance.check_room = refuse_for_want_of_room

    with pytest.raises(DiskFullError) as caught:
        Trouble("Azure Batch", endurance).begin().fail(BUSY)

    assert caught.value.message == "no room"
    assert pauses.seconds == []


def test_silence_is_no_sign_of_a_full_disk(pauses: Pauses) -> None:
    endurance = pauses.endurance(limit=timedelta(seconds=10))
    endurance.check_room = refuse_for_want_of_room

    assert fail_until_the_end(Trouble("Azure Batch", endurance), SILENT).failure == SILENT
