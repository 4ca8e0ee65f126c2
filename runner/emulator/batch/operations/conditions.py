"""Conditional requests: `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-Unmodified-Since`.

It must not know what the request does if its condition holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.wire import etag_of

_HEADERS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


def check_read(headers: Mapping[str, str], modified: datetime) -> None:
    """Raises `RefusedError` with 304 where the condition does not hold."""
    if not _holds(headers, modified):
        raise RefusedError(Reason.CONDITION_NOT_MET_READ)


def check_write(headers: Mapping[str, str], modified: datetime) -> None:
    """Raises `RefusedError` with 412 where the condition does not hold."""
    if not _holds(headers, modified):
        raise RefusedError(Reason.CONDITION_NOT_MET_WRITE)


def _holds(headers: Mapping[str, str], modified: datetime) -> bool:
    given = [name for name in _HEADERS if headers.get(name)]
    if not given:
        return True
    if len(given) > 1:
        raise RefusedError(Reason.CONDITIONS_CONFLICT)
    name, value = given[0], headers[given[0]]
    if name in ("if-match", "if-none-match"):
        # The service writes ETags without quotes, azure-batch 15.1 sends them with quotes.
        wanted = {part.strip().removeprefix("W/").strip('"') for part in value.split(",")}
        found = "*" in wanted or etag_of(modified) in wanted
        return found if name == "if-match" else not found
    moment = _parse_date(name, value)
    later = modified.replace(microsecond=0) > moment
    return later if name == "if-modified-since" else not later


def _parse_date(name: str, value: str) -> datetime:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        raise RefusedError(
            Reason.HEADER_INVALID, ("HeaderName", name), ("HeaderValue", value)
        ) from None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment
