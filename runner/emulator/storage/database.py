"""Keeps records in an SQLite file: one table for each kind of record, one row for each record.

It must not know what the records mean, nor when they are written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from runner.emulator.server.data import DataError
from runner.emulator.storage.codec import CodecError, Form

FORMAT = 1
"""What the file says of itself; to be raised with every change that older code cannot read."""
DOCUMENT = "document"
"""The field of a record that is kept beside it, and written only when it changes."""


def _as_dict(value: Any) -> dict[str, Any]:
    """Documents may be any mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_write_json = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_as_dict
).encode


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


class _Table:
    """How records of one kind become rows."""

    def __init__(self, kind: Kind) -> None:
        name = kind.of.__name__
        has_document = any(field.name == DOCUMENT for field in fields(kind.of))
        self.form = Form(kind.of, without=DOCUMENT if has_document else None)
        self.name = name
        self.sides = (name, f"{name}_document") if has_document else (name,)

    def statements(self, pattern: str) -> Iterator[str]:
        """A statement for each table that a record is in."""
        return (pattern.format(side) for side in self.sides)


class Database:
    """One file, of one thread; raises `StorageError`."""

    def __init__(self, path: Path, kinds: Iterable[Kind]) -> None:
        self._path = path
        self._tables = {kind.of: _Table(kind) for kind in kinds}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
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
        for table in self._tables.values():
            for statement in table.statements(
                'CREATE TABLE IF NOT EXISTS "{}" (id INTEGER PRIMARY KEY, owner TEXT NOT NULL,'
                " key TEXT NOT NULL, record TEXT NOT NULL, UNIQUE (owner, key))"
            ):
                run(statement)
        run(f"PRAGMA user_version = {FORMAT}")
        run("COMMIT")

    def load(self, of: type) -> Iterator[Any]:
        """The records of a kind, in the order in which they were first written."""
        table = self._tables[of]
        main = table.sides[0]
        if len(table.sides) == 1:
            query = f'SELECT record, NULL FROM "{main}" ORDER BY id'  # noqa: S608 - a class's name
        else:
            query = (
                f'SELECT r.record, d.record FROM "{main}" r JOIN "{table.sides[1]}" d'  # noqa: S608
                " USING (owner, key) ORDER BY r.id"
            )
        try:
            for record, document in self._connection.execute(query):
                more = {} if document is None else {DOCUMENT: json.loads(document)}
                yield table.form.decode(json.loads(record), more)
        except (sqlite3.Error, CodecError, json.JSONDecodeError) as error:
            raise StorageError(f"{self._path} cannot be read: {error}") from error

    def write(self, changes: Changes) -> None:
        """Makes all the changes, or none."""
        run = self._connection.execute
        try:
            run("BEGIN IMMEDIATE")
            try:
                self._write(changes)
            except BaseException:
                run("ROLLBACK")
                raise
            run("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise StorageError(f"{self._path} cannot be written: {error}") from error

    def _write(self, changes: Changes) -> None:
        run = self._connection.execute
        for of, owner in changes.owners:
            for statement in self._tables[of].statements('DELETE FROM "{}" WHERE owner = ?'):
                run(statement, (owner,))
        for of, owner, key in changes.gone:
            pattern = 'DELETE FROM "{}" WHERE owner = ? AND key = ?'
            for statement in self._tables[of].statements(pattern):
                run(statement, (owner, key))
        for owner, key, record, with_document in changes.put:
            table = self._tables[type(record)]
            run(_UPSERT.format(table.name), (owner, key, _write_json(table.form.encode(record))))
            if with_document and len(table.sides) > 1:
                document = _write_json(getattr(record, DOCUMENT))
                run(_UPSERT.format(table.sides[1]), (owner, key, document))

    def close(self) -> None:
        """Folds the log into the file."""
        self._connection.close()


_UPSERT = (
    'INSERT INTO "{}" (owner, key, record) VALUES (?, ?, ?)'
    " ON CONFLICT (owner, key) DO UPDATE SET record = excluded.record"
)
