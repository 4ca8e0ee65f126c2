"""Keeps records in an SQLite file: one row for each record, and one for its document.

It must not know what the records mean, nor when they are written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

from runner.emulator.privacy import make_private_file
from runner.emulator.storage.codec import CodecError, Form
from runner.emulator.storage.error import DataError

FORMAT = 1
"""What the file says of itself; to be raised with every change that older code cannot read."""
DOCUMENT = "document"
"""The field of a record that is kept beside it, and written only when it changes."""


def _as_dict(value: Any) -> dict[str, Any]:
    """Documents may be any mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


# In ASCII alone: JSON of clients may hold halves of surrogate pairs, which SQLite does not take.
_write_json = json.JSONEncoder(check_circular=False, separators=(",", ":"), default=_as_dict).encode


class StorageError(DataError):
    """The file cannot be used; the message is one line for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A dataclass whose records are kept, and what finds one: its owner and its key there."""

    of: type
    address: Callable[[Any], tuple[str, str]]


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
        has_document = any(field.name == DOCUMENT for field in fields(kind.of))
        self.form = Form(kind.of, without=DOCUMENT if has_document else None)
        self.name = kind.of.__name__
        self.document = f"{self.name}.{DOCUMENT}" if has_document else None

    @property
    def names(self) -> tuple[str, ...]:
        """What the column `kind` says in the rows of a record."""
        return (self.name,) if self.document is None else (self.name, self.document)


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
        if found not in (0, FORMAT):
            raise StorageError(
                f"{self._path} has format {found} and this emulator needs format {FORMAT};"
                " use the version that made it, or another directory"
            )
        run("PRAGMA journal_mode = WAL")
        # What is committed survives the death of this process; the power may take the last
        # transactions, and leaves the rest as they were.
        run("PRAGMA synchronous = NORMAL")
        run("BEGIN IMMEDIATE")
        run(_CREATE)
        run(f"PRAGMA user_version = {FORMAT}")
        run("COMMIT")

    def load(self, of: type) -> Iterator[Any]:
        """The records of a kind, in the order in which they were first written."""
        rows = self._rows[of]
        try:
            for record, document in self._connection.execute(_LOAD, (rows.document, rows.name)):
                more = {} if document is None else {DOCUMENT: json.loads(document)}
                yield rows.form.decode(json.loads(record), more)
        except (sqlite3.Error, CodecError, json.JSONDecodeError) as error:
            raise StorageError(f"{self._path} cannot be read: {error}") from error

    def write(self, changes: Changes) -> None:
        """Makes all the changes, or none."""
        statements = [*self._deletions(changes), *self._insertions(changes)]
        run = self._connection.execute
        try:
            if len(statements) == 1:
                # Is a transaction by itself.
                run(*statements[0])
                return
            run("BEGIN IMMEDIATE")
            for statement, values in statements:
                run(statement, values)
            run("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise StorageError(f"{self._path} cannot be written: {error}") from error

    def _deletions(self, changes: Changes) -> Iterator[tuple[str, tuple[str, ...]]]:
        for of, owner in changes.owners:
            for name in self._rows[of].names:
                yield "DELETE FROM records WHERE kind = ? AND owner = ?", (name, owner)
        for of, owner, key in changes.gone:
            for name in self._rows[of].names:
                yield _DELETE, (name, owner, key)

    def _insertions(self, changes: Changes) -> Iterator[tuple[str, tuple[str, ...]]]:
        """As few statements as can be: each gives up and takes back Python's lock."""
        rows: list[tuple[str, str, str, str]] = []
        for owner, key, record, with_document in changes.put:
            of = self._rows[type(record)]
            rows.append((of.name, owner, key, _write_json(of.form.encode(record))))
            if with_document and of.document is not None:
                rows.append((of.document, owner, key, _write_json(getattr(record, DOCUMENT))))
        for start in range(0, len(rows), _MOST_ROWS):
            some = rows[start : start + _MOST_ROWS]
            values = ", ".join(["(?, ?, ?, ?)"] * len(some))
            yield _UPSERT.format(values), tuple(chain.from_iterable(some))

    def close(self) -> None:
        """Folds the log into the file."""
        self._connection.close()


# SQLite takes 999 values in a statement, at least.
_MOST_ROWS = 200
_CREATE = (
    "CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " owner TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL, UNIQUE (kind, owner, key))"
)
_UPSERT = (
    "INSERT INTO records (kind, owner, key, record) VALUES {}"
    " ON CONFLICT (kind, owner, key) DO UPDATE SET record = excluded.record"
)
_DELETE = "DELETE FROM records WHERE kind = ? AND owner = ? AND key = ?"
_LOAD = (
    "SELECT r.record, d.record FROM records r LEFT JOIN records d"
    " ON d.kind = ? AND d.owner = r.owner AND d.key = r.key"
    " WHERE r.kind = ? ORDER BY r.id"
)
