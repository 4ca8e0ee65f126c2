"""How leases begin, go on and end, and what they keep others from doing.

Source: "Lease Blob" and "Lease Container", the tables of outcomes by lease state. It must not know
which record carries a lease, nor how a request names one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from runner.emulator.blob.core.records import Lease
from runner.emulator.blob.core.refusals import (
    LEASE_ALREADY_PRESENT,
    LEASE_BREAKING_ACQUIRED,
    LEASE_BREAKING_CHANGED,
    LEASE_BROKEN_RENEWED,
    LEASE_ID_MISMATCH_WITH_BLOB_OPERATION,
    LEASE_ID_MISMATCH_WITH_CONTAINER_OPERATION,
    LEASE_ID_MISMATCH_WITH_LEASE_OPERATION,
    LEASE_ID_MISSING,
    LEASE_LOST,
    LEASE_NOT_PRESENT_WITH_BLOB_OPERATION,
    LEASE_NOT_PRESENT_WITH_CONTAINER_OPERATION,
    LEASE_NOT_PRESENT_WITH_LEASE_OPERATION,
    Refusal,
    RefusedError,
)
from runner.emulator.never import unforeseen
from runner.emulator.storage.record import record


class LeaseState(Enum):
    """The states of the table, as headers and lists give them."""

    AVAILABLE = "available"
    LEASED = "leased"
    EXPIRED = "expired"
    BREAKING = "breaking"
    BROKEN = "broken"


class Leased(Enum):
    """What is leased, as messages call it."""

    BLOB = "blob"
    CONTAINER = "container"


@record(frozen=True, slots=True, kw_only=True)
class Acquire:
    """Begin a lease; `duration_seconds` None: infinite."""

    lease_id: str
    duration_seconds: int | None


@record(frozen=True, slots=True, kw_only=True)
class Renew:
    """Begin its time anew."""

    lease_id: str


@record(frozen=True, slots=True, kw_only=True)
class Change:
    """Give it another id."""

    lease_id: str
    proposed_id: str


@record(frozen=True, slots=True, kw_only=True)
class Release:
    """End it."""

    lease_id: str


@record(frozen=True, slots=True, kw_only=True)
class Break:
    """Let it end, at the latest after `period_seconds`; None: when its time is over."""

    period_seconds: int | None


LeaseAction = Acquire | Renew | Change | Release | Break


def find_state(lease: Lease | None, now: datetime) -> LeaseState:
    """What has become of a lease by now."""
    if lease is None:
        return LeaseState.AVAILABLE
    if lease.breaks is not None:
        return LeaseState.BREAKING if now < lease.breaks else LeaseState.BROKEN
    if lease.expires is not None and now >= lease.expires:
        return LeaseState.EXPIRED
    return LeaseState.LEASED


def is_locked(lease: Lease | None, now: datetime) -> bool:
    """Whether changes need the lease's id."""
    return find_state(lease, now) in (LeaseState.LEASED, LeaseState.BREAKING)


def apply_action(
    lease: Lease | None, action: LeaseAction, leased: Leased, now: datetime
) -> Lease | None:
    """The lease after the action; raises `RefusedError` (409) where the table says so."""
    match action:
        case Acquire():
            return _acquire(lease, action, now)
        case Renew():
            return _renew(lease, action, leased, now)
        case Change():
            return _change(lease, action, leased, now)
        case Release():
            if lease is None or lease.lease_id != action.lease_id:
                raise _refuse(LEASE_ID_MISMATCH_WITH_LEASE_OPERATION, leased)
            return None
        case Break():
            return _break(lease, action, leased, now)
        case _:
            raise unforeseen(action)


