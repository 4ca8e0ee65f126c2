"""MD5s of files: right, remembered while a file is the same, and never by its name alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from runner.plan.file_digests import FileDigests

SECOND = 1_000_000_000


def md5(content: bytes) -> bytes:
    return hashlib.md5(content).digest()


def later(path: Path) -> int:
    """A time at which what has happened to the file is long ago."""
    return path.stat().st_ctime_ns + 10 * SECOND


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "ä.txt"
    path.parent.mkdir()
    path.write_bytes(b"first")
    return path


def remembered(file: Path, memory: Path) -> FileDigests:
    """Digests that were read, saved, and are begun anew."""
    digests = FileDigests(memory, now_ns=later(file))
    assert digests.md5(file) == md5(b"first")
    digests.save()
    return FileDigests(memory, now_ns=later(file))


def test_a_file_is_read_once(file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "digests"
    remembered(file, memory)
    size = memory.stat().st_size
    again = FileDigests(memory, now_ns=later(file))
    assert list(again.md5s([file, file])) == [md5(b"first")] * 2
    again.save()
    assert memory.stat().st_size == size == 32


def test_the_same_size_and_time_do_not_make_the_same_file(file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "digests"
    before = file.stat()
    digests = remembered(file, memory)
    file.write_bytes(b"other")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert digests.md5(file) == md5(b"other")


def test_a_file_that_takes_the_place_of_another_is_another(file: Path, tmp_path: Path) -> None:
    digests = remembered(file, tmp_path / "digests")
    other = file.with_name("other")
    other.write_bytes(b"other")
    other.replace(file)
    assert digests.md5(file) == md5(b"other")


def test_what_has_just_changed_is_not_remembered(file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "digests"
    digests = FileDigests(memory, now_ns=file.stat().st_ctime_ns + SECOND)
    assert digests.md5(file) == md5(b"first")
    assert not digests.is_older(file)
    digests.note(file, md5(b"first"))
    digests.save()
    assert not memory.exists()


def test_what_others_have_computed_is_remembered(file: Path, tmp_path: Path) -> None:
    digests = FileDigests(None, now_ns=later(file))
    digests.note(file, b"x" * 16)
    assert digests.md5(file) == b"x" * 16


def test_files_that_cannot_be_read_have_none(tmp_path: Path) -> None:
    digests = FileDigests(None, now_ns=SECOND)
    assert list(digests.md5s([tmp_path / "missing", tmp_path])) == [None, None]
    assert not digests.is_older(tmp_path / "missing")


def test_a_torn_memory_is_mended(file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "digests"
    remembered(file, memory)
    with memory.open("ab") as stream:
        stream.write(b"torn")
    second = file.with_name("second")
    second.write_bytes(b"second")
    digests = FileDigests(memory, now_ns=later(second))
    assert list(digests.md5s([file, second])) == [md5(b"first"), md5(b"second")]
    digests.save()
    assert memory.stat().st_size == 64
    again = FileDigests(memory, now_ns=later(second))
    assert list(again.md5s([second, file])) == [md5(b"second"), md5(b"first")]


def test_without_room_for_a_memory_nothing_is_lost(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    digests = FileDigests(tmp_path / "taken" / "digests", now_ns=later(file))
    assert digests.md5(file) == md5(b"first")
    digests.save()
    assert (tmp_path / "taken").read_text() == "a file"


def test_whoever_stops_asking_waits_for_nothing(tmp_path: Path) -> None:
    """The others never end."""
    short = tmp_path / "short"
    short.write_bytes(b"first")
    endless = [short, *[Path("/dev/zero")] * 8]
    digests = FileDigests(None, now_ns=later(short))
    found = digests.md5s(endless)
    assert next(found) == md5(b"first")
    found.close()
