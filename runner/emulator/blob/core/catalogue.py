"""Holds the records in memory, in the order that lists need.

Every change goes through `put` and `delete`, and with a journal from there to disk. It must not
know why a record changes, nor of the contents on disk.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from runner.emulator.blob.core.kinds import KINDS, address_of, kind_of
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
    Settings,
    SettingsKey,
)
from runner.emulator.never import unforeseen
from runner.emulator.storage.journal import Journal

_NO_BLOCKS: Mapping[str, Block] = MappingProxyType({})
_NO_SNAPSHOTS: Mapping[str, Blob] = MappingProxyType({})

_Item = TypeVar("_Item", Blob, Block)


class _Shelf:
    """A container with its blobs and uncommitted blocks."""

    __slots__ = ("blobs", "blocks", "container", "names", "snapshots")

    def __init__(self, container: Container) -> None:
        self.container = container
        self.blobs: dict[str, Blob] = {}
        # Names sort by code point, which is the order of their UTF-8 bytes.
        self.names: list[str] = []
        self.blocks: dict[str, dict[str, Block]] = {}
        # By the blob's name and then by the time of the snapshot, the oldest first.
        self.snapshots: dict[str, dict[str, Blob]] = {}


class Catalogue:
    """The records of one account."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._container_names: list[str] = []
        self._settings: Settings | None = None
        self._journal: Journal | None = None
        self.revision = 0
        """Another after every change: who has seen all of one needs to look again only then."""

    def keep(self, journal: Journal) -> None:
        """From now on every change goes to the journal too."""
        self._journal = journal

    def put(self, record: Record) -> None:
        """Adds or replaces a record; a blob or block needs its container."""
        self.revision += 1
        match record:
            case Blob() if record.key.snapshot:
                snapshots = self._shelves[record.key.container].snapshots
                snapshots.setdefault(record.key.blob, {})[record.key.snapshot] = record
            case Blob():
                shelf = self._shelves[record.key.container]
                name = record.key.blob
                if name not in shelf.blobs:
                    insort(shelf.names, name)
                shelf.blobs[name] = record
            case Block():
                shelf = self._shelves[record.key.container]
                shelf.blocks.setdefault(record.key.blob, {})[record.key.block_id] = record
            case Container():
                self._put_container(record)
            case Settings():
                self._settings = record
            case _:
                raise unforeseen(record)
        if self._journal is not None:
            self._journal.put(record)

    def delete(self, key: Key) -> None:
        """Removes a record that is there; a container goes with all that it holds."""
        self.revision += 1
        match key:
            case ContainerKey():
                del self._shelves[key.container]
                del self._container_names[bisect_left(self._container_names, key.container)]
            case BlobKey() if key.snapshot:
                _remove(self._shelves[key.container].snapshots, key.blob, key.snapshot)
            case BlobKey():
                shelf = self._shelves[key.container]
                del shelf.blobs[key.blob]
                del shelf.names[bisect_left(shelf.names, key.blob)]
            case BlockKey():
                _remove(self._shelves[key.container].blocks, key.blob, key.block_id)
            case SettingsKey():
                self._settings = None
            case _:
                raise unforeseen(key)
        if self._journal is None:
            return
        if isinstance(key, ContainerKey):
            for kind in KINDS:
                self._journal.delete_owner(kind.of, key.container)
        else:
            self._journal.delete_at(kind_of(key), *address_of(key))

    def is_on_disk(self, record: Record) -> bool:
        """Whether a record that is there is on disk, or will never be."""
        return self._journal is None or self._journal.is_on_disk(record)

    def container(self, name: str) -> Container | None:
        """The container, if it is there."""
        shelf = self._shelves.get(name)
        return shelf.container if shelf else None

    def blob(self, container: str, name: str) -> Blob | None:
        """The committed blob, if it is there."""
        shelf = self._shelves.get(container)
        return shelf.blobs.get(name) if shelf else None

    def snapshots(self, container: str, blob: str) -> Mapping[str, Blob]:
        """The snapshots of a blob by their times, the oldest first."""
        shelf = self._shelves.get(container)
        return shelf.snapshots.get(blob, _NO_SNAPSHOTS) if shelf else _NO_SNAPSHOTS

    def settings(self) -> Settings | None:
        """The settings of the service, if they were ever set."""
        return self._settings

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

    def uncommitted_names(self, container: str) -> Sequence[str]:
        """The names that have uncommitted blocks, in no order."""
        return list(self._shelves[container].blocks)

    def contents(self, container: str) -> list[Segment]:
        """Every segment that the container's blobs, snapshots and blocks refer to."""
        shelf = self._shelves[container]
        blobs = [*shelf.blobs.values()]
        blobs += [blob for snapshots in shelf.snapshots.values() for blob in snapshots.values()]
        committed = [segment for blob in blobs for segment in blob.segments]
        staged = [b.segment for blocks in shelf.blocks.values() for b in blocks.values()]
        return committed + staged

    def _put_container(self, record: Container) -> None:
        shelf = self._shelves.get(record.key.container)
        if shelf is None:
            self._shelves[record.key.container] = _Shelf(record)
            insort(self._container_names, record.key.container)
        else:
            shelf.container = record


def _remove(groups: dict[str, dict[str, _Item]], name: str, key: str) -> None:
    del groups[name][key]
    if not groups[name]:
        del groups[name]
