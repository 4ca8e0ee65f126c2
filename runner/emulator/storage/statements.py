"""The SQL of the file that records are in: how it is made, read and changed.

It must not know what the records are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeAlias

Statement: TypeAlias = tuple[str, tuple[str, ...]]
"""With the values in it."""

# SQLite takes 999 values in a statement, at least.
_MOST_ROWS = 200
# Documents are large and stay as they are; beside the records, which change, they would be written
# anew with these: what SQLite writes is whole pages.
CREATE = (
    """
    CREATE TABLE IF NOT EXISTS records (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL,
        record TEXT NOT NULL, UNIQUE (kind, owner, key)
    )""",
    "CREATE TABLE IF NOT EXISTS documents (id INTEGER PRIMARY KEY, document TEXT NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS leaving (
        kind TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (kind, owner)
    )""",
)
TAKE_DOCUMENTS_OUT = (
    """
    INSERT INTO documents SELECT r.id, d.record FROM records d JOIN records r
    ON d.kind = r.kind || '.document' AND d.owner = r.owner AND d.key = r.key""",
    "DELETE FROM records WHERE kind LIKE '%.document'",
)
"""Makes the present format of the first, in which documents were records of kinds of their own."""
LOAD = """
    SELECT r.record, d.document FROM records r LEFT JOIN documents d ON d.id = r.id
    WHERE r.kind = ? ORDER BY r.id"""
"""The records of a kind in the order of their making, each with its document."""
_RECORD = "(?, ?, ?, ?)"
_PUT_RECORDS = """
    INSERT INTO records (kind, owner, key, record) VALUES {}
    ON CONFLICT (kind, owner, key) DO UPDATE SET record = excluded.record"""
_DOCUMENT = "((SELECT id FROM records WHERE kind = ? AND owner = ? AND key = ?), ?)"
_PUT_DOCUMENTS = """
    INSERT INTO documents (id, document) VALUES {}
    ON CONFLICT (id) DO UPDATE SET document = excluded.document"""
_DELETE = "DELETE FROM records WHERE kind = ? AND owner = ? AND key = ?"
_DELETE_DOCUMENT = """
    DELETE FROM documents WHERE id =
    (SELECT id FROM records WHERE kind = ? AND owner = ? AND key = ?)"""


def puts(
    records: Sequence[tuple[str, ...]], documents: Sequence[tuple[str, ...]]
) -> Iterator[Statement]:
    """Writes rows of kind, owner, key and text: those of records, then those of their documents.

    As few statements as can be: each gives up and takes back Python's lock.
    """
    yield from _in_groups(_PUT_RECORDS, _RECORD, records)
    yield from _in_groups(_PUT_DOCUMENTS, _DOCUMENT, documents)


def _in_groups(statement: str, row: str, rows: Sequence[tuple[str, ...]]) -> Iterator[Statement]:
    for start in range(0, len(rows), _MOST_ROWS):
        some = rows[start : start + _MOST_ROWS]
        yield statement.format(", ".join([row] * len(some))), tuple(chain.from_iterable(some))


def deletes(kind: str, owner: str, key: str, *, has_document: bool) -> Iterator[Statement]:
    """Takes out one record."""
    if has_document:
        yield _DELETE_DOCUMENT, (kind, owner, key)
    yield _DELETE, (kind, owner, key)


PIECE = 500
"""How many records of an owner are taken out at once: so many that it takes a few milliseconds."""
TAKE_DOCUMENTS = f"""
    DELETE FROM documents WHERE id IN
    (SELECT id FROM records WHERE kind = ? AND owner = ? LIMIT {PIECE})"""  # noqa: S608
TAKE_RECORDS = f"""
    DELETE FROM records WHERE id IN
    (SELECT id FROM records WHERE kind = ? AND owner = ? LIMIT {PIECE})"""  # noqa: S608
NOTE_LEAVING = "INSERT OR IGNORE INTO leaving (kind, owner) VALUES (?, ?)"
FORGET_LEAVING = "DELETE FROM leaving WHERE kind = ? AND owner = ?"
LEAVING = "SELECT kind, owner FROM leaving"
