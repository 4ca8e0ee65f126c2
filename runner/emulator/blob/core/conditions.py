"""Decides whether the conditions of a request hold for a resource as it is.

Source: "Specifying conditional headers for Blob service operations". It must not know which
operation asks, beyond whether it reads or writes.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.blob.core.records import Metadata
from runner.emulator.blob.core.refusals import (
    BLOB_ALREADY_EXISTS,
    CONDITION_NOT_MET,
    MULTIPLE_CONDITION_HEADERS,
    UNSATISFIABLE_CONDITION,
    Refusal,
    RefusedError,
)
from runner.emulator.blob.core.tagqueries import Condition, holds
from runner.emulator.storage.record import record

NOT_MODIFIED = Refusal(status=304, code=CONDITION_NOT_MET.code, message=CONDITION_NOT_MET.message)


@record(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditional headers; ETags without quotes, `*` for any."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None
    if_tags: Condition | None = None
    lease_id: str | None = None
    """Not a condition of its own: `leases` says what it has to be."""


NO_CONDITIONS = Conditions()


def check_read(conditions: Conditions, etag: str, modified: datetime, tags: Metadata = ()) -> None:
    """Raises `RefusedError` (304 or 412) unless the resource may be read."""
    if conditions is NO_CONDITIONS:
        return
    if conditions.if_none_match == "*":
        raise RefusedError(UNSATISFIABLE_CONDITION)
    _check_match(conditions, etag, tags)
    _check_unchanged(conditions, modified)
    if conditions.if_none_match is None and conditions.if_modified_since is None:
        return
    # Of these two one is enough.
    is_other = conditions.if_none_match not in (None, etag)
    if not is_other and not _is_newer(conditions, modified):
        raise RefusedError(NOT_MODIFIED)


def check_write(
    conditions: Conditions,
    etag: str | None,
    modified: datetime | None,
    tags: Metadata = (),
) -> None:
    """Raises `RefusedError` (412) unless the resource may be changed; None: it is not there."""
    if conditions is NO_CONDITIONS:
        return
    _check_combination(conditions)
    if etag is None or modified is None:
        if conditions.if_match is not None or conditions.if_tags is not None:
            raise RefusedError(CONDITION_NOT_MET)
        return
    _check_match(conditions, etag, tags)
    # Dates are not looked at beside ETags.
    if conditions.if_none_match is not None:
        if conditions.if_none_match in ("*", etag):
            raise RefusedError(CONDITION_NOT_MET)
    elif conditions.if_match is None:
        _check_unchanged(conditions, modified)
        if conditions.if_modified_since is not None and not _is_newer(conditions, modified):
            raise RefusedError(CONDITION_NOT_MET)


def check_replace(
    conditions: Conditions,
    etag: str | None,
    modified: datetime | None,
    tags: Metadata = (),
) -> None:
    """As `check_write`; `If-None-Match: *` on what is there is 409 for a blob's new content."""
    if etag is not None and conditions.if_none_match == "*":
        raise RefusedError(BLOB_ALREADY_EXISTS)
    check_write(conditions, etag, modified, tags)


def _check_combination(conditions: Conditions) -> None:
    # Writes know two pairs: If-Match with If-Unmodified-Since, If-None-Match with
    # If-Modified-Since.
    expected = conditions.if_match is not None or conditions.if_unmodified_since is not None
    changed = conditions.if_none_match is not None or conditions.if_modified_since is not None
    if expected and changed:
        raise RefusedError(MULTIPLE_CONDITION_HEADERS)


def _check_unchanged(conditions: Conditions, modified: datetime) -> None:
    since = conditions.if_unmodified_since
    if since is not None and modified.replace(microsecond=0) > since:
        raise RefusedError(CONDITION_NOT_MET)


def _check_match(conditions: Conditions, etag: str, tags: Metadata) -> None:
    if conditions.if_match not in (None, "*", etag):
        raise RefusedError(CONDITION_NOT_MET)
    if conditions.if_tags is not None and not holds(conditions.if_tags, dict(tags)):
        raise RefusedError(CONDITION_NOT_MET)


def _is_newer(conditions: Conditions, modified: datetime) -> bool:
    since = conditions.if_modified_since
    return since is not None and modified.replace(microsecond=0) > since