def find_seconds_left(lease: Lease | None, now: datetime) -> int:
    """For how long a breaking lease still holds, in whole seconds."""
    if lease is None or lease.breaks is None or now >= lease.breaks:
        return 0
    return -(-(lease.breaks - now) // timedelta(seconds=1))


def check_read(lease: Lease | None, given: str | None, leased: Leased, now: datetime) -> None:
    """Refuses (412) a lease id that is not the one that holds; reading needs none."""
    if given is not None:
        _check_given(lease, given, leased, now)


def check_write(lease: Lease | None, given: str | None, leased: Leased, now: datetime) -> None:
    """Refuses (412) a change without the id of the lease that holds, or with another."""
    if given is not None:
        _check_given(lease, given, leased, now)
    elif lease is not None and is_locked(lease, now):
        raise _refuse(LEASE_ID_MISSING, leased)


def after_write(lease: Lease | None, now: datetime) -> Lease | None:
    """The lease after a change: one that has run out cannot be renewed any more."""
    return lease if lease is None or is_locked(lease, now) else None


def _check_given(lease: Lease | None, given: str, leased: Leased, now: datetime) -> None:
    is_blob = leased is Leased.BLOB
    if lease is None or not is_locked(lease, now):
        # Seen of the service for one that ran out, and not for one that was broken.
        if lease and given == lease.lease_id and find_state(lease, now) is LeaseState.EXPIRED:
            raise _refuse(LEASE_LOST, leased)
        raise RefusedError(
            LEASE_NOT_PRESENT_WITH_BLOB_OPERATION
            if is_blob
            else LEASE_NOT_PRESENT_WITH_CONTAINER_OPERATION
        )
    if given != lease.lease_id:
        raise RefusedError(
            LEASE_ID_MISMATCH_WITH_BLOB_OPERATION
            if is_blob
            else LEASE_ID_MISMATCH_WITH_CONTAINER_OPERATION
        )


def _acquire(lease: Lease | None, action: Acquire, now: datetime) -> Lease:
    state = find_state(lease, now)
    if lease is not None and state in (LeaseState.LEASED, LeaseState.BREAKING):
        if lease.lease_id != action.lease_id:
            raise RefusedError(LEASE_ALREADY_PRESENT)
        if state is LeaseState.BREAKING:
            raise RefusedError(LEASE_BREAKING_ACQUIRED)
    seconds = action.duration_seconds
    return Lease(
        lease_id=action.lease_id,
        duration_seconds=seconds,
        expires=None if seconds is None else now + timedelta(seconds=seconds),
    )


def _renew(lease: Lease | None, action: Renew, leased: Leased, now: datetime) -> Lease:
    if lease is None or lease.lease_id != action.lease_id:
        raise _refuse(LEASE_ID_MISMATCH_WITH_LEASE_OPERATION, leased)
    if lease.breaks is not None:
        raise RefusedError(LEASE_BROKEN_RENEWED)
    seconds = lease.duration_seconds
    return replace(lease, expires=None if seconds is None else now + timedelta(seconds=seconds))


def _change(lease: Lease | None, action: Change, leased: Leased, now: datetime) -> Lease:
    state = find_state(lease, now)
    if lease is None or state in (LeaseState.EXPIRED, LeaseState.BROKEN):
        raise _refuse(LEASE_NOT_PRESENT_WITH_LEASE_OPERATION, leased)
    if lease.lease_id not in (action.lease_id, action.proposed_id):
        raise _refuse(LEASE_ID_MISMATCH_WITH_LEASE_OPERATION, leased)
    if state is LeaseState.BREAKING:
        raise RefusedError(LEASE_BREAKING_CHANGED)
    return replace(lease, lease_id=action.proposed_id)


def _break(lease: Lease | None, action: Break, leased: Leased, now: datetime) -> Lease:
    if lease is None:
        raise _refuse(LEASE_NOT_PRESENT_WITH_LEASE_OPERATION, leased)
    state = find_state(lease, now)
    if state is LeaseState.BROKEN:
        return lease
    if state is LeaseState.EXPIRED:
        return replace(lease, breaks=now)
    period = action.period_seconds
    # At the latest when it would have ended anyway, and never later than somebody asked before.
    ends = [moment for moment in (lease.breaks, lease.expires) if moment is not None]
    if period is not None:
        ends.append(now + timedelta(seconds=period))
    return replace(lease, breaks=min(ends, default=now))


def _refuse(refusal: Refusal, leased: Leased) -> RefusedError:
    return RefusedError(refusal, message=refusal.message.format(leased.value))
