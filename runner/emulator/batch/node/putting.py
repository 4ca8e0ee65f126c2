"""The outputs of one task for storage that is near: gathered, and put there together.

It must not know which files match, nor what is told of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.near import (
    SMALL_BYTES,
    Incoming,
    Nearby,
    digest,
    write_incoming,
)
from runner.emulator.batch.node.uploads import read_open, read_pieces

_MOST_BYTES = 8 * 1024 * 1024
_MOST = 256


class Target(NamedTuple):
    """A file of an entry, what its blob is called, and how that is to be put."""

    entry: int
    parts: tuple[str, ...]
    name: str
    url: str
    headers: Mapping[str, str]


class Gathered(NamedTuple):
    """A file that is to be put: its content, or where that was written."""

    target: Target
    content: bytes
    incoming: Incoming | None
    md5: bytes
    told: str
    """The line of the log which says that it was sent."""


class Putting:
    """`gather` is called by a thread, `commit` and `drop` on the loop, one at a time."""

    def __init__(self, nearby: Nearby, *, largest_bytes: int, interruption: Interruption) -> None:
        """Larger files go by HTTP."""
        self._nearby = nearby
        self._largest_bytes = largest_bytes
        self._interruption = interruption
        self._gathered: list[Gathered] = []
        self._bytes = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to put."""
        return not self._gathered

    @property
    def is_full(self) -> bool:
        """Whether what was gathered should not be kept until the end."""
        return self._bytes >= _MOST_BYTES or len(self._gathered) >= _MOST

    def serves(self, url: str) -> bool:
        """Whether that is near."""
        return self._nearby.storage.serves(url)

    def read(self, target: Target, descriptor: int, size_bytes: int) -> Gathered | None:
        """Reads a small file; writes a larger one to where it will stay. None: it goes by HTTP.

        Raises `TransferError`, `OSError`, `InterruptedRunError`.
        """
        if size_bytes <= SMALL_BYTES:
            content = read_open(descriptor, size_bytes)
            return Gathered(target, content, None, digest(content), "")
        if size_bytes > self._largest_bytes:
            return None
        begin = partial(self._nearby.storage.begin, target.url, target.headers, size_bytes)
        incoming = self._nearby.on_loop(begin)
        if incoming is None:
            return None
        try:
            pieces = read_pieces(descriptor, size_bytes, self._interruption)
            return Gathered(target, b"", incoming, write_incoming(incoming, pieces), "")
        except BaseException:
            self._nearby.on_loop(incoming.drop)
            raise

    def add(self, gathered: Gathered) -> None:
        """Has a file put at the next `commit`."""
        self._gathered.append(gathered)
        self._bytes += len(gathered.content)

    def commit_soon(self) -> bool:
        """As `commit`, for threads, which wait for it."""
        return self._nearby.on_loop(self.commit)

    def commit(self) -> bool:
        """Puts all in their order; whether nothing is left for HTTP (`take_left`).

        The first of an entry that is not taken stops the entry, as a failure does.
        """
        storage = self._nearby.storage
        left: list[Gathered] = []
        # Taken first: what was put must never be dropped, whatever goes wrong with the next.
        for each in self.take_left():
            if left and left[-1].target.entry == each.target.entry:
                if each.incoming is not None:
                    each.incoming.drop()
                taken = False
            elif each.incoming is not None:
                taken = each.incoming.commit(each.md5)
            else:
                taken = storage.put(each.target.url, each.target.headers, each.content, each.md5)
            if not taken:
                # Its content is read again if it is sent.
                left.append(each._replace(content=b"", incoming=None))
        self._gathered = left
        return not left

    def take_left(self) -> list[Gathered]:
        """What was not put, and is not going to be."""
        left, self._gathered, self._bytes = self._gathered, [], 0
        return left

    def drop(self) -> None:
        """What was gathered will not be put."""
        for each in self.take_left():
            if each.incoming is not None:
                each.incoming.drop()
