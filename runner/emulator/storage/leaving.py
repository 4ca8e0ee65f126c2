"""Takes out the records of owners that have gone, a few at a time: there may be many thousands.

It must not know what the records are, nor when it is their turn.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import TypeAlias

from runner.emulator.storage.statements import (
    FORGET_LEAVING,
    LEAVING,
    NOTE_LEAVING,
    PIECE,
    TAKE_DOCUMENTS,
    TAKE_RECORDS,
)

Owners: TypeAlias = dict[tuple[str, str], None]


class Leaving:
    """What changes it is called within a transaction; raises `sqlite3.Error`.

    An owner that is on its way out is on disk too, so that a restart finds what is left of it.
    """

    def __init__(self, connection: sqlite3.Connection, with_documents: Collection[str]) -> None:
        """`with_documents` are the kinds of records that have documents."""
        self._run = connection.execute
        self._with_documents = with_documents
        self._owners: Owners = {}

    def __bool__(self) -> bool:
        return bool(self._owners)

    def read(self) -> None:
        """Finds who is on the way out, as the disk has it."""
        self._owners = dict.fromkeys(self._run(LEAVING).fetchall())

    def noted(self) -> Owners:
        """Who is on the way out, for `recall`."""
        return self._owners.copy()

    def recall(self, noted: Owners) -> None:
        """Of a transaction that is not, all that was noted is forgotten."""
        self._owners = noted

    def begin(self, kind: str, owner: str) -> None:
        """Takes out all records of an owner, or the first of them and the others by and by."""
        if self._take(kind, owner):
            self._run(NOTE_LEAVING, (kind, owner))
            self._owners[kind, owner] = None

    def take_some(self) -> None:
        """Takes out the next records of one that is on the way out."""
        for kind, owner in self._owners:
            if not self._take(kind, owner):
                self._forget(kind, owner)
            return

    def finish(self, kind: str, owner: str) -> None:
        """Takes out all that is left of an owner, which is about to have records again."""
        if (kind, owner) in self._owners:
            while self._take(kind, owner):
                pass
            self._forget(kind, owner)

    def _take(self, kind: str, owner: str) -> bool:
        """Whether there may be more."""
        if kind in self._with_documents:
            self._run(TAKE_DOCUMENTS, (kind, owner))
        return self._run(TAKE_RECORDS, (kind, owner)).rowcount == PIECE

    def _forget(self, kind: str, owner: str) -> None:
        self._run(FORGET_LEAVING, (kind, owner))
        del self._owners[kind, owner]
