"""What is kept for its owner alone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from runner.emulator.blob.core.contents import Contents
from runner.emulator.privacy import (
    make_private_directory,
    make_private_file,
    open_private_file,
)
from runner.emulator.server.data import open_data
from runner.emulator.server.record.recording import Recording
from runner.emulator.storage.database import Database

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_private_and_what_is_there_becomes_so(tmp_path: Path) -> None:
    for name in ("new", "old"):
        place = tmp_path / name
        if name == "old":
            place.mkdir(mode=0o755)
            (place / "file").write_text("kept")
        make_private_directory(place)
        make_private_file(place / "file")
        assert (mode(place), mode(place / "file")) == (0o700, 0o600)
    assert (tmp_path / "old" / "file").read_text() == "kept"


def test_a_file_is_written_anew_or_further(tmp_path: Path) -> None:
    for append, content in ((False, b"one"), (True, b"onetwo"), (False, b"two")):
        with os.fdopen(open_private_file(tmp_path / "file", append=append), "wb") as file:
            file.write(content[-3:])
        assert (tmp_path / "file").read_bytes() == content
    assert mode(tmp_path / "file") == 0o600


def test_a_data_directory_is_private_where_it_is_made(tmp_path: Path) -> None:
    with open_data(tmp_path / "new") as directory:
        assert mode(directory) == 0o700
    (tmp_path / "shared").mkdir(mode=0o750)
    with open_data(tmp_path / "shared") as directory:
        assert mode(directory) == 0o750
        assert mode(directory / "lock") == 0o600


def test_records_are_private_with_all_that_sqlite_puts_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    sqlite3.connect(path).close()
    path.chmod(0o644)
    database = Database(path, ())
    try:
        modes = {each.name: mode(each) for each in tmp_path.iterdir()}
    finally:
        database.close()
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


@pytest.mark.parametrize("size_bytes", [3, 5_000_000])
def test_contents_of_blobs_are_private(tmp_path: Path, size_bytes: int) -> None:
    contents = Contents(tmp_path)

    async def pieces() -> AsyncIterator[bytes]:
        yield bytes(size_bytes)

    received = asyncio.run(contents.receive(pieces(), size_bytes))

    assert {each.name: mode(each) for each in tmp_path.iterdir()} == {
        "contents": 0o700,
    }
    path = Path(contents.place_of(received.content)[0])
    assert (mode(path), path.stat().st_size) == (0o600, size_bytes)


def test_a_record_of_requests_is_private_unless_it_was_there(tmp_path: Path) -> None:
    (tmp_path / "old").touch(mode=0o644)
    for name, expected in (("new", 0o600), ("old", 0o644)):
        recording = Recording(
            tmp_path / name, accounts=(), clock=lambda: datetime(2026, 1, 1, tzinfo=timezone.utc)
        )
        recording.close()
        assert mode(tmp_path / name) == expected
