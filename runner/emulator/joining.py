"""Joins nodes and storage: what nodes want of this emulator's own accounts goes without HTTP.

Faults that strike requests, and records of these, need requests to work on: then all goes by HTTP.
So does what is refused, which nodes report as HTTP tells it. It must not know what the files are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from runner.emulator.batch.node import near
from runner.emulator.blob.core.refusals import RefusedError
from runner.emulator.blob.direct import Direct, Held
from runner.emulator.blob.direct import Incoming as Putting


class OwnStorage:
    """Implements what nodes call `NearStorage`."""

    def __init__(self, direct: Direct, *, wants_requests: Callable[[], bool]) -> None:
        """While `wants_requests`, it has nothing."""
        self._direct = direct
        self._wants_requests = wants_requests

    def serves(self, url: str) -> bool:
        """Whether it may have what is at that URL; from any thread."""
        return not self._wants_requests() and self._direct.serves(url)

    def hold(self, url: str) -> Held | None:
        """The content of a blob, if it may be read."""
        try:
            return None if self._wants_requests() else self._direct.hold(url)
        except RefusedError:
            return None

    def list_names(self, container_url: str, prefix: str) -> Sequence[str] | None:
        """The names of a container's blobs that begin so, if it may be listed."""
        try:
            if self._wants_requests():
                return None
            return self._direct.list_names(container_url, prefix)
        except RefusedError:
            return None

    def begin(self, url: str, headers: Mapping[str, str], size_bytes: int) -> near.Incoming | None:
        """A place for a content, if it may be put."""
        try:
            if self._wants_requests():
                return None
            putting = self._direct.begin(url, headers, size_bytes)
        except (RefusedError, OSError):
            return None
        if putting is None:
            return None
        return near.Incoming(
            path=putting.path,
            offset=putting.offset,
            commit=partial(self._commit, putting),
            drop=partial(self._direct.drop, putting),
        )

    def put(self, url: str, headers: Mapping[str, str], content: bytes, md5: bytes) -> bool:
        """Whether a content was taken."""
        try:
            return not self._wants_requests() and self._direct.put(url, headers, content, md5)
        except (RefusedError, OSError):
            return False

    def write_out(self) -> bool:
        """Writes all that was read or put; whether it is on disk."""
        return self._direct.write_out()

    def _commit(self, putting: Putting, md5: bytes) -> bool:
        try:
            self._direct.commit(putting, md5)
        except RefusedError:
            return False
        return True
