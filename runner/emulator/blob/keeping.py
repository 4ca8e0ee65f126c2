"""How the records of a storage account come back when the emulator starts.

It must not know what the records are for.
"""

from __future__ import annotations

import logging

from runner.emulator.blob.core.kinds import KINDS
from runner.emulator.blob.core.records import Blob, Block, Container, Record, Segment, Settings
from runner.emulator.blob.core.state import State
from runner.emulator.storage.journal import Journal

logger = logging.getLogger(__name__)


def restore(state: State, journal: Journal) -> None:
    """Reads all records, and has the catalogue keep what changes; raises `StorageError`.

    A content is in its place before its record is written, so that none is missing unless the
    power failed: then what has lost its content is dropped, and the log says so. To read them all
    would take too long: a content that has its size but holds zeros is not found out.
    """
    state.contents.keep(journal)
    lost: list[Record] = []
    for kind in KINDS:
        for record in journal.load(kind.of):
            if state.contents.adopt(_segments_of(record)):
                state.catalogue.put(record)
            else:
                lost.append(record)
            if isinstance(record, Container | Blob):
                state.etags.resume(record.etag)
    state.catalogue.keep(journal)
    for record in lost:
        logger.warning("its content is not on disk, so it is dropped: %s", record.key)
        journal.delete(record)


def _segments_of(record: Record) -> tuple[Segment, ...]:
    match record:
        case Blob():
            return record.segments
        case Block():
            return (record.segment,)
        case Container() | Settings():
            return ()
