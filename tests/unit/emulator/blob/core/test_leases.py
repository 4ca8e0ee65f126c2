"""The state machine of leases, by the table of "Lease Blob"."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from runner.emulator.blob.core.leases import (
    Acquire,
    Break,
    Change,
    LeaseAction,
    Leased,
    LeaseState,
    Release,
    Renew,
    apply_action,
    check_read,
    check_write,
    find_seconds_left,
    find_state,
)
from runner.emulator.blob.core.records import Lease
from runner.emulator.blob.core.refusals import RefusedError

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
A, B, C = "a", "b", "c"


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def apply(lease: Lease | None, action: LeaseAction, now: datetime = NOW) -> str:
    """The state and the id after the action, or the code of its refusal."""
    try:
        changed = apply_action(lease, action, Leased.BLOB, now)
    except RefusedError as error:
        return error.refusal.code
    return f"{find_state(changed, now).value} {changed.lease_id if changed else ''}".strip()


LEASED = Lease(lease_id=A, duration_seconds=15, expires=after(15))
ENDLESS = Lease(lease_id=A, duration_seconds=None, expires=None)
BREAKING = Lease(lease_id=A, duration_seconds=15, expires=after(15), breaks=after(10))
BROKEN = Lease(lease_id=A, duration_seconds=15, expires=after(15), breaks=NOW)
EXPIRED = Lease(lease_id=A, duration_seconds=15, expires=NOW)
STATES = (None, LEASED, BREAKING, BROKEN, EXPIRED)

PRESENT, MISMATCH = "LeaseAlreadyPresent", "LeaseIdMismatchWithLeaseOperation"
ABSENT, UNRENEWABLE = "LeaseNotPresentWithLeaseOperation", "LeaseIsBrokenAndCannotBeRenewed"
UNCHANGEABLE = "LeaseIsBreakingAndCannotBeChanged"


@pytest.mark.parametrize(
    ("action", "outcomes"),
    [
        (
            Acquire(lease_id=A, duration_seconds=15),
            ["leased a", "leased a", "LeaseIsBreakingAndCannotBeAcquired", "leased a", "leased a"],
        ),
        (
            Acquire(lease_id=B, duration_seconds=None),
            ["leased b", PRESENT, PRESENT, "leased b", "leased b"],
        ),
        (Renew(lease_id=A), [MISMATCH, "leased a", UNRENEWABLE, UNRENEWABLE, "leased a"]),
        (Renew(lease_id=B), [MISMATCH] * 5),
        (Change(lease_id=A, proposed_id=B), [ABSENT, "leased b", UNCHANGEABLE, ABSENT, ABSENT]),
        (Change(lease_id=B, proposed_id=A), [ABSENT, "leased a", UNCHANGEABLE, ABSENT, ABSENT]),
        (Change(lease_id=B, proposed_id=C), [ABSENT, MISMATCH, MISMATCH, ABSENT, ABSENT]),
        (Release(lease_id=A), [MISMATCH, *["available"] * 4]),
        (Release(lease_id=B), [MISMATCH] * 5),
        (Break(period_seconds=0), [ABSENT, *["broken a"] * 4]),
        (Break(period_seconds=5), [ABSENT, "breaking a", "breaking a", "broken a", "broken a"]),
        (Break(period_seconds=None), [ABSENT, "breaking a", "breaking a", "broken a", "broken a"]),
    ],
)
def test_outcomes_by_state(action: LeaseAction, outcomes: list[str]) -> None:
    assert [apply(lease, action) for lease in STATES] == outcomes


@pytest.mark.parametrize(
    ("lease", "period", "seconds"),
    [
        (LEASED, None, 15),
        (LEASED, 5, 5),
        (LEASED, 60, 15),
        (ENDLESS, None, 0),
        (ENDLESS, 60, 60),
        (BREAKING, None, 10),
        (BREAKING, 5, 5),
        (BREAKING, 60, 10),
    ],
)
def test_how_long_a_breaking_lease_holds(lease: Lease, period: int | None, seconds: int) -> None:
    broken = apply_action(lease, Break(period_seconds=period), Leased.BLOB, NOW)

    assert find_seconds_left(broken, NOW) == seconds
    assert find_state(broken, after(seconds)) is LeaseState.BROKEN


def test_a_lease_ends_with_its_time_and_may_be_renewed() -> None:
    assert find_state(LEASED, after(14.9)) is LeaseState.LEASED
    assert find_state(LEASED, after(15)) is LeaseState.EXPIRED
    renewed = apply_action(LEASED, Renew(lease_id=A), Leased.BLOB, after(20))
    assert find_state(renewed, after(34.9)) is LeaseState.LEASED
    assert find_state(ENDLESS, after(10**6)) is LeaseState.LEASED


@pytest.mark.parametrize(
    ("lease", "given", "reading", "writing"),
    [
        (None, None, None, None),
        (None, A, "LeaseNotPresentWithBlobOperation", "LeaseNotPresentWithBlobOperation"),
        (LEASED, None, None, "LeaseIdMissing"),
        (LEASED, A, None, None),
        (LEASED, B, "LeaseIdMismatchWithBlobOperation", "LeaseIdMismatchWithBlobOperation"),
        (BREAKING, None, None, "LeaseIdMissing"),
        (BREAKING, A, None, None),
        (BROKEN, None, None, None),
        (BROKEN, A, "LeaseNotPresentWithBlobOperation", "LeaseNotPresentWithBlobOperation"),
        (EXPIRED, None, None, None),
        (EXPIRED, A, "LeaseLost", "LeaseLost"),
        (EXPIRED, B, "LeaseNotPresentWithBlobOperation", "LeaseNotPresentWithBlobOperation"),
    ],
)
def test_what_a_lease_keeps_from_happening(
    lease: Lease | None, given: str | None, reading: str | None, writing: str | None
) -> None:
    for check, expected in ((check_read, reading), (check_write, writing)):
        if expected is None:
            check(lease, given, Leased.BLOB, NOW)
        else:
            with pytest.raises(RefusedError) as refused:
                check(lease, given, Leased.BLOB, NOW)
            assert refused.value.refusal.code == expected
