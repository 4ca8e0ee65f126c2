"""Holds the records in memory, in the order that lists need.

Every change goes through `put` and `delete`: a store that keeps records over a restart is put
under these two. It must not know why a record changes, nor of the contents on disk.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from typing_extensions import assert_never

from runner.emulator.blob.core.records import (
    Blob,
    BlobKey,
    Block,
    BlockKey,
    Container,
    ContainerKey,
    Key,
    Record,
    Segment,
)

_NO_BLOCKS: Mapping[str, Block] = MappingProxyType({})


class _Shelf:
    """A container with its blobs and uncommitted blocks."""

    __slots__ = ("blobs", "blocks", "container", "names")

    def __init__(self, container: Container) -> None:
        self.container = container
        self.blobs: dict[str, Blob] = {}
        # Names sort by code point, which is the order of their UTF-8 bytes.
        self.names: list[str] = []
        self.blocks: dict[str, dict[str, Block]] = {}


class Catalogue:
    """The records of one account."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._container_names: list[str] = []

    def put(self, record: Record) -> None:
        """Adds or replaces a record; a blob or block needs its container."""
        match record:
            case Container():
                self._put_container(record)
            case Blob():
                shelf = self._shelves[record.key.container]
                if record.key.blob not in shelf.blobs:
                    insort(shelf.names, record.key.blob)
                shelf.blobs[record.key.blob] = record
            case Block():
                shelf = self._shelves[record.key.container]
                shelf.blocks.setdefault(record.key.blob, {})[record.key.block_id] = record
            case _:
                assert_never(record)

    def delete(self, key: Key) -> None:
        """Removes a record that is there; a container goes with all that it holds."""
        match key:
            case ContainerKey():
                del self._shelves[key.container]
                del self._container_names[bisect_left(self._container_names, key.container)]
            case BlobKey():
                shelf = self._shelves[key.container]
                del shelf.blobs[key.blob]
                del shelf.names[bisect_left(shelf.names, key.blob)]
            case BlockKey():
                blocks = self._shelves[key.container].blocks
                del blocks[key.blob][key.block_id]
                if not blocks[key.blob]:
                    del blocks[key.blob]
            case _:
                assert_never(key)

    def container(self, name: str) -> Container | None:
        """The container, if it is there."""
        shelf = self._shelves.get(name)
        return shelf.container if shelf else None

    def blob(self, container: str, name: str) -> Blob | None:
        """The committed blob, if it is there."""
        shelf = self._shelves.get(container)
        return shelf.blobs.get(name) if shelf else None

    def blocks(self, container: str, blob: str) -> Mapping[str, Block]:
        """The uncommitted blocks of a blob by id, in the order they were first uploaded."""
        shelf = self._shelves.get(container)
        return shelf.blocks.get(blob, _NO_BLOCKS) if shelf else _NO_BLOCKS

    def container_names(self) -> Sequence[str]:
        """The containers' names in order; not to be kept over a change."""
        return self._container_names

    def blob_names(self, container: str) -> Sequence[str]:
        """The names of a container's blobs in order; not to be kept over a change."""
        return self._shelves[container].names

    def contents(self, container: str) -> list[Segment]:
        """Every segment that the container's blobs and blocks refer to."""
        shelf = self._shelves[container]
        committed = [segment for blob in shelf.blobs.values() for segment in blob.segments]
        staged = [b.segment for blocks in shelf.blocks.values() for b in blocks.values()]
        return committed + staged

    def _put_container(self, record: Container) -> None:
        shelf = self._shelves.get(record.key.container)
        if shelf is None:
            self._shelves[record.key.container] = _Shelf(record)
            insort(self._container_names, record.key.container)
        else:
            shelf.container = record
