"""The state of one storage account: its records, its contents, and its sources of ETags.

It must not know what an operation does with them.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta, timezone

from runner.emulator.blob.core.catalogue import Catalogue
from runner.emulator.blob.core.contents import Contents
from runner.emulator.storage.record import record

_YEAR_ONE = datetime(1, 1, 1, tzinfo=timezone.utc)
_TICK = timedelta(microseconds=1)


class EtagSource:
    """Makes ETags in the service's form, `0x` and the time in .NET ticks; none comes twice."""

    def __init__(self) -> None:
        self._last = 0

    def resume(self, etag: str) -> None:
        """Has no ETag come again that was given before this process."""
        self._last = max(self._last, int(etag, 16))

    def next(self, now: datetime) -> str:
        """The next ETag, without quotes."""
        ticks = (now - _YEAR_ONE) // _TICK * 10
        self._last = max(ticks, self._last + 1)
        return f"0x{self._last:X}"


@record(frozen=True, slots=True, kw_only=True)
class State:
    """All that the transitions work on."""

    catalogue: Catalogue
    contents: Contents
    container_delete_delay: timedelta
    """For how long the name of a deleted container cannot be used again."""
    rehydration_delay: timedelta = timedelta(0)
    """How long a blob takes on its way out of the archive."""
    etags: EtagSource = field(default_factory=EtagSource)
    deletions: dict[str, datetime] = field(default_factory=dict)
    """When each container that is being deleted will be gone."""
