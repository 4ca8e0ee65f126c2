"""Changes are committed together, whole, and before anybody is told; and come back."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.storage.database import FORMAT, Kind, StorageError
from runner.emulator.storage.journal import Journal
from runner.emulator.storage.statements import PIECE


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    shelf: str
    title: str
    document: Mapping[str, Any]
    lent: int = 0


KINDS = (
    Kind(of=Shelf, address=lambda shelf: ("", shelf.name)),
    Kind(of=Book, address=lambda book: (book.shelf, book.title)),
)
EMMA = Book(shelf="a", title="Emma", document={"pages": [1, 2]})
DUNE = Book(shelf="a", title="Dune", document={"pages": []})
KIM = Book(shelf="b", title="Kim", document={"ä": "\ud83d"})


def run(path: Path, work: Callable[[Journal], Awaitable[None]], *, die: bool = False) -> None:
    """Works with a journal; what is not committed is lost where it dies."""

    async def main() -> None:
        journal = Journal(path, KINDS)
        try:
            await work(journal)
        finally:
            if die:
                # As the system does for a process that is killed: nothing more is written.
                journal._pending.clear()
                journal._owners.clear()
                journal._lazy.clear()
            journal.close()

    asyncio.run(main())


def found(path: Path) -> list[Any]:
    records: list[Any] = []

    async def read(journal: Journal) -> None:
        records.extend([*journal.load(Shelf), *journal.load(Book)])

    run(path, read)
    return records


def rows(path: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT kind, owner, key FROM records ORDER BY id").fetchall()


def documents(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT document FROM documents ORDER BY id").fetchall()
    return [text for (text,) in found]


def statements(path: Path, work: Callable[[Journal], Awaitable[None]]) -> list[str]:
    """The first word of each statement that some work has executed."""
    seen: list[str] = []

    async def watch(journal: Journal) -> None:
        journal._database._connection.set_trace_callback(lambda text: seen.append(text.split()[0]))
        await work(journal)
        journal._database._connection.set_trace_callback(None)

    run(path, watch)
    return seen


def test_what_is_settled_survives(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.db"

    async def work(journal: Journal) -> None:
        journal.put(Shelf(name="a"))
        journal.put(EMMA)
        journal.put(DUNE)
        await journal.settled()
        journal.put(KIM)

    run(path, work, die=True)
    assert found(path) == [Shelf(name="a"), EMMA, DUNE]


def test_records_come_in_the_order_of_their_making(tmp_path: Path) -> None:
    async def work(journal: Journal) -> None:
        for book in (EMMA, DUNE):
            journal.put(book)
        await journal.settled()
        journal.put(replace(EMMA, lent=3), EMMA)
        await journal.settled()

    run(tmp_path / "state.db", work)
    assert found(tmp_path / "state.db") == [replace(EMMA, lent=3), DUNE]


def test_a_document_is_written_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def work(journal: Journal) -> None:
        journal.put(EMMA)
        await journal.settled()
        with closing(sqlite3.connect(path)) as other:
            other.execute("UPDATE documents SET document = '{\"kept\": 1}'")
            other.commit()
        journal.put(replace(EMMA, lent=1), EMMA)
        await journal.settled()

    run(path, work)
    assert found(path) == [replace(EMMA, lent=1, document={"kept": 1})]

    async def change(journal: Journal) -> None:
        (before,) = journal.load(Book)
        changed = replace(before, document={"new": 2})
        journal.put(changed, before)
        # Before it is written, it changes once more, in something else.
        journal.put(replace(changed, lent=2), changed)

    run(path, change)
    assert found(path) == [replace(EMMA, lent=2, document={"new": 2})]


def test_an_owner_goes_with_all_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def work(journal: Journal) -> None:
        for record in (Shelf(name="a"), EMMA, KIM):
            journal.put(record)
        await journal.settled()
        journal.put(DUNE)
        journal.put_lazily(replace(EMMA, lent=9))
        journal.delete_owner(Book, "a")
        journal.put(replace(DUNE, lent=1))
        journal.delete(KIM)
        await journal.settled()

    run(path, work)
    assert found(path) == [Shelf(name="a"), replace(DUNE, lent=1)]
    assert rows(path) == [("Shelf", "", "a"), ("Book", "a", "Dune")]
    assert documents(path) == ['{"pages":[]}']


MANY = tuple(replace(EMMA, title=f"{number:04}") for number in range(3 * PIECE + 7))


async def give_away(journal: Journal) -> None:
    """An owner goes that has so much that it is not taken out at once."""
    journal.put(Shelf(name="a"))
    for book in (*MANY, KIM):
        journal.put(book)
    await journal.settled()
    journal.delete(Shelf(name="a"))
    journal.delete_owner(Book, "a")
    await journal.settled()


def test_what_an_owner_has_goes_a_few_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def work(journal: Journal) -> None:
        await give_away(journal)
        left = [len(rows(path))]
        assert left == [len(MANY) - PIECE + 1]
        deadline = asyncio.get_running_loop().time() + 10
        while left[-1] > 1:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.001)
            left.append(len(rows(path)))
        assert max(before - after for before, after in pairwise(left)) <= 2 * PIECE
        assert len(documents(path)) == 1

    run(path, work)
    assert found(path) == [KIM]


def test_what_is_left_of_an_owner_never_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    run(path, give_away, die=True)
    assert len(rows(path)) > 1
    assert found(path) == [KIM]
    assert rows(path) == [("Book", "b", "Kim")]


def test_an_owner_that_comes_again_has_none_of_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def work(journal: Journal) -> None:
        await give_away(journal)
        journal.put(Shelf(name="a"))
        journal.put(replace(MANY[-1], lent=1))
        await journal.settled()
        assert rows(path) == [("Book", "b", "Kim"), ("Shelf", "", "a"), ("Book", "a", "1506")]

    run(path, work, die=True)
    assert found(path) == [Shelf(name="a"), KIM, replace(MANY[-1], lent=1)]


def test_an_owner_that_comes_again_keeps_what_was_written_at_a_second_try(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.db"

    async def work(journal: Journal) -> None:
        await give_away(journal)
        # As SQLite itself takes all back where the disk is full.
        run = journal._database._connection.execute
        run(
            "CREATE TRIGGER full BEFORE INSERT ON documents"
            " BEGIN SELECT RAISE(ROLLBACK, 'disk is full'); END"
        )
        journal.put(EMMA)
        with pytest.raises(StorageError):
            await journal.settled()
        run("DROP TRIGGER full")
        await journal.settled()

    with caplog.at_level(logging.ERROR):
        run(path, work, die=True)
    assert caplog.messages == [f"{path} cannot be written: disk is full"]
    assert found(path) == [KIM, EMMA]


def test_the_log_is_folded_beside_the_work(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def work(journal: Journal) -> None:
        deadline = asyncio.get_running_loop().time() + 10
        size = path.stat().st_size
        while path.stat().st_size == size:
            assert asyncio.get_running_loop().time() < deadline
            for book in MANY:
                journal.put(book)
            await journal.settled()
            await asyncio.sleep(0.001)

    run(path, work)
    assert found(path) == list(MANY)


def test_many_changes_are_one_transaction(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    books = [replace(EMMA, title=str(number)) for number in range(500)]

    async def work(journal: Journal) -> None:
        for book in books:
            journal.put(book)
        waiting = asyncio.ensure_future(journal.settled())
        await asyncio.sleep(0)
        assert (len(rows(path)), len(documents(path))) in ((0, 0), (500, 500))
        await waiting
        assert (len(rows(path)), len(documents(path))) == (500, 500)

    run(path, work)
    assert found(path) == books


def test_a_hundred_records_take_a_few_statements(tmp_path: Path) -> None:
    async def add(journal: Journal) -> None:
        for number in range(100):
            journal.put(replace(EMMA, title=str(number)))
        await journal.settled()

    async def lend(journal: Journal) -> None:
        for before in tuple(journal.load(Book)):
            lent = replace(before, lent=1)
            journal.put(lent, before)
            journal.put(replace(lent, lent=2), lent)
        await journal.settled()

    path = tmp_path / "state.db"
    assert statements(path, add) == ["BEGIN", "INSERT", "INSERT", "COMMIT"]
    # Of what has changed twice the last is written, once; and documents are not touched.
    assert statements(path, lend)[1:] == ["INSERT"]


def test_the_documents_of_the_first_format_are_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def write(journal: Journal) -> None:
        for record in (Shelf(name="a"), EMMA, KIM):
            journal.put(record)

    run(path, write)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO records (kind, owner, key, record)"
            " SELECT r.kind || '.document', r.owner, r.key, d.document"
            " FROM records r JOIN documents d ON d.id = r.id"
        )
        connection.execute("DROP TABLE documents")
        connection.execute("PRAGMA user_version = 1")
    assert found(path) == [Shelf(name="a"), EMMA, KIM]
    assert [kind for kind, _, _ in rows(path)] == ["Shelf", "Book", "Book"]


def test_what_follows_is_done_after_the_commit(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    seen: list[Any] = []

    def look(name: str) -> None:
        seen.append((name, [key for _, _, key in rows(path)]))

    async def work(journal: Journal) -> None:
        journal.put(Shelf(name="a"))
        journal.after_commit(lambda: look("first"))
        journal.after_commit(lambda: look("second"))
        assert journal.waiting
        await journal.settled()
        assert not journal.waiting

    run(path, work)
    assert seen == [("first", ["a"]), ("second", ["a"])]


def test_what_changes_waits_until_somebody_asks_but_not_for_long(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def work(journal: Journal) -> None:
        journal.put(Shelf(name="a"))
        await asyncio.sleep(0)
        assert rows(path) == []
        await journal.settled()
        assert rows(path) == [("Shelf", "", "a")]
        journal.put(Shelf(name="b"))
        deadline = asyncio.get_running_loop().time() + 10
        while len(rows(path)) < 2:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.001)

    run(path, work)


def test_what_may_be_lost_is_written_with_the_next_close(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def work(journal: Journal) -> None:
        journal.put(EMMA)
        await journal.settled()
        journal.put_lazily(replace(EMMA, lent=1))
        await journal.settled()

    run(path, work, die=True)
    assert found(path) == [EMMA]
    run(path, work)
    assert found(path) == [replace(EMMA, lent=1)]


def test_a_failed_commit_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.db"
    message = f"{path} cannot be written: database is locked"

    async def work(journal: Journal) -> None:
        journal._database._connection.execute("PRAGMA busy_timeout = 0")
        done: list[str] = []
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            journal.put(EMMA)
            journal.after_commit(lambda: done.append("done"))
            with pytest.raises(StorageError) as raised:
                await journal.settled()
            assert str(raised.value) == message
            # Nobody is shown what is not on disk.
            with pytest.raises(StorageError):
                await journal.settled()
            other.execute("ROLLBACK")
        assert done == []
        await journal.settled()
        assert done == ["done"]

    with caplog.at_level(logging.ERROR):
        run(path, work)
    assert caplog.messages == [message, message]
    assert found(path) == [EMMA]


def test_what_a_record_tells_of_is_on_disk_before_it(tmp_path: Path) -> None:
    told, telling = tmp_path / "told.db", tmp_path / "telling.db"
    seen: list[tuple[int, int]] = []

    async def work() -> None:
        with closing(Journal(told, KINDS)) as books:

            def write() -> bool:
                seen.append((len(rows(told)), len(rows(telling))))
                return books.commit()

            with closing(Journal(telling, KINDS, first=write)) as journal:
                books.put(EMMA)
                journal.put(Shelf(name="a"))
                await asyncio.sleep(0)
                assert not books.is_on_disk(EMMA)
                await journal.settled()
                assert books.is_on_disk(EMMA)
                seen.append((len(rows(told)), len(rows(telling))))
                # Nothing is written, and so nothing has to be before.
                await journal.settled()
                books.put(DUNE)
                journal.put(Shelf(name="b"))
            # Also with the last.
            seen.append((len(rows(told)), len(rows(telling))))

    asyncio.run(work())
    assert seen == [(0, 0), (1, 1), (1, 1), (2, 2)]


def test_nothing_is_written_before_what_it_tells_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.db"
    message = f"{path} is not written before what it tells of"

    async def work() -> None:
        can_write = False
        with closing(Journal(path, KINDS, first=lambda: can_write)) as journal:
            journal.put(EMMA)
            with pytest.raises(StorageError) as raised:
                await journal.settled()
            assert str(raised.value) == message
            assert not journal.is_on_disk(EMMA)
            assert rows(path) == []
            can_write = True
            await journal.settled()
            assert rows(path) == [("Book", "a", "Emma")]

    with caplog.at_level(logging.ERROR):
        asyncio.run(work())
    assert caplog.messages == [message]


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(StorageError) as raised:
        Journal(path, KINDS)
    assert str(raised.value) == (
        f"{path} has format 7 and this emulator needs format {FORMAT};"
        " use the version that made it, or another directory"
    )


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("This is no database, but long enough to be taken for one. " * 20)
    with pytest.raises(StorageError) as raised:
        Journal(path, KINDS)
    assert str(raised.value) == f"{path} cannot be used: file is not a database"


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def write(journal: Journal) -> None:
        journal.put(Shelf(name="a"))

    run(path, write)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE records SET record = '{\"colour\": 1}'")
        connection.commit()
    with pytest.raises(StorageError) as raised:
        found(path)
    assert str(raised.value) == f"{path} cannot be read: Shelf.colour is not known"
