"""Keeps records in an SQLite file: one row for each record, and one for its document.

It must not know what the records mean, nor when they are written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.emulator.privacy import make_private_file
from runner.emulator.storage.codec import CodecError, Form
from runner.emulator.storage.error import DataError
from runner.emulator.storage.jsontext import Written, write_json
from runner.emulator.storage.leaving import Leaving
from runner.emulator.storage.statements import (
    CREATE,
    LOAD,
    PIECE,
    TAKE_DOCUMENTS_OUT,
    Statement,
    deletes,
    puts,
)

FORMAT = 2
"""What the file says of itself; to be raised with every change that older code cannot read."""
DOCUMENT = "document"
"""The field of a record that is kept beside it, and written only when it changes."""
_WITHOUT_DOCUMENTS = 1
"""The format in which documents had no table of their own."""


class StorageError(DataError):
    """The file cannot be used; the message is one line for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A dataclass whose records are kept, and what finds one: its owner and its key there.

    `document` makes the field `document` of its JSON.
    """

    of: type
    address: Callable[[Any], tuple[str, str]]
    document: Callable[[str], Any] = json.loads


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one transaction does: first whole owners go, then single records go or are written.

    A record comes with whether its document is new or has changed.
    """

    owners: tuple[tuple[type, str], ...]
    gone: tuple[tuple[type, str, str], ...]
    put: tuple[tuple[str, str, Any, bool], ...]


class _Rows:
    """How records of one kind become rows: the record, and its document by itself."""

    def __init__(self, kind: Kind) -> None:
        self._of = kind.of
        self.has_document = any(field.name == DOCUMENT for field in fields(kind.of))
        self.name = kind.of.__name__
        self.read_document = kind.document

    @cached_property
    def form(self) -> Form:
        """Made when there is a record: it takes a while, and not all kinds are in use."""
        return Form(self._of, without=DOCUMENT if self.has_document else None)


class Database:
    """One file, of one thread; raises `StorageError`."""

    def __init__(self, path: Path, kinds: Iterable[Kind]) -> None:
        self._path = path
        self._rows = {kind.of: _Rows(kind) for kind in kinds}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # What SQLite puts beside it has the same mode.
            make_private_file(path)
            self._connection = sqlite3.connect(path, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"{path} cannot be opened: {error}") from error
        with_documents = {rows.name for rows in self._rows.values() if rows.has_document}
        self._leaving = Leaving(self._connection, with_documents)
        self.unfolded = 0
        """How many rows were written, about, since the log was last folded into the file."""
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise StorageError(f"{path} cannot be used: {error}") from error
        except StorageError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        run = self._connection.execute
        (found,) = run("PRAGMA user_version").fetchone()
        if found not in (0, _WITHOUT_DOCUMENTS, FORMAT):
            raise StorageError(
                f"{self._path} has format {found} and this emulator needs format {FORMAT};"
                " use the version that made it, or another directory"
            )
        run("PRAGMA journal_mode = WAL")
        # What is committed survives the death of this process; the power may take the last
        # transactions, and leaves the rest as they were.
        run("PRAGMA synchronous = NORMAL")
        # Else a commit would do it now and then, and wait for the disk.
        run("PRAGMA wal_autocheckpoint = 0")
        run("BEGIN IMMEDIATE")
        for statement in CREATE:
            run(statement)
        if found == _WITHOUT_DOCUMENTS:
            for statement in TAKE_DOCUMENTS_OUT:
                run(statement)
        run(f"PRAGMA user_version = {FORMAT}")
        run("COMMIT")
        self._leaving.read()

    @property
    def leaving(self) -> bool:
        """Whether there are records still whose owners have gone (`take_some`)."""
        return bool(self._leaving)

    def load(self, of: type) -> Iterator[Any]:
        """The records of a kind, in the order in which they were first written."""
        while self.leaving:
            self.take_some()
        rows = self._rows[of]
        try:
            for record, document in self._connection.execute(LOAD, (rows.name,)):
                more = {} if document is None else {DOCUMENT: rows.read_document(document)}
                yield rows.form.decode(json.loads(record), more)
        except (sqlite3.Error, CodecError, json.JSONDecodeError) as error:
            raise StorageError(f"{self._path} cannot be read: {error}") from error

    def write(self, changes: Changes) -> None:
        """Makes all the changes, or none."""
        statements = [*self._deletions(changes), *self._insertions(changes)]
        self.unfolded += len(changes.put) + len(changes.gone)
        run = self._connection.execute
        with self._writing():
            if len(statements) == 1 and not changes.owners and not self._leaving:
                # Is a transaction by itself.
                run(*statements[0])
                return
            run("BEGIN IMMEDIATE")
            for of, owner in changes.owners:
                self._leaving.begin(self._rows[of].name, owner)
            if self._leaving:
                for kind, owner in {(type(put[2]), put[0]) for put in changes.put}:
                    self._leaving.finish(self._rows[kind].name, owner)
            for statement, values in statements:
                run(statement, values)
            run("COMMIT")

    def take_some(self) -> None:
        """Takes out some records whose owner has gone."""
        self.unfolded += PIECE
        with self._writing():
            self._connection.execute("BEGIN IMMEDIATE")
            self._leaving.take_some()
            self._connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        before = self._leaving.noted()
        try:
            yield
        except sqlite3.Error as error:
            # All is as it was: where the disk is full, SQLite itself has seen to that.
            self._leaving.recall(before)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise StorageError(f"{self._path} cannot be written: {error}") from error

    def fold(self) -> bool:
        """Folds the log into the file as it is now; to be called in a thread of its own.

        Whether nothing was written meanwhile: then the log begins anew, and else it grows.
        """
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                run = connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                _, written, folded = run.fetchone()
                return bool(written == folded)
        except sqlite3.Error as error:
            raise StorageError(f"{self._path} cannot be written: {error}") from error

    def fold_all(self) -> None:
        """Folds all of the log into the file, whatever that takes."""
        with self._writing():
            self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def _deletions(self, changes: Changes) -> Iterator[Statement]:
        for of, owner, key in changes.gone:
            rows = self._rows[of]
            yield from deletes(rows.name, owner, key, has_document=rows.has_document)

    def _insertions(self, changes: Changes) -> Iterator[Statement]:
        records: list[tuple[str, ...]] = []
        documents: list[tuple[str, ...]] = []
        for owner, key, record, with_document in changes.put:
            rows = self._rows[type(record)]
            records.append((rows.name, owner, key, write_json(rows.form.encode(record))))
            if with_document and rows.has_document:
                document = getattr(record, DOCUMENT)
                text = document.json if isinstance(document, Written) else write_json(document)
                documents.append((rows.name, owner, key, text))
        return puts(records, documents)

    def close(self) -> None:
        """Folds the log into the file."""
        self._connection.close()
